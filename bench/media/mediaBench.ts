/** The bench `media`: 50 segments to one MP3, and half an hour of takes and sound to one MP4, ours and ffmpeg's in turn. */
import { statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TemporaryFolder } from '../../scripts/editor/resources.ts';
import { capture } from '../../scripts/process.ts';
import { systemClock } from '../../src/extension/platform/clock.ts';
import type { Logger } from '../../src/extension/platform/logger.ts';
import { libraryPathIn } from '../../src/extension/recorder/libraryPath.ts';
import { ProcessRecorder } from '../../src/extension/recorder/processRecorder.ts';
import type { BenchContext } from '../benches.ts';
import { childNamed, cpuSeconds } from '../recorder/processFigures.ts';
import { atMostTimesPeer, type MeasuredRow, measuredRow, under } from '../report/rows.ts';

const segmentCount = 50;
const segmentSeconds = 36;
const bitrateKbps = 128;
const rounds = 3;
const goal = atMostTimesPeer(1.2, 'ffmpeg');

interface Cost {
  readonly cpu: number;
  readonly wall: number;
  readonly megabytes: number;
}

export async function mediaBench({ extension, resources, say }: BenchContext): Promise<MeasuredRow[]> {
  const folder = resources.use(new TemporaryFolder('bench-media'));
  const file = (name: string): string => join(folder.path, name);
  say(`Making ${segmentCount} segments and ${(segmentCount * segmentSeconds) / 60} minutes of takes`);
  const segments = await makeSegments(file);
  const takes = await makeTakes(file);

  const connection = await new ProcessRecorder({
    processPath: join(extension, 'dist/recorderProcess.cjs'),
    libraryPath: libraryPathIn(extension),
    log: quietLog,
    clock: systemClock,
  }).connect();
  resources.use({
    dispose: () => {
      connection.dispose();
      return Promise.resolve();
    },
  });
  const pid = childNamed('recorderProcess.cjs');
  const ours = async (path: string, work: () => Promise<unknown>): Promise<Cost> => {
    const [cpu, began] = [cpuSeconds(pid), performance.now()];
    await work();
    return { cpu: cpuSeconds(pid) - cpu, wall: (performance.now() - began) / 1000, megabytes: megabytesOf(path) };
  };

  const figures = { sound: new Pair(), copy: new Pair(), whole: new Pair() };
  for (let round = 1; round <= rounds; round++) {
    const [mp3, movie] = [file('ours.mp3'), file('ours.mp4')];
    const [peerMp3, peerMovie] = [file('peer.mp3'), file('peer.mp4')];
    const encode = ['-c:a', 'libmp3lame', '-b:a', `${bitrateKbps}k`];
    const copy = ['-c:v', 'copy', '-movflags', '+faststart'];
    const joined = (name: string): string[] => ['-f', 'concat', '-safe', '0', '-i', file(name)];

    const sound = figures.sound;
    sound.ours.push(await ours(mp3, () => connection.concatenateAudio({ segments, outputPath: mp3, bitrateKbps })));
    sound.peer.push(await ffmpeg(peerMp3, [...joined('segments.txt'), ...encode]));
    figures.copy.ours.push(await ours(movie, () => connection.mergeMedia({ takes, audio: mp3, outputPath: movie })));
    const inputs = [...joined('takes.txt'), '-i', peerMp3];
    figures.copy.peer.push(await ffmpeg(peerMovie, [...inputs, '-c:a', 'copy', ...copy]));
    figures.whole.ours.push(
      await ours(movie, () => connection.mergeMedia({ takes, segments, outputPath: movie, bitrateKbps })),
    );
    const both = [...joined('takes.txt'), ...joined('segments.txt')];
    figures.whole.peer.push(await ffmpeg(peerMovie, [...both, ...encode, ...copy]));
    say(
      `media, round ${round}: ${Object.entries(figures)
        .map(([name, pair]) => `${name} ${pair.last}`)
        .join('; ')}`,
    );
  }
  return [
    ...rowsOf('50 segments (30 min) to MP3', figures.sound),
    ...rowsOf('merge 30 min by copying, sound encoded', figures.whole),
    measuredRow({
      what: 'merge 30 min by copying, wall',
      unit: 's',
      ...figures.copy.pick('wall'),
      goal: under(3, 's'),
    }),
    measuredRow({ what: 'merge 30 min by copying, CPU', unit: 's', ...figures.copy.pick('cpu'), goal }),
  ];
}

