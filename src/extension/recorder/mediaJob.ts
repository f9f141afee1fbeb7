/** One media job of the library, from its call to its outcome: progress on the way, and an abort that is a cancel. */
import { deferred } from '../../shared/deferred.ts';
import { type MediaResult, jobSchema, mediaEventSchema } from '../../shared/recorder/library.ts';
import type { LibraryCall } from './ipc.ts';
import { type ProcessChannel, libraryError } from './processChannel.ts';
import type { MediaJobOptions } from './recorder.ts';

const callTimeoutMs = 6000;

type MediaCall = Extract<LibraryCall, { name: 'concatenateAudio' | 'mergeMedia' }>;

/** Rejects with a library code, `recorderDied`, or what the signal was aborted with. */
export async function runMediaJob(
  channel: ProcessChannel,
  call: MediaCall,
  { signal, onProgress }: MediaJobOptions = {},
): Promise<MediaResult> {
  signal?.throwIfAborted();
  const outcome = deferred<MediaResult>();
  // It may fail while the call's own answer is still awaited.
  outcome.promise.catch(() => undefined);
  let job: number | undefined;
  const early: [number, unknown][] = [];
  const take = (json: unknown): void => {
    const event = mediaEventSchema.safeParse(json).data;
    // A newer library may tell more than this version knows.
    if (event?.type === 'progress') onProgress?.(event.fraction);
    else if (event?.type === 'finished') outcome.resolve(event);
    else if (event?.type === 'failed') outcome.reject(libraryError(event.error));
    else if (event?.type === 'cancelled') outcome.reject(abortReason(signal));
  };
  const subscriptions = [
    // The first events can come before it is known which job they are of.
    channel.onMediaEvent((of, event) => {
      if (job === undefined) early.push([of, event]);
      else if (of === job) take(event);
    }),
    channel.onDied((error) => outcome.reject(error)),
  ];
  const cancel = (): void => {
    if (job !== undefined) channel.call({ name: 'cancelMedia', job }, callTimeoutMs).catch(() => undefined);
  };
  signal?.addEventListener('abort', cancel);
  try {
    const number = jobSchema.parse(await channel.call(call, callTimeoutMs)).job;
    job = number;
    for (const [of, event] of early) if (of === number) take(event);
    if (signal?.aborted) cancel();
    const { path, durationMs, bytes, copiedTakes, encodedTakes } = await outcome.promise;
    return {
      ...{ path, durationMs, bytes },
      ...(copiedTakes !== undefined && { copiedTakes }),
      ...(encodedTakes !== undefined && { encodedTakes }),
    };
  } finally {
    signal?.removeEventListener('abort', cancel);
    for (const subscription of subscriptions) subscription.dispose();
  }
}

function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new DOMException('The media job was cancelled.', 'AbortError');
}
