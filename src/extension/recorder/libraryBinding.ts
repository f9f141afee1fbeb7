/**
 * The binding to libSessionRecorder through ffi-rs: the only file that knows of pointers.
 * Invariant: calls run on other threads, and every string that the library returns is given back to it.
 */
import { existsSync } from 'node:fs';
import { DataType, type JsExternal, isNullPointer, load, open, restorePointer, wrapPointer } from 'ffi-rs';
import { assertNever } from '../../shared/assertNever.ts';
import { CodedError } from '../../shared/errors.ts';
import { abiVersion } from '../../shared/recorder/library.ts';
import type { LibraryCall } from './ipc.ts';

const library = 'SessionRecorder';

const functionNames = {
  addSource: 'screen_recorder_add_source',
  removeSource: 'screen_recorder_remove_source',
  setLayout: 'screen_recorder_set_layout',
  takeScreenshot: 'screen_recorder_take_screenshot',
} as const;

export class LibraryBinding {
  private constructor() {}

  /** Throws `libraryMissing` or `libraryVersion`, with words for the user. */
  static open(path: string): LibraryBinding {
    if (!existsSync(path)) {
      throw new CodedError('libraryMissing', `The recorder library is missing: ${path}. Install the extension again.`);
    }
    try {
      open({ library, path });
    } catch (error) {
      throw new CodedError('libraryMissing', `The recorder library cannot be loaded: ${messageOf(error)}`, {
        cause: error,
      });
    }
    const version = readAbiVersion(path);
    if (version !== abiVersion) {
      throw new CodedError(
        'libraryVersion',
        `The recorder library has version ${version}, this extension needs ${abiVersion}. Install the extension again.`,
      );
    }
    return new LibraryBinding();
  }

  /** The parsed JSON answer, which may be the library's `{"error":…}`. */
  call(call: Exclude<LibraryCall, { name: 'clock' }>): Promise<unknown> {
    switch (call.name) {
      case 'sources':
        return invoke('screen_recorder_sources', [], []);
      case 'permissions':
        return invoke('screen_recorder_permissions', [DataType.String], [JSON.stringify(call.request)]);
      case 'create':
        return invoke('screen_recorder_create', [DataType.String], [JSON.stringify(call.config)]);
      case 'start':
      case 'pause':
      case 'resume':
      case 'status':
      case 'stop':
        return invoke(`screen_recorder_${call.name}`, [DataType.U64], [call.handle]);
      case 'addSource':
      case 'removeSource':
      case 'setLayout':
      case 'takeScreenshot':
        return invoke(
          functionNames[call.name],
          [DataType.U64, DataType.String],
          [call.handle, JSON.stringify(call.request)],
        );
      case 'updateAudioMix':
        return invoke('screen_recorder_update_audio_mix', [DataType.U64, DataType.Double], [call.handle, call.balance]);
      case 'recover':
        return invoke('media_recover', [DataType.String], [JSON.stringify(call.request)]);
      case 'concatenateAudio':
        return invoke('media_concatenate_audio', [DataType.String], [JSON.stringify(call.request)]);
      case 'mergeMedia':
        return invoke('media_merge', [DataType.String], [JSON.stringify(call.request)]);
      case 'cancelMedia':
        return invoke('media_cancel', [DataType.U64], [call.job]);
      default:
        return assertNever(call, 'library call');
    }
  }

  /** Waits up to `timeoutMs` for the next event; `{"type":"none"}` when nothing came. */
  nextEvent(handle: number, timeoutMs: number): Promise<unknown> {
    return invoke('screen_recorder_next_event', [DataType.U64, DataType.U32], [handle, timeoutMs]);
  }

  /** As `nextEvent`, of a media job. */
  nextMediaEvent(job: number, timeoutMs: number): Promise<unknown> {
    return invoke('media_next_event', [DataType.U64, DataType.U32], [job, timeoutMs]);
  }

  destroy(handle: number): Promise<unknown> {
    return invoke('screen_recorder_destroy', [DataType.U64], [handle]);
  }
}

async function invoke(funcName: string, paramsType: DataType[], paramsValue: unknown[]): Promise<unknown> {
  const text = await load({
    library,
    funcName,
    retType: DataType.External,
    paramsType,
    paramsValue,
    runInNewThread: true,
  });
  // An answer of NULL would be a defect of the library: reading it would end the process.
  if (isNullPointer(text)) throw new CodedError('internal', `${funcName} answered nothing.`);
  try {
    return JSON.parse(readString(text));
  } catch (error) {
    throw new CodedError('internal', `${funcName} answered something that is not JSON.`, { cause: error });
  } finally {
    load({
      library,
      funcName: 'screen_recorder_free_string',
      retType: DataType.Void,
      paramsType: [DataType.External],
      paramsValue: [text],
    });
  }
}

function readString(text: JsExternal): string {
  const [value] = restorePointer<DataType.String>({ retType: [DataType.String], paramsValue: wrapPointer([text]) });
  return value ?? '';
}

function readAbiVersion(path: string): number {
  try {
    return load({
      library,
      funcName: 'screen_recorder_abi_version',
      retType: DataType.U32,
      paramsType: [],
      paramsValue: [],
    });
  } catch (error) {
    throw new CodedError('libraryVersion', `${path} is not a recorder library: ${messageOf(error)}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
