/**
 * The bench `sync`: how far sound and picture of a recording lie apart, at the start, after three pauses and (`--long`)
 * after ten minutes. A flash and a beep come together each second, from a program of ours that knows when they were seen
 * and heard, and from ffplay playing a clip. Positive: the sound comes later than the picture.
 *
 * What ffplay gives holds its own error: it takes two buffers of its own (85 ms) for the way to the ear, while PulseAudio
 * says that 32 to 42 ms of its sound wait (measured with `pactl list sink-inputs`), so its sound is heard about 45 ms
 * before its picture, until a torn buffer delays it. The exact player shows what the recorder adds.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OwnedProcess, Resources, TemporaryFolder } from '../../scripts/editor/resources.ts';
import { Screen } from '../../scripts/editor/screen.ts';
import { Sound } from '../../scripts/editor/sound.ts';
import { capture, repositoryRoot } from '../../scripts/process.ts';
import { manifestSchema } from '../../src/shared/recorder/library.ts';
import type { BenchContext } from '../benches.ts';
import { type Goal, type MeasuredRow, measuredRow } from '../report/rows.ts';
import { workScreenSize } from '../workload/workScreen.ts';
import { beginFfmpeg, ultrafast } from './ffmpeg.ts';
import { beepTimes, flashTimes, nearest } from './flashesAndBeeps.ts';
import { beginOurs } from './ours.ts';
import type { RecordingRequest } from './recording.ts';

const startMs = 14_000;
const laterMs = 12_000;
const longMs = 600_000;
const pausedMs = 700;
const betweenPausesMs = 1_500;
/** Flashes that stand for a phase. */
const countInPhase = 8;

type Player = 'exact' | 'ffplay';
type Phase = 'start' | 'after 3 pauses' | 'after 10 minutes';

/** A flash and its beep in a recording; what really was between them, and when, as far as the player tells. */
interface Pair {
  readonly flashMs: number;
  readonly beepMs: number;
}
interface Measured {
  readonly apart: number[];
  /** How late each alone is in the file, against the clock. */
  readonly soundLate: number[];
  readonly pictureLate: number[];
}
type Phases = Partial<Record<Phase, Measured>>;

export async function syncBench(context: BenchContext): Promise<MeasuredRow[]> {
  const rows: MeasuredRow[] = [];
  for (const player of ['exact', 'ffplay'] as const) {
    const ours = await recordOurs(player, context);
    const peer = await recordPeer(player, context);
    for (const [phase, measured] of Object.entries(ours)) {
      const name = player === 'exact' ? 'sound later than picture' : 'sound later than picture, ffplay';
      const other = peer[phase as Phase];
      context.say(`${name}, ${phase}: ours ${list(measured.apart)}; ffmpeg ${list(other?.apart ?? [])}`);
      rows.push(
        measuredRow({
          what: `${name}, ${phase}; peer ffmpeg x11grab and pulse`,
          unit: 'ms',
          ours: measured.apart,
          ...(other ? { peer: other.apart } : {}),
          goal: everyOneWithin(40, measured.apart),
        }),
      );
      if (player === 'ffplay') continue;
      context.say(`sound later than heard: ${list(measured.soundLate)}; picture: ${list(measured.pictureLate)}`);
      rows.push(measuredRow({ what: `sound later than heard, ${phase}`, unit: 'ms', ours: measured.soundLate }));
      rows.push(measuredRow({ what: `picture later than painted, ${phase}`, unit: 'ms', ours: measured.pictureLate }));
    }
  }
  return rows;
}

/** The recording begins while the sink is idle, and the player after it. */
async function recordOurs(player: Player, { extension, long, resources: owner }: BenchContext): Promise<Phases> {
  return await onStage(owner, async (request, folder, resources) => {
    const recording = resources.use(await beginOurs(extension, request));
    const playing = await Playing.start(player, long, request, folder, resources);
    await sleep(startMs);
    const pauses: { from: number; to: number }[] = [];
    for (let count = 0; count < 3; count++) {
      const from = await recording.pause();
      await sleep(pausedMs);
      pauses.push({ from, to: await recording.resume() });
      await sleep(betweenPausesMs);
    }
    await sleep(laterMs);
    if (long) await sleep(longMs);
    // What is played from now on is not recorded any more.
    const played = [...playing.pairs];
    await recording.end();
    const mediaMs = (atMs: number): number =>
      atMs -
      recording.startedAtMonotonicMs -
      pauses.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(atMs, to) - from), 0);

    const manifest = manifestSchema.parse(JSON.parse(await readFile(join(request.folder, 'manifest.json'), 'utf8')));
    const found: { flashes: number[]; beeps: number[] } = { flashes: [], beeps: [] };
    for (const { path, offsetMs } of manifest.takes) {
      found.flashes.push(...(await flashTimes(join(request.folder, path))).map((atMs) => atMs + offsetMs));
    }
    for (const { path, offsetMs } of manifest.segments) {
      found.beeps.push(...(await beepTimes(join(request.folder, path))).map((atMs) => atMs + offsetMs));
    }
    const truth = played.map((pair) => ({ flashMs: mediaMs(pair.flashMs), beepMs: mediaMs(pair.beepMs) }));
    const pausedUntilMs = mediaMs(pauses.at(-1)?.to ?? NaN) + 500;
    return measure(found, player === 'exact' ? truth : undefined, pausedUntilMs, long);
  });
}

