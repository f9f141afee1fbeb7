/**
 * The recorder process's entry: loads the library, answers the extension's calls and forwards the library's events.
 * When the extension goes away, recordings are finished and the process ends: a closed window loses nothing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { toCodedError } from '../../shared/errors.ts';
import { createdSchema, jobSchema, libraryErrorSchema } from '../../shared/recorder/library.ts';
import { type FromProcess, type LibraryCall, toProcessSchema } from './ipc.ts';
import { LibraryBinding } from './libraryBinding.ts';

/** How long one wait for an event lasts; the library answers at once when one is there. */
const eventWaitMs = 10_000;

const recordings = new Set<number>();
/** Jobs that run, each with the end of its events. */
const mediaJobs = new Map<number, Promise<void>>();

main(process.argv[2] ?? '');

function main(libraryPath: string): void {
  let binding: LibraryBinding;
  try {
    binding = LibraryBinding.open(libraryPath);
  } catch (error) {
    send({ type: 'unusable', error: plainError(error) });
    process.disconnect();
    return;
  }
  process.on('message', (message) => void answer(binding, message));
  process.on('disconnect', () => void finish(binding));
  // A terminal's Ctrl+C reaches the whole group; the extension decides when recording ends.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => void finish(binding));
  send({ type: 'ready' });
}

async function answer(binding: LibraryBinding, message: unknown): Promise<void> {
  const parsed = toProcessSchema.safeParse(message);
  if (!parsed.success) return;
  const { id, call } = parsed.data;
  try {
    const json =
      call.name === 'clock' ? { monotonicMs: Number(process.hrtime.bigint()) / 1e6 } : await binding.call(call);
    const failure = libraryErrorSchema.safeParse(json);
    if (failure.success) {
      send({ type: 'failure', id, error: failure.data.error });
      // A recorder that did not start would hold its folder for as long as this process lives.
      if (call.name === 'start') forget(binding, call.handle);
      return;
    }
    follow(binding, call, json);
    send({ type: 'answer', id, json });
  } catch (error) {
    send({ type: 'failure', id, error: plainError(error) });
  }
}

/** A recording's events are read from its creation to its stop. */
function follow(binding: LibraryBinding, call: LibraryCall, json: unknown): void {
  if (call.name === 'create') {
    const { handle } = createdSchema.parse(json);
    recordings.add(handle);
    // A wait that fails ends the forwarding; the calls go on and report what is wrong themselves.
    forwardEvents(binding, handle).catch(() => undefined);
  } else if (call.name === 'stop') {
    forget(binding, call.handle);
  } else if (call.name === 'concatenateAudio' || call.name === 'mergeMedia') {
    const { job } = jobSchema.parse(json);
    const ended = forwardMediaEvents(binding, job).catch(() => undefined);
    mediaJobs.set(
      job,
      ended.then(() => void mediaJobs.delete(job)),
    );
  }
}

function forget(binding: LibraryBinding, handle: number): void {
  recordings.delete(handle);
  void binding.destroy(handle);
}

const eventTypeSchema = z.object({ type: z.string() });

async function forwardEvents(binding: LibraryBinding, handle: number): Promise<void> {
  while (recordings.has(handle)) {
    const askedAtMs = performance.now();
    const event = await binding.nextEvent(handle, eventWaitMs);
    const type = eventTypeSchema.safeParse(event);
    // An error means that the handle is gone: nothing more will come.
    if (!type.success) return;
    // A recorder that has stopped by itself answers at once; its stop is still to be asked for.
    if (type.data.type === 'none' && performance.now() - askedAtMs < 100) await delay(500);
    if (type.data.type !== 'none') send({ type: 'event', handle, event });
  }
}

/** Until the outcome, with which the library forgets the job. */
async function forwardMediaEvents(binding: LibraryBinding, job: number): Promise<void> {
  for (;;) {
    const event = await binding.nextMediaEvent(job, eventWaitMs);
    const type = eventTypeSchema.safeParse(event).data?.type;
    if (type === undefined) return;
    if (type !== 'none') send({ type: 'mediaEvent', job, event });
    if (type !== 'none' && type !== 'progress') return;
  }
}

async function finish(binding: LibraryBinding): Promise<void> {
  // What is cancelled takes its unfinished file away.
  for (const job of mediaJobs.keys()) void binding.call({ name: 'cancelMedia', job }).catch(() => undefined);
  for (const handle of recordings) {
    recordings.delete(handle);
    await binding.call({ name: 'stop', handle }).catch(() => undefined);
  }
  await Promise.all(mediaJobs.values());
  // A wait for events may still hold a thread; everything that was recorded is on the disk.
  process.exit(0);
}

function send(message: FromProcess): void {
  // The channel may close at any moment; then nobody is left to be told.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

function plainError(error: unknown): { code: string; message: string } {
  const { code, message } = toCodedError(error);
  return { code, message };
}
