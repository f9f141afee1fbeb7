/** Audio segments and the chunks that group them. */
import * as z from 'zod';
import { idSchema, offsetMsSchema, sha256Schema, timestampSchema } from './identifiers.ts';

export const maxAudioSegmentsPerChunk = 20;

export const sessionAudioSegmentSchema = z.object({
  id: idSchema,
  sessionId: idSchema,
  timestamp: timestampSchema,
  offsetMs: offsetMsSchema,
  /** Seconds. */
  duration: z.number().min(0),
  /** Empty until the segment was transcribed. */
  transcription: z.string(),
  attachmentId: idSchema,
  speakerConfidence: z.number().min(0).max(1).optional(),
  noiseLevel: z.number().min(0).optional(),
  /** True for silence. */
  isEmpty: z.boolean().optional(),
  /** Largest sample, 0 to 1. */
  peak: z.number().min(0).max(1),
});
export type SessionAudioSegment = z.infer<typeof sessionAudioSegmentSchema>;

export const sessionAudioChunkSchema = z.object({
  sessionId: idSchema,
  chunkIndex: z.number().int().min(0),
  segments: z.array(sessionAudioSegmentSchema).max(maxAudioSegmentsPerChunk),
  /** Seconds, the sum over the segments. */
  totalDuration: z.number().min(0),
  checksum: sha256Schema,
  createdAt: timestampSchema,
});
export type SessionAudioChunk = z.infer<typeof sessionAudioChunkSchema>;
