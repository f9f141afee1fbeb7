/** A recorder that is killed takes neither the editor nor the session with it. */
import assert from 'node:assert/strict';
import { ReviewPanel } from '../../scripts/editor/reviewPanel.ts';
import { waitFor } from '../../scripts/editor/waitFor.ts';
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

describe('A recorder killed in the middle of a session', () => {
  const openEditor = useEditors();

  it('leaves the editor running, the user told, and what was recorded stored and playable', async () => {
    const editor = await openEditor();
    const { workbench } = editor;
    await startSession(editor);
    await editFile(editor, 'tides.ts', '// before the recorder dies');
    const seconds = 9;
    await recordUntil(editor, seconds);
    process.kill(await recorderPid(editor), 'SIGKILL');
    const killed = performance.now();

    await workbench.waitForNotification(/what was recorded until then/i, 5000);
    const toldAfterMs = performance.now() - killed;
    assert.ok(toldAfterMs < 2000, `the user was told after ${Math.round(toldAfterMs)} ms`);
    const session = await storedSession(editor, 'interrupted');
    assert.deepEqual(changesOf(session), ['edit tides.ts', 'save tides.ts']);
    await assertVideoKept(session, seconds);

    const panel = await ReviewPanel.open(workbench, session.metadata.id);
    await panel.togglePlay();
    await waitFor('the video to play', async () => (await panel.playerState()).currentMs > 2000);
    await panel.togglePlay();

    await editFile(editor, 'harbours.ts', '// the editor goes on');
    await startSession(editor);
  });
});
