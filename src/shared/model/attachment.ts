/** An attachment: the user-facing name of an immutable blob that is stored under its SHA-256. */
import * as z from 'zod';
import { idSchema, sha256Schema, timestampSchema } from './identifiers.ts';

export const attachmentSchema = z.object({
  id: idSchema,
  contentHash: sha256Schema,
  /** `{contentHash}.dat` */
  storageKey: z.string(),
  refCount: z.number().int().min(0),
  referencedBy: z.array(idSchema),
  type: z.enum(['image', 'audio', 'video']),
  name: z.string().max(200),
  mimeType: z.string().max(100),
  /** Bytes. */
  size: z.number().int().min(0),
  width: z.number().int().positive().optional(),
  height: z.number().int().positive().optional(),
  /** Seconds. */
  duration: z.number().min(0).optional(),
  createdAt: timestampSchema,
  lastAccessedAt: timestampSchema,
});
export type Attachment = z.infer<typeof attachmentSchema>;
