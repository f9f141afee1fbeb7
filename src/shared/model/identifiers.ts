/** Names that end up in paths: checked here before they meet a file system. */
import * as z from 'zod';

/** A session's or attachment's id: a lower-case UUID, so that it can be a file name on every system. */
export const idSchema = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'must be a lower-case UUID');

/** SHA-256 as 64 lower-case hex digits. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits');

/** A 64-bit perceptual hash as 16 lower-case hex digits. */
export const perceptualHashSchema = z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 lower-case hex digits');

/** Wall-clock time, ISO 8601 in UTC with milliseconds, as `Date.toISOString` writes it. */
export const timestampSchema = z.iso.datetime();

/** Media time: milliseconds since the session's start with pauses left out. */
export const offsetMsSchema = z.number().min(0);
