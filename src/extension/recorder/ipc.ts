/** What the extension and its recorder process say to each other: numbered calls of library functions, answers, and library events. */
import * as z from 'zod';

/** One call of the library; `handle` where the function takes one. */
export const libraryCallSchema = z.discriminatedUnion('name', [
  z.object({ name: z.literal('sources') }),
  z.object({ name: z.literal('permissions'), request: z.unknown() }),
  z.object({ name: z.literal('create'), config: z.unknown() }),
  z.object({ name: z.literal('start'), handle: z.number() }),
  z.object({ name: z.literal('pause'), handle: z.number() }),
  z.object({ name: z.literal('resume'), handle: z.number() }),
  z.object({ name: z.literal('addSource'), handle: z.number(), request: z.unknown() }),
  z.object({ name: z.literal('removeSource'), handle: z.number(), request: z.unknown() }),
  z.object({ name: z.literal('setLayout'), handle: z.number(), request: z.unknown() }),
  z.object({ name: z.literal('updateAudioMix'), handle: z.number(), balance: z.number() }),
  z.object({ name: z.literal('takeScreenshot'), handle: z.number(), request: z.unknown() }),
  z.object({ name: z.literal('status'), handle: z.number() }),
  z.object({ name: z.literal('stop'), handle: z.number() }),
  z.object({ name: z.literal('recover'), request: z.unknown() }),
  /** Both answer a job's number; its events follow until its outcome. */
  z.object({ name: z.literal('concatenateAudio'), request: z.unknown() }),
  z.object({ name: z.literal('mergeMedia'), request: z.unknown() }),
  z.object({ name: z.literal('cancelMedia'), job: z.number() }),
  /** Answers the process's monotonic clock; measures the offset between the two. */
  z.object({ name: z.literal('clock') }),
]);
export type LibraryCall = z.infer<typeof libraryCallSchema>;

export const toProcessSchema = z.object({ id: z.number().int(), call: libraryCallSchema });
export type ToProcess = z.infer<typeof toProcessSchema>;

const errorSchema = z.object({ code: z.string(), message: z.string() });
export const fromProcessSchema = z.discriminatedUnion('type', [
  /** The library is loaded and speaks our version. */
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('unusable'), error: errorSchema }),
  z.object({ type: z.literal('answer'), id: z.number().int(), json: z.unknown() }),
  z.object({ type: z.literal('failure'), id: z.number().int(), error: errorSchema }),
  z.object({ type: z.literal('event'), handle: z.number(), event: z.unknown() }),
  z.object({ type: z.literal('mediaEvent'), job: z.number(), event: z.unknown() }),
]);
export type FromProcess = z.infer<typeof fromProcessSchema>;
