/** Screenshot entries and the chunks of at most twenty that hold them. */
import * as z from 'zod';
import { idSchema, offsetMsSchema, perceptualHashSchema, sha256Schema, timestampSchema } from './identifiers.ts';

export const maxScreenshotsPerChunk = 20;

export const sessionScreenshotSchema = z.object({
  id: idSchema,
  sessionId: idSchema,
  timestamp: timestampSchema,
  offsetMs: offsetMsSchema,
  sequenceNumber: z.number().int().min(0),
  attachmentId: idSchema,
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  /** Bytes of the picture. */
  size: z.number().int().min(0),
  isDuplicate: z.boolean().optional(),
  duplicateOf: idSchema.optional(),
  perceptualHash: perceptualHashSchema.optional(),
});
export type SessionScreenshot = z.infer<typeof sessionScreenshotSchema>;

export const sessionScreenshotChunkSchema = z.object({
  sessionId: idSchema,
  chunkIndex: z.number().int().min(0),
  screenshots: z.array(sessionScreenshotSchema).max(maxScreenshotsPerChunk),
  /** Bytes of the pictures that the entries name. */
  compressedSize: z.number().int().min(0),
  /** SHA-256 of the entries' JSON. */
  checksum: sha256Schema,
  createdAt: timestampSchema,
});
export type SessionScreenshotChunk = z.infer<typeof sessionScreenshotChunkSchema>;
