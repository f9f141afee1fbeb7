/** The main job, as `npm start` shows it, in a real editor on a real screen. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { recordSession, reviewSession } from '../../scripts/editor/tour.ts';
import { checksOf, measure } from '../../scripts/editor/tourReport.ts';
import { picturesFolder, useEditors } from './support.ts';

describe('A session recorded and reviewed in the editor', () => {
  const openEditor = useEditors();

  it('is stored whole, plays with its sound, and seeks where the timeline says', async () => {
    const editor = await openEditor();
    const steps = { seconds: 15, out: join(picturesFolder, 'tour'), onStep: () => undefined };
    const session = await recordSession(editor, steps);
    const review = await reviewSession(editor, session, steps);
    const measured = await measure(session, editor.storageRoot, review, steps.out);
    const failed = checksOf(measured, session, review, steps.seconds).filter(({ holds }) => !holds);
    assert.deepEqual(failed, []);
  });
});
