/** The one error type that crosses our own boundaries: a code to act on, words to show, and the cause. */

/** Codes of the native library (see native-recorder/include/session_recorder.h), which the extension shares. */
export const recorderErrorCodes = [
  'invalidConfig',
  'invalidHandle',
  'invalidState',
  'permissionDenied',
  'sourceNotFound',
  'sourceLost',
  'encoderFailed',
  'diskFull',
  'ioError',
  'timeout',
  'unsupported',
  'internal',
] as const;
export type RecorderErrorCode = (typeof recorderErrorCodes)[number];

/** What only the extension can run into. */
export type ExtensionErrorCode =
  | 'libraryMissing'
  | 'libraryVersion'
  | 'recorderDied'
  | 'notFound'
  | 'damaged'
  | 'newerVersion'
  | 'leaseTaken'
  | 'invalidMessage';

export type ErrorCode = RecorderErrorCode | ExtensionErrorCode;

export class CodedError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'CodedError';
  }
}

/** Any thrown thing as a CodedError; file system errors keep their meaning. */
export function toCodedError(error: unknown, fallback: ErrorCode = 'internal'): CodedError {
  if (error instanceof CodedError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CodedError(codeOfErrno(error) ?? fallback, message, { cause: error });
}

function codeOfErrno(error: unknown): ErrorCode | undefined {
  const errno = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'diskFull';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'EIO':
    case 'ENOTDIR':
      return 'ioError';
    case 'ENOENT':
      return 'notFound';
    default:
      return undefined;
  }
}
