/** What the user can do about a store that cannot be written, in words. */
import { CodedError, toCodedError } from '../../shared/errors.ts';

/** Keeps every other error as it is. */
export function explainStorageError(error: unknown, root: string): CodedError {
  const coded = toCodedError(error);
  switch (coded.code) {
    case 'diskFull':
      return new CodedError('diskFull', `The disk is full. Sessions are kept in ${root}: free some space there.`, {
        cause: error,
      });
    case 'ioError':
    case 'notFound':
      return new CodedError(
        'ioError',
        `Work Sessions cannot write to ${root}: check that the folder exists and may be written. (${coded.message})`,
        { cause: error },
      );
    default:
      return coded;
  }
}

/** Runs work that writes to the store and explains its failure. */
export async function explained<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainStorageError(error, root);
  }
}
