/** The gate for everything read from disk: JSON, then the schema, then a clear error that names the file. */
import type * as z from 'zod';
import { CodedError } from '../../shared/errors.ts';

export function parseStored<T extends z.ZodType>(schema: T, data: Buffer, path: string): z.infer<T> {
  return checkStored(schema, parseStoredJson(data, path), path);
}

export function parseStoredJson(data: Buffer, path: string): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch (error) {
    throw new CodedError('damaged', `${path} is not valid JSON. It is left as it is.`, { cause: error });
  }
}

export function checkStored<T extends z.ZodType>(schema: T, json: unknown, path: string): z.infer<T> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  throw new CodedError('damaged', `${path} does not fit its schema at "${where}": ${issue?.message ?? ''}`, {
    cause: parsed.error,
  });
}