async function recordPeer(player: Player, { long, resources: owner }: BenchContext): Promise<Phases> {
  return await onStage(owner, async (request, folder, resources) => {
    const recording = resources.use(await beginFfmpeg(ultrafast, request));
    const playing = await Playing.start(player, long, request, folder, resources);
    // ffmpeg knows no pauses; it records as long as ours.
    const seconds = (startMs + 3 * (pausedMs + betweenPausesMs) + laterMs + (long ? longMs : 0)) / 1000;
    await sleep(seconds * 1000);
    await recording.end();
    const file = join(request.folder, 'peer.mov');
    const found = { flashes: await flashTimes(file), beeps: await beepTimes(file) };
    // Its file does not say when it began; what lay between flash and beep is known all the same.
    const measured = measure(found, undefined, startMs, long);
    const own = playing.pairs.map(({ flashMs, beepMs }) => beepMs - flashMs).sort((a, b) => a - b);
    const known = own[Math.floor(own.length / 2)] ?? 0;
    for (const phase of Object.values(measured)) phase.apart.forEach((apart, at) => (phase.apart[at] = apart - known));
    return measured;
  });
}

/** A screen, a sound server and a folder, gone afterwards. */
async function onStage(
  owner: Resources,
  act: (request: RecordingRequest, folder: string, resources: Resources) => Promise<Phases>,
): Promise<Phases> {
  const resources = owner.use(new Resources());
  try {
    const screen = resources.use(await Screen.open(workScreenSize));
    const sound = resources.use(await Sound.open());
    const folder = resources.use(new TemporaryFolder('sync')).path;
    await mkdir(join(folder, 'recorded'));
    return await act(
      { display: screen.display, folder: join(folder, 'recorded'), sound: sound.env },
      folder,
      resources,
    );
  } finally {
    await resources.dispose();
  }
}

/** Something that flashes and beeps each second. */
class Playing {
  /** Monotonic milliseconds; empty where the player does not tell. */
  readonly pairs: Pair[] = [];

  static async start(
    player: Player,
    long: boolean,
    { display, sound }: RecordingRequest,
    folder: string,
    resources: Resources,
  ): Promise<Playing> {
    const env = { ...process.env, ...sound, DISPLAY: display, SDL_AUDIODRIVER: 'pulse' };
    const seconds = (long ? longMs : 0) / 1000 + 60;
    const playing = new Playing();
    if (player === 'ffplay') {
      const clip = join(folder, 'clip.mov');
      await makeClip(clip, seconds);
      const look = ['-noborder', '-left', '0', '-top', '0', '-nostats', '-loglevel', 'error'];
      resources.use(new OwnedProcess('ffplay', [...look, clip], { env }));
      return playing;
    }
    const program = join(folder, 'flashAndBeep');
    const source = join(repositoryRoot, 'bench/recorder/flashAndBeep.c');
    await capture('cc', ['-O2', '-o', program, source, '-lX11', '-lpulse', '-lm']);
    const running = resources.use(new OwnedProcess(program, [String(seconds)], { env }));
    let rest = '';
    running.child.stdout?.on('data', (data: Buffer) => {
      const lines = (rest + data.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [flashMs = NaN, beepMs = NaN] = line.split(' ').map(Number);
        playing.pairs.push({ flashMs, beepMs });
      }
    });
    return playing;
  }
}

/** White and 1 kHz in the first 0.3 s of every second, so that a recorder that drops frames sees them too. */
async function makeClip(path: string, seconds: number): Promise<void> {
  const isOn = 'lt(mod(t,1),0.3)';
  await capture('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', `color=black:s=640x360:r=50:d=${seconds}`],
    ...['-f', 'lavfi', '-i', `aevalsrc='if(gte(t,1)*${isOn},0.5*cos(2*PI*1000*t),0)':s=48000:d=${seconds}`],
    ...['-vf', `drawbox=c=white:t=fill:enable='gte(t,1)*${isOn}'`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'pcm_s16le', path],
  ]);
}

function measure(
  found: { readonly flashes: readonly number[]; readonly beeps: readonly number[] },
  truth: readonly Pair[] | undefined,
  pausedUntilMs: number,
  long: boolean,
): Phases {
  const measured = (expected: readonly Pair[]): Measured => {
    const phase: Measured = { apart: [], soundLate: [], pictureLate: [] };
    for (const pair of expected) {
      const flashMs = nearest(found.flashes, pair.flashMs);
      const beepMs = nearest(found.beeps, pair.beepMs);
      if (flashMs === undefined || beepMs === undefined) continue;
      phase.apart.push(beepMs - flashMs - (pair.beepMs - pair.flashMs));
      phase.soundLate.push(beepMs - pair.beepMs);
      phase.pictureLate.push(flashMs - pair.flashMs);
    }
    if (phase.apart.length < countInPhase - 2) {
      throw new Error(`Of ${expected.length} flashes with a beep only ${phase.apart.length} were recorded.`);
    }
    return phase;
  };
  const expected = truth ?? found.flashes.map((atMs) => ({ flashMs: atMs, beepMs: atMs }));
  const later = expected.filter(({ flashMs }) => flashMs > pausedUntilMs);
  return {
    start: measured(expected.slice(0, countInPhase)),
    'after 3 pauses': measured(later.slice(0, countInPhase)),
    // The last ones may have been cut by the end.
    ...(long ? { 'after 10 minutes': measured(later.slice(-countInPhase - 2, -2)) } : {}),
  };
}

function everyOneWithin(limit: number, values: readonly number[]): Goal {
  return { words: `every one within ${limit} ms`, holds: () => values.every((value) => Math.abs(value) <= limit) };
}

function list(values: readonly number[]): string {
  return values.map((value) => value.toFixed(1)).join(' ');
}