class Pair {
  readonly ours: Cost[] = [];
  readonly peer: Cost[] = [];

  pick(what: keyof Cost): { ours: number[]; peer: number[] } {
    return { ours: this.ours.map((cost) => cost[what]), peer: this.peer.map((cost) => cost[what]) };
  }

  get last(): string {
    return [this.ours.at(-1), this.peer.at(-1)].map((cost) => `${cost?.cpu.toFixed(2)} s`).join(' against ');
  }
}

function rowsOf(what: string, pair: Pair): MeasuredRow[] {
  return [
    measuredRow({ what: `${what}, CPU`, unit: 's', ...pair.pick('cpu'), goal }),
    measuredRow({ what: `${what}, wall`, unit: 's', ...pair.pick('wall'), goal }),
    measuredRow({ what: `${what}, bytes`, unit: 'MB', ...pair.pick('megabytes') }),
  ];
}

/** Runs ffmpeg; the shell tells what it took of the processors. */
async function ffmpeg(path: string, args: readonly string[]): Promise<Cost> {
  const began = performance.now();
  const script = 'TIMEFORMAT="%U %S"; time ffmpeg -v error -nostdin -y "$@"';
  const told = await capture('bash', ['-c', `{ ${script}; } 2>&1`, 'bench', ...args, path]);
  const [user = NaN, system = NaN] = told.toString('utf8').trim().split(' ').map(Number);
  return { cpu: user + system, wall: (performance.now() - began) / 1000, megabytes: megabytesOf(path) };
}

/** Something like speech: noise and a tone that swell and fade, different on both sides. */
async function makeSegments(file: (name: string) => string): Promise<Piece[]> {
  const seconds = segmentCount * segmentSeconds;
  const mix = '[0][1]amerge=inputs=2,pan=stereo|c0=c0+0.1*c1|c1=0.7*c0+0.2*c1,tremolo=f=0.4:d=0.9';
  await ffmpeg(file('all.wav'), [
    ...['-f', 'lavfi', '-i', `anoisesrc=d=${seconds}:c=pink:a=0.15:r=48000:seed=1`],
    ...['-f', 'lavfi', '-i', `sine=f=330:r=48000:d=${seconds}`, '-filter_complex', mix],
  ]);
  const pieces: Piece[] = [];
  for (let index = 0; index < segmentCount; index++) {
    const [path, from] = [file(`segment-${index}.wav`), index * segmentSeconds];
    await ffmpeg(path, ['-ss', String(from), '-t', String(segmentSeconds), '-i', file('all.wav'), '-c', 'copy']);
    pieces.push({ path, offsetMs: from * 1000 });
  }
  await writeList(file('segments.txt'), pieces);
  return pieces;
}

/** Three takes, as after two pauses of a display that changed: fragments of 2 s, no reordered frames. */
async function makeTakes(file: (name: string) => string): Promise<Piece[]> {
  const minutes = (segmentCount * segmentSeconds) / 60;
  const encoding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-crf', '30', '-pix_fmt', 'yuv420p'];
  await ffmpeg(file('minute.mp4'), ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=15:d=60', ...encoding]);
  const pieces: Piece[] = [];
  for (let index = 0; index < 3; index++) {
    const path = file(`take-${index}.mp4`);
    const fragments = ['-movflags', '+empty_moov+default_base_moof', '-frag_duration', '2000000'];
    await ffmpeg(path, ['-stream_loop', String(minutes / 3 - 1), '-i', file('minute.mp4'), '-c', 'copy', ...fragments]);
    pieces.push({ path, offsetMs: (index * minutes * 60_000) / 3 });
  }
  await writeList(file('takes.txt'), pieces);
  return pieces;
}

interface Piece {
  readonly path: string;
  readonly offsetMs: number;
}

async function writeList(path: string, pieces: readonly Piece[]): Promise<void> {
  await writeFile(path, pieces.map((piece) => `file '${piece.path}'\n`).join(''));
}

function megabytesOf(path: string): number {
  return statSync(path).size / 1e6;
}

const quietLog: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => console.error(message),
  error: (message, cause) => console.error(message, cause ?? ''),
};
