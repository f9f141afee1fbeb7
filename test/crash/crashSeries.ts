/**
 * Kills recorders (SIGKILL) at random moments of a recording, recovers what is left, and looks at it with ffmpeg: every
 * take and segment decodes without an error, and all but the last 2.2 s of picture and sound is there.
 *
 *   npm run crash-series                              20 kills within 30 s
 *   npm run crash-series -- --kills 3 --seconds 8     what `npm test` does
 *   npm run crash-series -- --seed 7                  other moments and other work on the screen
 *
 * Prints a table; exit code 1 when one of them lost more.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { childNamed } from '../../bench/recorder/processFigures.ts';
import { tableOfColumns } from '../../bench/report/table.ts';
import { seededRandom } from '../../bench/workload/random.ts';
import { WorkScreen } from '../../bench/workload/workScreen.ts';
import { probeSound, writeChime } from '../../scripts/editor/media.ts';
import { OwnedProcess, Resources, TemporaryFolder } from '../../scripts/editor/resources.ts';
import { Sound } from '../../scripts/editor/sound.ts';
import { build } from '../../scripts/build.ts';
import { capture, repositoryRoot } from '../../scripts/process.ts';
import { systemClock } from '../../src/extension/platform/clock.ts';
import type { Logger } from '../../src/extension/platform/logger.ts';
import { libraryPathIn } from '../../src/extension/recorder/libraryPath.ts';
import { ProcessRecorder } from '../../src/extension/recorder/processRecorder.ts';
import type { RecorderConfig } from '../../src/shared/recorder/library.ts';

/** A fragment and a segment's tail are synced every 2 s; the rest is for the writing itself. */
const mostLostMs = 2200;
/** Between two files, and before the first: the first picture and the first sound take a moment. */
const mostHoleMs = 500;
/** A recording that has just begun has nothing to lose yet. */
const earliestKillMs = 1000;

interface Outcome {
  readonly killedAtMs: number;
  readonly keptVideoMs: number;
  readonly keptSoundMs: number;
  readonly toldLostMs: number;
  /** What ffmpeg complained of. */
  readonly complaints: string;
}

