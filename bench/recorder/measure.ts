/** Measures one recorder on one run of the workload: what it and the X server cost between the first frame and the end. */
import { mkdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { writeChime } from '../../scripts/editor/media.ts';
import { OwnedProcess, Resources, TemporaryFolder } from '../../scripts/editor/resources.ts';
import { Sound } from '../../scripts/editor/sound.ts';
import { WorkScreen, type WorkScreenOptions } from '../workload/workScreen.ts';
import { cpuSeconds, peakMegabytes } from './processFigures.ts';
import type { BeginRecording } from './recording.ts';

export interface RunOptions extends WorkScreenOptions {
  /** Plays music and records it. */
  readonly sound: boolean;
  /** Keeps every core busy with something else meanwhile. */
  readonly loaded: boolean;
}

export interface RunFigures {
  /** Processor seconds of the recorder for each recorded second: 1 is one core. */
  readonly cores: number;
  readonly serverCores: number;
  readonly peakMegabytes: number;
  readonly megabytesPerHour: number;
  readonly droppedPercent: number;
  readonly endMs: number;
}

/** The workload begins when the first frame is there, so every recorder sees the same strokes and no other ones. */
export async function measureRun(begin: BeginRecording, options: RunOptions, owner: Resources): Promise<RunFigures> {
  const resources = owner.use(new Resources());
  try {
    const screen = resources.use(await WorkScreen.open(options));
    const folder = resources.use(new TemporaryFolder('bench'));
    const recorded = join(folder.path, 'recorded');
    await mkdir(recorded);
    const sound = options.sound ? resources.use(await Sound.open()) : undefined;
    if (sound) await playMusic(sound, join(folder.path, 'music.wav'), options.seconds, resources);
    if (options.loaded) cpus().forEach(() => resources.use(busyLoop()));
    const recording = resources.use(await begin({ display: screen.display, folder: recorded, sound: sound?.env }));
    const used = (): [number, number] => [cpuSeconds(recording.pid), cpuSeconds(screen.serverPid)];
    const beganAtMs = performance.now();
    const before = used();
    await screen.play();
    const after = used();
    const seconds = (performance.now() - beganAtMs) / 1000;
    const peak = peakMegabytes(recording.pid);
    const { bytes, endMs, droppedPercent } = await recording.end();
    return {
      cores: (after[0] - before[0]) / seconds,
      serverCores: (after[1] - before[1]) / seconds,
      peakMegabytes: peak,
      megabytesPerHour: ((bytes / seconds) * 3600) / 1e6,
      droppedPercent,
      endMs,
    };
  } finally {
    await resources.dispose();
  }
}

function busyLoop(): OwnedProcess {
  return new OwnedProcess(process.execPath, ['-e', 'for (;;) {}']);
}

/** Longer than the recording, so that there is always something to hear. */
async function playMusic(sound: Sound, path: string, seconds: number, resources: Resources): Promise<void> {
  await writeChime(path, seconds + 20);
  resources.use(new OwnedProcess('paplay', ['--device=speakers', path], { env: { ...process.env, ...sound.env } }));
}
