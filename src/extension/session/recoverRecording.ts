/** Reads back what a recorder that died, or a window that crashed, left in a recording's folder. */
import { setTimeout as delay } from 'node:timers/promises';
import { CodedError, toCodedError } from '../../shared/errors.ts';
import type { RecordingManifest } from '../../shared/recorder/library.ts';
import type { Files } from '../platform/files.ts';
import type { Recorder, RecorderConnection } from '../recorder/recorder.ts';
import { readManifest } from './finishSession.ts';

/** A recorder whose extension is gone may take so long to end its files. */
const busyMs = 12_000;
const busyEveryMs = 500;

/**
 * A fresh recorder mends the files; without one, what the manifest of a recording that had ended names is taken as it is.
 * Nothing when nothing was recorded. Throws when the files cannot be mended now: only then does nobody know what is in
 * the folder, and it has to stay as it is.
 */
export async function recoverRecording(
  recorder: Recorder,
  folder: string,
  files: Files,
  patienceMs = busyMs,
): Promise<RecordingManifest | undefined> {
  if ((await files.list(folder)).length === 0) return undefined;
  try {
    const connection = await recorder.connect();
    try {
      return await recoverWhenFree(connection, folder, patienceMs);
    } finally {
      connection.dispose();
    }
  } catch (error) {
    const coded = toCodedError(error);
    // The folder was made, and nothing was recorded into it.
    if (coded.code === 'sourceNotFound') return undefined;
    const manifest = await readManifest(folder, files);
    if (manifest && manifest.state !== 'recording') return manifest;
    throw coded;
  }
}

async function recoverWhenFree(
  connection: RecorderConnection,
  folder: string,
  patienceMs: number,
): Promise<RecordingManifest> {
  for (let leftMs = patienceMs; ; leftMs -= busyEveryMs) {
    try {
      return await connection.recover(folder);
    } catch (error) {
      const isBusy = error instanceof CodedError && error.code === 'invalidState';
      if (!isBusy || leftMs <= 0) throw error;
    }
    await delay(busyEveryMs);
  }
}
