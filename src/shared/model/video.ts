/** A session's video: its takes, in order, and where nothing could be recorded. */
import * as z from 'zod';
import { idSchema, offsetMsSchema, timestampSchema } from './identifiers.ts';

export const videoTakeSchema = z.object({
  index: z.number().int().min(1),
  attachmentId: idSchema,
  offsetMs: offsetMsSchema,
  durationMs: z.number().min(0),
  frames: z.number().int().min(0),
  /** 0 when a recovered take does not say it. */
  width: z.number().int().min(0),
  height: z.number().int().min(0),
  /** Bytes. */
  size: z.number().int().min(0),
});
export type VideoTake = z.infer<typeof videoTakeSchema>;

export const recordingGapSchema = z.object({
  service: z.enum(['video', 'audio', 'screenshots', 'activity', 'recorder']),
  /** The one source that is missing; left out when it is the whole service. */
  sourceId: z.string().max(500).optional(),
  fromMs: offsetMsSchema,
  toMs: offsetMsSchema,
  reason: z.string().max(500),
});
export type RecordingGap = z.infer<typeof recordingGapSchema>;

export const sessionVideoSchema = z.object({
  sessionId: idSchema,
  schemaVersion: z.literal(1),
  takes: z.array(videoTakeSchema),
  gaps: z.array(recordingGapSchema),
  /** Milliseconds of media time. */
  durationMs: z.number().min(0),
  /** Set when processing has made the one file that plays everywhere. */
  optimizedAttachmentId: idSchema.optional(),
  createdAt: timestampSchema,
});
export type SessionVideo = z.infer<typeof sessionVideoSchema>;
