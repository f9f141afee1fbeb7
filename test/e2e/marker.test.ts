/** Frames and editor events share one clock: what an edit put on the screen is in the video at the edit's time. */
import assert from 'node:assert/strict';
import type { EditorRun } from '../../scripts/editor/editorRun.ts';
import type { StoredSession } from '../../scripts/editor/storedSession.ts';
import { type Area, firstChanged, framesOf } from './frames.ts';
import { endSession, recordUntil, startSession, useEditors } from './support.ts';

const allowedMs = 200;
/** Around the edit, the time in which its picture must appear and then stand still. */
const windowMs = 900;
const lines = 14;

describe('The picture of an edit', () => {
  const openEditor = useEditors();

  it('is in the video within 200 ms of the edit event, before a pause and after it', async () => {
    const editor = await openEditor({
      settings: { 'editor.cursorBlinking': 'solid', 'editor.occurrencesHighlight': 'off' },
    });
    const { workbench } = editor;
    await workbench.openFile('tides.ts');
    const area = await textArea(editor);
    await startSession(editor);
    await recordUntil(editor, 3);
    await pasteMarker(editor, '█');
    await recordUntil(editor, 6);
    await workbench.run('Work Sessions: Pause Session');
    await workbench.waitForStatus(/^Paused/);
    // Something that takes a while and must count for nothing.
    await workbench.runInTerminal('sleep 3; echo slept $((40 + 2))', /slept 42/);
    await workbench.run('View: Toggle Panel Visibility');
    await workbench.openFile('tides.ts');
    await workbench.run('Work Sessions: Resume Session');
    await workbench.waitForStatus(/^\d+:\d\d$/);
    await recordUntil(editor, 9);
    await pasteMarker(editor, '▒');
    await recordUntil(editor, 12);
    const session = await endSession(editor);

    const edits = session.activity.filter((event) => event.kind === 'edit');
    assert.equal(edits.length, 2, JSON.stringify(session.activity));
    const distances: number[] = [];
    for (const { offsetMs } of edits) distances.push((await shownAt(session, area, offsetMs)) - offsetMs);
    const seen = distances.map((distance) => Math.round(distance));
    console.log(`      pictures follow their edits by ${seen.join(' and ')} ms`);
    assert.ok(
      seen.every((distance) => Math.abs(distance) <= allowedMs),
      `${seen.join(' and ')} ms after the edit`,
    );
  });
});

/** Selects everything and puts a block of the character in its place: one edit that changes the whole area. */
async function pasteMarker({ workbench }: EditorRun, character: string): Promise<void> {
  await workbench.page.keyboard.press('Control+A');
  await workbench.paste(Array.from({ length: lines }, () => character.repeat(70)).join('\n'));
}

/** Where the block will be on the screen, in the video's pixels; even numbers, as H.264's colours need them. */
async function textArea({ workbench }: EditorRun): Promise<Area> {
  const box = await workbench.page.locator('.editor-group-container.active .view-lines').boundingBox();
  assert.ok(box);
  const [left, top] = await workbench.windowOrigin();
  const even = (value: number): number => Math.ceil(value / 2) * 2;
  return { x: even(box.x + left), y: even(box.y + top), width: 480, height: 200 };
}

async function shownAt(session: StoredSession, area: Area, offsetMs: number): Promise<number> {
  const take = session.takes.filter((each) => each.offsetMs <= offsetMs).at(-1);
  assert.ok(take, `no take holds ${offsetMs} ms`);
  const frames = await framesOf(take.path, area);
  const at = offsetMs - take.offsetMs;
  return take.offsetMs + firstChanged(frames, at - windowMs, at + windowMs).timeMs;
}
