/** The bench `recorder`: what recording a 1080p screen costs, ours and ffmpeg's in turn on the same strokes. */
import { loadavg } from 'node:os';
import type { BenchContext } from '../benches.ts';
import { atLeast, atMost, atMostOfPeer, type MeasuredRow, measuredRow, under } from '../report/rows.ts';
import { beginFfmpeg, ultrafast, veryfast } from './ffmpeg.ts';
import { measureRun, type RunFigures } from './measure.ts';
import { beginOurs } from './ours.ts';
import { measureSimilarity } from './quality.ts';
import type { BeginRecording } from './recording.ts';

type Figures = Readonly<Record<string, readonly RunFigures[]>>;

/** A still screen and sound change nothing from minute to minute: half a minute of each says enough. */
const shortSeconds = 30;

export async function recorderBench(context: BenchContext): Promise<MeasuredRow[]> {
  const ours: BeginRecording = async (request) => await beginOurs(context.extension, request);
  const fast: BeginRecording = async (request) => await beginFfmpeg(ultrafast, request);
  const small: BeginRecording = async (request) => await beginFfmpeg(veryfast, request);
  const seconds = Math.min(context.seconds, shortSeconds);

  const coding = await inTurn(context, 'coding', { ours, ultrafast: fast, veryfast: small });
  const still = await inTurn({ ...context, seconds }, 'still', { ours, ultrafast: fast });
  const sound = await inTurn({ ...context, seconds }, 'sound', { ours, ultrafast: fast });
  const grid = await inTurn({ ...context, seconds }, 'still', {
    ours: async (request) => await beginOurs(context.extension, request, { patterns: 4 }),
  });
  const screenshotMs = await measureScreenshots({ ...context, seconds });
  const loaded = await inTurn({ ...context, seconds }, 'loaded', { ours, ultrafast: fast });
  const similarity = await similarities({ ...context, seconds });
  return [
    ...codingRows(coding),
    similarity,
    ...loadedRows(loaded),
    ...stillRows(still),
    ...soundRows(sound),
    ...gridRows(grid),
    measuredRow({
      what: 'screenshot of a coding screen, 1080p',
      unit: 'ms',
      ours: screenshotMs,
      goal: under(60, 'ms'),
    }),
  ];
}

async function similarities({ seeds, seconds, say, extension, resources }: BenchContext): Promise<MeasuredRow> {
  const ours: number[] = [];
  for (const seed of seeds) {
    const found = await measureSimilarity(extension, { seed, seconds, still: false }, resources);
    ours.push(found);
    say(`coding, seed ${seed}, ${seconds} s, ours beside a lossless capture: SSIM ${found.toFixed(4)}`);
  }
  return measuredRow({ what: 'SSIM against a lossless capture, coding', unit: '', ours, goal: atLeast(0.97) });
}

/** Seed by seed, each recorder once: what else the machine does meanwhile falls on all of them. */
async function inTurn(
  { seeds, seconds, say, resources }: BenchContext,
  scene: 'coding' | 'still' | 'sound' | 'loaded',
  recorders: Readonly<Record<string, BeginRecording>>,
): Promise<Figures> {
  const figures: Record<string, RunFigures[]> = {};
  for (const seed of seeds) {
    for (const [name, begin] of Object.entries(recorders)) {
      const options = { seed, seconds, still: scene === 'still', sound: scene === 'sound', loaded: scene === 'loaded' };
      const run = await measureRun(begin, options, resources);
      (figures[name] ??= []).push(run);
      const cost = `${run.cores.toFixed(3)} of a core, ${run.megabytesPerHour.toFixed(1)} MB/h, ${run.peakMegabytes.toFixed(0)} MB memory`;
      const load = loadavg()[0]?.toFixed(1) ?? '?';
      say(`${scene}, seed ${seed}, ${seconds} s, ${name}: ${cost} (load ${load})`);
    }
  }
  return figures;
}

function codingRows(figures: Figures): MeasuredRow[] {
  const pick = pickFrom(figures);
  return [
    measuredRow({
      what: 'CPU, coding, 1080p15; peer ffmpeg ultrafast',
      unit: 'cores',
      ...pick('cores'),
      goal: atMostOfPeer(0.5, 'ffmpeg'),
    }),
    measuredRow({ what: 'CPU of the X server, coding; peer ffmpeg', unit: 'cores', ...pick('serverCores') }),
    measuredRow({
      what: 'peak memory, coding; peer ffmpeg ultrafast',
      unit: 'MB',
      ...pick('peakMegabytes'),
      goal: atMost(150, 'MB'),
    }),
    measuredRow({ what: 'bytes, coding; peer ffmpeg ultrafast', unit: 'MB/h', ...pick('megabytesPerHour') }),
    measuredRow({
      what: 'bytes, coding; peer ffmpeg veryfast crf 23',
      unit: 'MB/h',
      ...pick('megabytesPerHour', 'veryfast'),
      goal: atMostOfPeer(1, 'ffmpeg'),
    }),
    measuredRow({ what: 'CPU, coding; peer ffmpeg veryfast crf 23', unit: 'cores', ...pick('cores', 'veryfast') }),
    measuredRow({
      what: 'dropped frames, coding; peer ffmpeg ultrafast',
      unit: '%',
      ...pick('droppedPercent'),
      goal: under(0.1, '%'),
    }),
    measuredRow({
      what: 'stop to everything finished; peer ffmpeg ultrafast',
      unit: 'ms',
      ...pick('endMs'),
      goal: under(1000, 'ms'),
    }),
  ];
}