const resources = new Resources();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '20' },
      seconds: { type: 'string', default: '30' },
      seed: { type: 'string', default: '1' },
    },
  });
  const [kills, seconds, seed] = [Number(values.kills), Number(values.seconds), Number(values.seed)];
  if (!(kills >= 1 && seconds >= 2 && Number.isSafeInteger(seed))) {
    throw new Error('--kills has to be at least 1, --seconds at least 2, --seed a whole number.');
  }
  await build();
  const sound = resources.use(await Sound.open());
  process.env.PULSE_SERVER = sound.env.PULSE_SERVER;
  const music = resources.use(new TemporaryFolder('crash-music'));
  const musicPath = join(music.path, 'music.wav');
  await writeChime(musicPath, seconds + 20);

  const random = seededRandom(seed);
  const outcomes: Outcome[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const killAfterMs = random.between(earliestKillMs, seconds * 1000);
    outcomes.push(await killOne(seed + kill, seconds, killAfterMs, musicPath));
    console.log(rowOf(outcomes.at(-1), kill).join('  '));
  }
  console.log(`\n${tableOfColumns([heads, ...outcomes.map(rowOf)])}\n`);
  const failed = outcomes.filter((outcome) => !holds(outcome)).length;
  console.log(`${kills - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

async function killOne(seed: number, seconds: number, killAfterMs: number, musicPath: string): Promise<Outcome> {
  const owned = resources.use(new Resources());
  try {
    const screen = owned.use(await WorkScreen.open({ seed, seconds, still: false }));
    const folder = owned.use(new TemporaryFolder('crash'));
    owned.use(new OwnedProcess('paplay', ['--device=speakers', musicPath]));
    process.env.DISPLAY = screen.display;
    const recorder = new ProcessRecorder({
      processPath: join(repositoryRoot, 'dist/recorderProcess.cjs'),
      libraryPath: libraryPathIn(repositoryRoot),
      log: quietLog,
      clock: systemClock,
    });
    const connection = await recorder.connect();
    const [display] = (await connection.sources()).displays;
    if (!display) throw new Error(`The recorder sees no display on ${screen.display}.`);
    const directory = join(folder.path, 'recorded');
    await mkdir(directory);
    const gone = new Promise<void>((resolve) => connection.onDied(() => resolve()));
    const recording = await connection.record(configOf(directory, display.id));
    const pid = childNamed('recorderProcess.cjs');
    // It ends with the screen, in the middle of its work.
    screen.play().catch(() => undefined);
    const leftMs = killAfterMs - (systemClock.monotonicMs() - recording.startedAtMonotonicMs);
    await new Promise((resolve) => setTimeout(resolve, leftMs));
    const killedAtMs = systemClock.monotonicMs() - recording.startedAtMonotonicMs;
    process.kill(pid, 'SIGKILL');
    await gone;
    connection.dispose();
    return { killedAtMs, ...(await recovered(recorder, directory)) };
  } finally {
    await owned.dispose();
  }
}

async function recovered(recorder: ProcessRecorder, directory: string): Promise<Omit<Outcome, 'killedAtMs'>> {
  const connection = await recorder.connect();
  try {
    const { takes, segments, lostMs } = await connection.recover(directory);
    const complaints: string[] = [];
    // What ffmpeg decodes counts, not what the manifest says.
    const [pictures, sounds]: [Piece[], Piece[]] = [[], []];
    for (const { path, offsetMs } of takes) {
      complaints.push(await decode(join(directory, path)));
      pictures.push({ offsetMs, durationMs: await shownMs(join(directory, path)) });
    }
    for (const { path, offsetMs } of segments) {
      complaints.push(await decode(join(directory, path)));
      sounds.push({ offsetMs, durationMs: (await probeSound(join(directory, path))).durationMs });
    }
    const [keptVideoMs, keptSoundMs] = [keptFromStart(pictures), keptFromStart(sounds)];
    return { keptVideoMs, keptSoundMs, toldLostMs: lostMs ?? NaN, complaints: complaints.join(' ').trim() };
  } finally {
    connection.dispose();
  }
}

interface Piece {
  readonly offsetMs: number;
  readonly durationMs: number;
}

/** The end of what is there without a hole; what comes behind a hole does not count. */
function keptFromStart(pieces: readonly Piece[]): number {
  let endMs = 0;
  for (const { offsetMs, durationMs } of pieces.toSorted((one, other) => one.offsetMs - other.offsetMs)) {
    if (offsetMs > endMs + mostHoleMs) break;
    endMs = Math.max(endMs, offsetMs + durationMs);
  }
  return endMs;
}

/** How long a player shows a take; a still picture lasts much longer than the frame rate that packets are told with. */
async function shownMs(path: string): Promise<number> {
  const what = ['-select_streams', 'v:0', '-show_entries', 'stream=duration', '-of', 'csv=p=0'];
  return 1000 * Number((await capture('ffprobe', ['-v', 'error', ...what, path])).toString('utf8'));
}

/** What ffmpeg says against a file when it decodes all of it, each frame at its own time; empty when nothing. */
async function decode(path: string): Promise<string> {
  const timing = '-fps_mode passthrough -enc_time_base -1';
  try {
    const command = `exec ffmpeg -v error -xerror -i "$0" ${timing} -f null - 2>&1`;
    return (await capture('sh', ['-c', command, path])).toString('utf8');
  } catch (error) {
    return String(error);
  }
}

/** What recovery tells is a number, and no more than may be lost. */
function holds({ killedAtMs, keptVideoMs, keptSoundMs, toldLostMs, complaints }: Outcome): boolean {
  const lostMs = killedAtMs - Math.min(keptVideoMs, keptSoundMs);
  return complaints === '' && lostMs <= mostLostMs && toldLostMs >= 0 && toldLostMs <= mostLostMs;
}

const heads = ['kill', 'after ms', 'picture lost', 'sound lost', 'told lost', 'decodes', 'holds'];

function rowOf(outcome: Outcome | undefined, index: number): string[] {
  if (!outcome) return [];
  const { killedAtMs, keptVideoMs, keptSoundMs, toldLostMs, complaints } = outcome;
  const figures = [killedAtMs, killedAtMs - keptVideoMs, killedAtMs - keptSoundMs, toldLostMs];
  return [
    String(index + 1),
    ...figures.map((ms) => String(Math.round(ms))),
    complaints === '' ? 'yes' : complaints,
    holds(outcome) ? 'yes' : 'NO',
  ];
}

function configOf(outputDirectory: string, displayId: string): RecorderConfig {
  return {
    sessionId: 'crash',
    outputDirectory,
    video: {
      ...{ enabled: true, fps: 15, maxWidth: 1920, fragmentMs: 2000, quality: 0.6, layout: 'single' },
      sources: [{ id: 'screen', type: 'display', targetId: displayId }],
      ...{ excludedWindowIds: [], excludedApps: [], showCursor: true },
    },
    audio: {
      ...{ enabled: true, microphone: 'default', systemAudio: true, balance: 0.5, segmentMs: 30_000 },
      sampleRate: 48_000,
    },
    screenshots: { enabled: false, format: 'png', maxWidth: 1920 },
  };
}

const quietLog: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => console.error(message),
  error: (message, cause) => console.error(message, cause ?? ''),
};

resources.disposeOnExit();
try {
  await main();
} finally {
  await resources.dispose();
}
