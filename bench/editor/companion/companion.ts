/** Measures inside the extension host, where VS Code's own interface is. Activated with "*", so before the extension under test. */
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { manifestSchema } from '../../../src/shared/recorder/library.ts';
import { waitFor } from '../../../scripts/editor/waitFor.ts';
import {
  type Activation,
  type Answer,
  resultVariable,
  type StartSample,
  type Task,
  taskSchema,
  taskVariable,
} from './measurement.ts';

const ours = 'work-sessions.work-sessions';
const empty = 'work-sessions.bench-empty';
/** Recorded between start and end, so that no session is cut off in its first fragment. */
const recordAtLeastMs = 500;
/** The editor starts what waits for its start to be finished after 10 s at the latest: then it is too late to measure. */
const settleTimeoutMs = 6000;

export async function activate(): Promise<void> {
  const [task, resultPath] = [process.env[taskVariable], process.env[resultVariable]];
  if (task === undefined || resultPath === undefined) return;
  const parsed = taskSchema.parse(JSON.parse(task));
  // Activations are waited for: the editor starts ours by itself as soon as this function is done.
  const work = answerTo(parsed).then(async (answer) => await write(resultPath, answer));
  if (parsed.kind === 'activation') await work;
}

async function answerTo(task: Task): Promise<Answer> {
  try {
    switch (task.kind) {
      case 'activation':
        return await measureActivations();
      case 'start':
        return { kind: 'start', samples: await measureStarts(task.samples, task.storageRoot) };
    }
  } catch (error) {
    return { kind: 'failure', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Which of the two comes first is left to chance, so that neither gains from it in the median. */
async function measureActivations(): Promise<Answer> {
  await editorSettled();
  const figures = new Map<string, Activation>();
  for (const id of Math.random() < 0.5 ? [ours, empty] : [empty, ours]) figures.set(id, await activation(id));
  const [own, peer] = [figures.get(ours), figures.get(empty)];
  if (!own || !peer) throw new Error('Not everything was activated.');
  return { kind: 'activation', ours: own, empty: peer };
}

async function activation(id: string): Promise<Activation> {
  const extension = vscode.extensions.getExtension(id);
  if (!extension) throw new Error(`${id} is not installed.`);
  if (extension.isActive) throw new Error(`${id} was active before it was measured.`);
  const began = performance.now();
  const before = process.cpuUsage();
  await extension.activate();
  const wallMs = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  return { wallMs, cpuMs: (user + system) / 1000 };
}

/** Waits until the other extensions that start with the editor leave the event loop mostly idle for a fifth of a second. */
async function editorSettled(): Promise<void> {
  let loop = performance.eventLoopUtilization();
  await waitFor(
    'the extension host to be idle',
    () => {
      const { utilization } = performance.eventLoopUtilization(loop);
      loop = performance.eventLoopUtilization();
      return utilization > 0 && utilization < 0.2;
    },
    { timeoutMs: settleTimeoutMs, everyMs: 200 },
  );
}

async function measureStarts(count: number, storageRoot: string): Promise<StartSample[]> {
  await vscode.extensions.getExtension(ours)?.activate();
  const samples: StartSample[] = [];
  while (samples.length < count) samples.push(await measureStart(join(storageRoot, 'recordings')));
  return samples;
}

/** Nothing looks at the disk until the command has settled: looking must not slow down what is measured. */
async function measureStart(recordings: string): Promise<StartSample> {
  const askedAtMs = Date.now();
  await vscode.commands.executeCommand('workSessions.start');
  const activeMs = Date.now() - askedAtMs;
  const { firstFrameAtMs, writtenAtMs } = await waitFor('the first frame on the disk', () => firstFrameIn(recordings), {
    timeoutMs: 15_000,
    everyMs: 20,
  });
  await new Promise((resolve) => setTimeout(resolve, recordAtLeastMs));
  await vscode.commands.executeCommand('workSessions.end');
  return { activeMs, firstFrameMs: firstFrameAtMs - askedAtMs, onDiskMs: writtenAtMs - askedAtMs };
}

/** The video is written fragment by fragment, seconds apart: until the second one, its time stamp is the first one's. */
async function firstFrameIn(recordings: string): Promise<{ firstFrameAtMs: number; writtenAtMs: number } | undefined> {
  for (const name of await readdir(recordings).catch(() => [])) {
    const folder = join(recordings, name);
    const text = await readFile(join(folder, 'manifest.json'), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const { startedAt, takes } = manifestSchema.parse(JSON.parse(text));
    const take = takes[0];
    if (!take || take.frames === 0) continue;
    const { mtimeMs } = await stat(join(folder, take.path));
    return { firstFrameAtMs: Date.parse(startedAt) + take.offsetMs, writtenAtMs: mtimeMs };
  }
  return undefined;
}

/** The bench waits for this name: it sees the whole answer or none. */
async function write(path: string, answer: Answer): Promise<void> {
  await writeFile(`${path}.partial`, JSON.stringify(answer));
  await rename(`${path}.partial`, path);
}