function loadedRows(figures: Figures): MeasuredRow[] {
  return [
    measuredRow({
      what: 'dropped frames, coding, every core busy with something else; peer ffmpeg ultrafast',
      unit: '%',
      ...pickFrom(figures)('droppedPercent'),
      goal: under(0.1, '%'),
    }),
  ];
}

function stillRows(figures: Figures): MeasuredRow[] {
  const pick = pickFrom(figures);
  return [
    measuredRow({
      what: 'CPU, still screen; peer ffmpeg ultrafast',
      unit: 'cores',
      ...pick('cores'),
      goal: atMostOfPeer(0.03, 'ffmpeg'),
    }),
    measuredRow({ what: 'CPU of the X server, still; peer ffmpeg', unit: 'cores', ...pick('serverCores') }),
    measuredRow({ what: 'bytes, still screen; peer ffmpeg ultrafast', unit: 'MB/h', ...pick('megabytesPerHour') }),
    measuredRow({
      what: 'peak memory, still; peer ffmpeg ultrafast',
      unit: 'MB',
      ...pick('peakMegabytes'),
      goal: atMost(150, 'MB'),
    }),
    measuredRow({
      what: 'dropped frames, still; peer ffmpeg ultrafast',
      unit: '%',
      ...pick('droppedPercent'),
      goal: under(0.1, '%'),
    }),
  ];
}

function soundRows(figures: Figures): MeasuredRow[] {
  const pick = pickFrom(figures);
  return [
    measuredRow({ what: 'CPU, coding with sound; peer ffmpeg with pulse', unit: 'cores', ...pick('cores') }),
    measuredRow({
      what: 'peak memory, coding with sound; peer ffmpeg with pulse',
      unit: 'MB',
      ...pick('peakMegabytes'),
      goal: atMost(150, 'MB'),
    }),
    measuredRow({
      what: 'dropped frames, coding with sound; peer ffmpeg with pulse',
      unit: '%',
      ...pick('droppedPercent'),
      goal: under(0.1, '%'),
    }),
  ];
}

/** Four test patterns of 1920x1080 at 15 fps, all moving, in one picture of the same size. */
function gridRows(figures: Figures): MeasuredRow[] {
  const ours = (figure: keyof RunFigures) => (figures['ours'] ?? []).map((run) => run[figure]);
  return [
    measuredRow({
      what: 'CPU, four sources in a grid, 1080p15',
      unit: 'cores',
      ours: ours('cores'),
      goal: under(1, 'cores'),
    }),
    measuredRow({ what: 'peak memory, four sources in a grid', unit: 'MB', ours: ours('peakMegabytes') }),
    measuredRow({
      what: 'dropped frames, four sources in a grid',
      unit: '%',
      ours: ours('droppedPercent'),
      goal: under(0.1, '%'),
    }),
  ];
}

/** From the call to the synced file, over the process's channel, once a second while somebody codes. */
async function measureScreenshots({ extension, seeds, seconds, say, resources }: BenchContext): Promise<number[]> {
  const found: number[] = [];
  for (const seed of seeds) {
    let timer: NodeJS.Timeout | undefined;
    const begin: BeginRecording = async (request) => {
      const recording = await beginOurs(extension, request, { screenshots: true });
      timer = setInterval(() => {
        void recording.takeScreenshot().then((ms) => {
          if (ms !== undefined) found.push(ms);
        });
      }, 1000);
      return {
        pid: recording.pid,
        firstFrameMs: recording.firstFrameMs,
        end: async () => {
          clearInterval(timer);
          return await recording.end();
        },
        dispose: async () => {
          clearInterval(timer);
          await recording.dispose();
        },
      };
    };
    const { cores } = await measureRun(begin, { seed, seconds, still: false, sound: false, loaded: false }, resources);
    say(`screenshots, seed ${seed}, ${seconds} s: ${found.length} so far, ${cores.toFixed(3)} of a core`);
  }
  return found;
}

function pickFrom(figures: Figures) {
  return (figure: keyof RunFigures, peer = 'ultrafast'): { ours: number[]; peer: number[] } => ({
    ours: (figures['ours'] ?? []).map((run) => run[figure]),
    peer: (figures[peer] ?? []).map((run) => run[figure]),
  });
}
