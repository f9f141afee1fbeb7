/** Measures how close our video is to the screen: a lossless capture of the same display runs beside it. */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { OwnedProcess, Resources, TemporaryFolder } from '../../scripts/editor/resources.ts';
import { capture } from '../../scripts/process.ts';
import { WorkScreen, type WorkScreenOptions } from '../workload/workScreen.ts';
import { losslessCapture } from './ffmpeg.ts';
import { beginOurs } from './ours.ts';

/** Structural similarity over all planes (Wang et al., 2004; ffmpeg's filter `ssim`), the mean over the capture's frames. */
export async function measureSimilarity(
  extension: string,
  options: WorkScreenOptions,
  owner: Resources,
): Promise<number> {
  const resources = owner.use(new Resources());
  try {
    const screen = resources.use(await WorkScreen.open(options));
    const folder = resources.use(new TemporaryFolder('bench'));
    const recorded = join(folder.path, 'recorded');
    await mkdir(recorded);
    const ours = resources.use(await beginOurs(extension, { display: screen.display, folder: recorded }));
    const truth = join(folder.path, 'truth.mkv');
    const ffmpeg = resources.use(new OwnedProcess('ffmpeg', losslessCapture(screen.display, truth)));
    await ffmpeg.line(/^frame=\s*[1-9]/, 15_000);
    await screen.play();
    const gone = once(ffmpeg.child, 'close');
    ffmpeg.child.kill('SIGINT');
    await gone;
    await ours.end();
    return await similarity(join(recorded, 'video-0001.mp4'), ours.firstFrameAtMs, truth);
  } finally {
    await resources.dispose();
  }
}

/** `truth` carries the wall clock; each of its frames is held against the one of `video` that was shown then. */
async function similarity(video: string, firstFrameAtMs: number, truth: string): Promise<number> {
  const began = await capture('ffprobe', [
    ...['-v', 'error', '-show_entries', 'format=start_time', '-of', 'csv=p=0', truth],
  ]);
  const aheadSeconds = firstFrameAtMs / 1000 - Number(began.toString('utf8'));
  const statistics = await capture('ffmpeg', [
    ...['-v', 'error', '-i', truth, '-itsoffset', aheadSeconds.toFixed(3), '-i', video, '-filter_complex'],
    // Our colours are BT.709 in limited range; the first input leads, the second is looked up.
    '[0:v]scale=out_color_matrix=bt709:out_range=tv,format=yuv420p[truth];[truth][1:v]ssim=stats_file=-',
    ...['-f', 'null', '-'],
  ]);
  return meanSimilarity(statistics.toString('utf8'));
}

/** From the lines `n:1 Y:0.99 U:0.99 V:0.99 All:0.99 (20.0)`. Throws when there are none. */
export function meanSimilarity(statistics: string): number {
  const values = [...statistics.matchAll(/\bAll:([\d.]+)/g)].map(([, value]) => Number(value));
  if (values.length === 0) throw new Error('No frames could be compared.');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
