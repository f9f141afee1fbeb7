/** The bench `activation`: how long the editor waits for the extension, and for one that does nothing. */
import type { BenchContext } from '../benches.ts';
import { type MeasuredRow, measuredRow } from '../report/rows.ts';
import { MeasuringEditor } from './measuringEditor.ts';

const samples = 9;

export async function activationBench(context: BenchContext): Promise<MeasuredRow[]> {
  const editor = await MeasuringEditor.open(context, () => ({ kind: 'activation' }));
  try {
    const answers = [];
    for (let sample = 1; sample <= samples; sample++) {
      // Each extension host activates an extension once.
      if (sample > 1) await editor.reload();
      const answer = await editor.answer('activation');
      const wall = `ours ${answer.ours.wallMs.toFixed(1)} ms, empty ${answer.empty.wallMs.toFixed(1)} ms`;
      context.say(`activation ${sample} of ${samples}: ${wall}`);
      answers.push(answer);
    }
    return [
      measuredRow({
        what: 'activation of the extension; peer an empty extension',
        unit: 'ms',
        ours: answers.map(({ ours }) => ours.wallMs),
        peer: answers.map(({ empty }) => empty.wallMs),
      }),
      measuredRow({
        what: 'processor time of the activation; peer an empty extension',
        unit: 'ms',
        ours: answers.map(({ ours }) => ours.cpuMs),
        peer: answers.map(({ empty }) => empty.cpuMs),
      }),
    ];
  } finally {
    await editor.dispose();
  }
}
