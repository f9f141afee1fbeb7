/** What the editor did, as events on the session's clock, and the chunks that hold them. */
import * as z from 'zod';
import { idSchema, offsetMsSchema, sha256Schema, timestampSchema } from './identifiers.ts';

export const maxActivityEventsPerChunk = 200;

/** A file as the user knows it: relative to its workspace folder, or absolute where it lies outside of all of them. */
export const fileReferenceSchema = z.object({
  /** Forward slashes on every system. */
  path: z.string().min(1).max(1000),
  /** Name of the workspace folder; absent for a file outside of all of them. */
  workspace: z.string().max(200).optional(),
  /** Where it can be opened again, for example `file:///work/a.ts`. */
  uri: z.string().max(2000),
});
export type FileReference = z.infer<typeof fileReferenceSchema>;

/** A changed range, in lines after the change, counted from 0; `endLine` is included. */
export const editedRangeSchema = z.object({
  startLine: z.number().int().min(0),
  endLine: z.number().int().min(0),
  charactersAdded: z.number().int().min(0),
  charactersRemoved: z.number().int().min(0),
});
export type EditedRange = z.infer<typeof editedRangeSchema>;

const eventBase = {
  id: idSchema,
  sequenceNumber: z.number().int().min(0),
  timestamp: timestampSchema,
  offsetMs: offsetMsSchema,
};

export const activityEventSchema = z.discriminatedUnion('kind', [
  z.object({ ...eventBase, kind: z.literal('fileFocused'), file: fileReferenceSchema, line: z.number().int().min(0) }),
  z.object({
    ...eventBase,
    kind: z.literal('edit'),
    file: fileReferenceSchema,
    ranges: z.array(editedRangeSchema).min(1).max(100),
    /** Why the editor says the text changed; absent where it does not say. */
    reason: z.enum(['undo', 'redo']).optional(),
  }),
  z.object({ ...eventBase, kind: z.literal('save'), file: fileReferenceSchema, line: z.number().int().min(0) }),
  /** Written when the pause ends: `durationMs` is wall-clock time, of which media time knows nothing. */
  z.object({ ...eventBase, kind: z.literal('paused'), durationMs: z.number().min(0) }),
  z.object({
    ...eventBase,
    kind: z.literal('problem'),
    /** Which recording service it concerns. */
    service: z.enum(['video', 'audio', 'screenshots', 'activity', 'recorder']),
    message: z.string().max(500),
  }),
]);
export type ActivityEvent = z.infer<typeof activityEventSchema>;

/** An event as an observer reports it, before it gets its number and time. */
export type ActivityEventBody = DistributiveOmit<ActivityEvent, keyof typeof eventBase>;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export const sessionActivityChunkSchema = z.object({
  sessionId: idSchema,
  chunkIndex: z.number().int().min(0),
  events: z.array(activityEventSchema).max(maxActivityEventsPerChunk),
  checksum: sha256Schema,
  createdAt: timestampSchema,
});
export type SessionActivityChunk = z.infer<typeof sessionActivityChunkSchema>;
