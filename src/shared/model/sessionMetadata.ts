/** SessionMetadata, schema version 2: what is known of a session without opening its chunks; under 10 KB on disk. */
import * as z from 'zod';
import { idSchema, timestampSchema } from './identifiers.ts';

export const sessionStatusSchema = z.enum(['active', 'paused', 'completed', 'interrupted']);
export type SessionStatus = z.infer<typeof sessionStatusSchema>;

/** What WAS recorded, as opposed to what the settings say today. */
export const recordedConfigSchema = z.object({
  screenshotsEnabled: z.boolean(),
  audioEnabled: z.boolean(),
  videoEnabled: z.boolean(),
  sourceType: z.enum(['display', 'window', 'webcam']),
  displayIds: z.array(z.string()).optional(),
  windowIds: z.array(z.string()).optional(),
});
export type RecordedConfig = z.infer<typeof recordedConfigSchema>;

export const sessionMetadataSchema = z.object({
  id: idSchema,
  name: z.string().min(1).max(200),
  description: z.string().max(2000).optional(),
  schemaVersion: z.literal(2),

  startTime: timestampSchema,
  endTime: timestampSchema.optional(),
  pauseTime: timestampSchema.optional(),
  resumeTime: timestampSchema.optional(),

  status: sessionStatusSchema,
  /** Milliseconds of media time: pauses left out. */
  totalDuration: z.number().min(0).optional(),

  screenshotsRef: z.string(),
  audioSegmentsRef: z.string(),
  activityRef: z.string(),
  summaryRef: z.string().optional(),
  videoRef: z.string().optional(),

  tags: z.array(z.string().max(60)).max(30),
  topicIds: z.array(z.string().max(60)).max(30),
  extractedTaskIds: z.array(idSchema).max(40),
  extractedNoteIds: z.array(idSchema).max(40),

  /** The folder or workspace that was open. */
  workspaceName: z.string().max(200).optional(),
  recordingConfig: recordedConfigSchema,
  /** What the list shows of a session without reading its chunks; filled in when it ends. */
  counts: z
    .object({
      screenshots: z.number().int().min(0),
      audioSegments: z.number().int().min(0),
      activityEvents: z.number().int().min(0),
      videoTakes: z.number().int().min(0),
    })
    .optional(),
  /** What went wrong while recording, in words that the user saw. */
  problems: z.array(z.string().max(300)).max(10).optional(),
});
export type SessionMetadata = z.infer<typeof sessionMetadataSchema>;
