/** What becomes of a running session when its window is reloaded, and when the extension host dies under it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { probeVideo } from '../../scripts/editor/media.ts';
import {
  assertVideoKept,
  changesOf,
  editFile,
  recorderPid,
  recordUntil,
  startSession,
  storedSession,
  useEditors,
} from './support.ts';

describe('A session that is running', () => {
  const openEditor = useEditors();

  it('is stored whole when its window is reloaded', async () => {
    const editor = await openEditor();
    const { workbench } = editor;
    await startSession(editor);
    await editFile(editor, 'tides.ts', '// before the reload');
    await recordUntil(editor, 4);
    const reloaded = workbench.page.waitForEvent('load');
    await workbench.run('Developer: Reload Window');
    await reloaded;
    await workbench.ready();

    const session = await storedSession(editor, 'completed');
    assert.deepEqual(changesOf(session), ['edit tides.ts', 'save tides.ts']);
    const [take] = session.takes;
    assert.ok(take, 'no video was stored');
    const { durationMs } = await probeVideo(take.path);
    const totalMs = session.metadata.totalDuration ?? 0;
    assert.ok(totalMs >= 4000, `only ${totalMs} ms are stored`);
    assert.ok(Math.abs(take.offsetMs + durationMs - totalMs) < 1500, `${durationMs} ms of video in ${totalMs} ms`);
    assert.ok(session.audio.length > 0, 'no sound was stored');

    await startSession(editor);
  });

  it('is recovered with its video, and the user told, when the extension host is killed', async () => {
    const editor = await openEditor();
    const { workbench } = editor;
    await startSession(editor);
    await editFile(editor, 'tides.ts', '// before the extension host dies');
    const seconds = 7;
    await recordUntil(editor, seconds);
    process.kill(parentOf(await recorderPid(editor)), 'SIGKILL');
    // A new host starts by itself or after a reload; both are how a person goes on.
    const reloaded = workbench.page.waitForEvent('load');
    await workbench.run('Developer: Reload Window');
    await reloaded;
    await workbench.ready();

    await workbench.waitForNotification(/recovered/i, 30_000);
    const session = await storedSession(editor, 'interrupted');
    assert.deepEqual(changesOf(session), ['edit tides.ts', 'save tides.ts']);
    await assertVideoKept(session, seconds);

    await startSession(editor);
  });
});

function parentOf(pid: number): number {
  const parent = /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  assert.ok(parent !== undefined && Number(parent) > 1, `process ${pid} has no parent`);
  return Number(parent);
}
