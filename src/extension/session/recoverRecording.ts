/** Reads back what a recorder that died, or a window that crashed, left in a recording's folder. */
import { toCodedError } from '../../shared/errors.ts';
import type { RecordingManifest } from '../../shared/recorder/library.ts';
import type { Files } from '../platform/files.ts';
import type { Recorder } from '../recorder/recorder.ts';
import { readManifest } from './finishSession.ts';

/** A fresh recorder mends the files; without one, what the last manifest names is taken as it is. Nothing when there is neither. */
export async function recoverRecording(
  recorder: Recorder,
  folder: string,
  files: Files,
): Promise<RecordingManifest | undefined> {
  if ((await files.list(folder)).length === 0) return undefined;
  try {
    const connection = await recorder.connect();
    try {
      return await connection.recover(folder);
    } finally {
      connection.dispose();
    }
  } catch (error) {
    const manifest = await readManifest(folder, files);
    if (manifest) return manifest;
    throw toCodedError(error);
  }
}
