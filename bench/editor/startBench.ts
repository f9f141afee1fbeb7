/** The bench `start`: how long it takes to record, from the command in the editor, and from a new recorder process. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Resources, TemporaryFolder } from '../../scripts/editor/resources.ts';
import type { BenchContext } from '../benches.ts';
import { ffmpegFirstFrameMs } from '../recorder/ffmpeg.ts';
import { beginOurs } from '../recorder/ours.ts';
import { type MeasuredRow, measuredRow, under } from '../report/rows.ts';
import { WorkScreen } from '../workload/workScreen.ts';
import { MeasuringEditor } from './measuringEditor.ts';

const samples = 7;
const goal = under(500, 'ms');

export async function startBench(context: BenchContext): Promise<MeasuredRow[]> {
  return [...(await inTheEditor(context)), ...(await alone(context))];
}

async function inTheEditor(context: BenchContext): Promise<MeasuredRow[]> {
  const editor = await MeasuringEditor.open(context, (storageRoot) => ({ kind: 'start', samples, storageRoot }));
  try {
    const { samples: starts } = await editor.answer('start', samples * 20_000);
    for (const { firstFrameMs, onDiskMs, activeMs } of starts) {
      context.say(
        `start: first frame ${firstFrameMs.toFixed(0)} ms, on disk ${onDiskMs.toFixed(0)} ms, active ${activeMs} ms`,
      );
    }
    const row = (what: string, figure: keyof (typeof starts)[number]): MeasuredRow =>
      measuredRow({ what, unit: 'ms', ours: starts.map((start) => start[figure]), goal });
    return [
      row('command Start to the first frame, in the editor', 'firstFrameMs'),
      row('command Start to the first frame on disk, in the editor', 'onDiskMs'),
      row('command Start to a session that is active, in the editor', 'activeMs'),
    ];
  } finally {
    await editor.dispose();
  }
}

/** Ours and the peer in turn, on one screen that stands still. */
async function alone(context: BenchContext): Promise<MeasuredRow[]> {
  const resources = context.resources.use(new Resources());
  try {
    const folder = resources.use(new TemporaryFolder('bench'));
    const screen = resources.use(await WorkScreen.open({ seed: 1, seconds: 1, still: true }));
    const [frames, disks, peers]: [number[], number[], number[]] = [[], [], []];
    for (let sample = 1; sample <= samples; sample++) {
      const recorded = join(folder.path, String(sample));
      await mkdir(recorded);
      const recording = await beginOurs(context.extension, { display: screen.display, folder: recorded });
      try {
        frames.push(recording.firstFrameMs);
        disks.push(await recording.firstOnDiskMs());
        await recording.end();
      } finally {
        await recording.dispose();
      }
      peers.push(await ffmpegFirstFrameMs(screen.display));
    }
    const [what, unit] = ['new recorder process to the first frame', 'ms'];
    return [
      measuredRow({ what: `${what}; peer ffmpeg ultrafast`, unit, ours: frames, peer: peers, goal }),
      measuredRow({ what: `${what} on disk`, unit, ours: disks, goal }),
    ];
  } finally {
    await resources.dispose();
  }
}
