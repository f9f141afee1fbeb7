/** What a machine can refuse: each time a clear message, and whatever else can be recorded is recorded. */
import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { EditorServer } from '../../scripts/editor/server.ts';
import { nativeLibraryFolder } from '../../scripts/build.ts';
import { capture } from '../../scripts/process.ts';
import {
  changesOf,
  editFile,
  endSession,
  recordingStatus,
  recordUntil,
  startSession,
  storedSession,
  useEditors,
} from './support.ts';
import { SmallDisk } from '../../scripts/editor/smallDisk.ts';

describe('Editor activity is recorded, and the user told what is not', () => {
  const openEditor = useEditors();
  let disk: SmallDisk | undefined;
  // After the editor that writes to it is gone: hooks run in the order in which they are made.
  afterEach(async () => {
    await disk?.dispose();
    disk = undefined;
  });

  it('without a display', async () => {
    const editor = await openEditor({ env: { DISPLAY: undefined } });
    await startSession(editor);
    await editor.workbench.waitForNotification(/screen|display/i);
    await editFile(editor, 'tides.ts', '// nobody sees this');
    const session = await endSession(editor);
    assert.deepEqual(changesOf(session), ['edit tides.ts', 'save tides.ts']);
    assert.deepEqual(session.takes, []);
    assert.equal(session.metadata.recordingConfig.videoEnabled, false);
  });

  it('without a sound server, with its video', async () => {
    const editor = await openEditor({ env: { PULSE_SERVER: 'unix:/nonexistent/pulse' } });
    await startSession(editor);
    await editor.workbench.waitForNotification(/sound|audio|microphone/i);
    await editFile(editor, 'tides.ts', '// nobody hears this');
    await recordUntil(editor, 3);
    const session = await endSession(editor);
    assert.deepEqual(changesOf(session), ['edit tides.ts', 'save tides.ts']);
    assert.equal(session.takes.length, 1);
    assert.deepEqual(session.audio, []);
  });

  it('without the native library', async () => {
    const editor = await openEditor({
      beforeStart: async (server) => {
        await rm(join(await installedExtension(server), nativeLibraryFolder), { recursive: true });
      },
    });
    await startSession(editor);
    const message = await editor.workbench.waitForNotification(/library/i);
    assert.match(message, /only the editor's activity is recorded/i);
    await editFile(editor, 'tides.ts', '// without a library');
    assert.deepEqual(changesOf(await endSession(editor)), ['edit tides.ts', 'save tides.ts']);
  });

  it('with a native library of another version', async () => {
    const editor = await openEditor({
      beforeStart: async (server) => {
        await buildLibraryOfTheFuture(join(await installedExtension(server), nativeLibraryFolder));
      },
    });
    await startSession(editor);
    const message = await editor.workbench.waitForNotification(/version|library/i);
    assert.match(message, /999/);
    await editFile(editor, 'tides.ts', "// with tomorrow's library");
    assert.deepEqual(changesOf(await endSession(editor)), ['edit tides.ts', 'save tides.ts']);
  });

  it('on a disk that fills: it warns, and ends the session while everything still fits', async () => {
    disk = await SmallDisk.mount(700);
    const editor = await openEditor({ userDataFolder: join(disk.path, 'user-data') });
    await startSession(editor);
    await editFile(editor, 'tides.ts', '// while there is room');
    await recordUntil(editor, 5);
    await disk.fill(300_000_000);
    await editor.workbench.waitForNotification(/almost full/i, 30_000);
    await editFile(editor, 'harbours.ts', '// while there is little');
    await disk.fill(90_000_000);
    await editor.workbench.waitForNotification(/was ended/i, 30_000);
    const session = await storedSession(editor, 'completed');
    assert.deepEqual(changesOf(session), ['edit tides.ts', 'save tides.ts', 'edit harbours.ts', 'save harbours.ts']);
    assert.ok(
      session.takes.some(({ durationMs }) => durationMs >= 5000),
      'the video before is lost',
    );
  });
});

describe('A session that cannot be stored anywhere', () => {
  const openEditor = useEditors();

  it('does not start and says why, and the editor goes on', async () => {
    const editor = await openEditor({
      // Root may write everywhere, so the folder is made impossible: its name is a file's.
      beforeStart: async ({ storageRoot }) => {
        await mkdir(dirname(storageRoot), { recursive: true });
        await writeFile(storageRoot, 'in the way');
      },
    });
    await editor.workbench.run('Work Sessions: Start Session');
    await editor.workbench.waitForNotification(/cannot write to/i);
    const status = await editor.workbench.status();
    assert.ok(status !== undefined && !recordingStatus.test(status), `the status bar says ${status}`);
    await editFile(editor, 'tides.ts', '// all the same');
  });
});

async function installedExtension({ installedExtensions }: EditorServer): Promise<string> {
  const name = (await readdir(installedExtensions)).find((entry) => entry.startsWith('work-sessions.work-sessions-'));
  assert.ok(name, 'the extension is not installed');
  return join(installedExtensions, name);
}

/** A library with our name that says it is of version 999 and can nothing. */
async function buildLibraryOfTheFuture(folder: string): Promise<void> {
  const source = '#include <stdint.h>\nuint32_t screen_recorder_abi_version(void) { return 999; }\n';
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
  const library = join(folder, 'libSessionRecorder.so');
  await capture('cc', ['-shared', '-fPIC', '-x', 'c', '-o', library, '-'], { input: source });
}
