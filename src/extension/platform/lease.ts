/**
 * The single-writer lease: at most one living process holds a name at a time.
 * Invariant: a lease is never taken from a process that lives and beats; a dead holder's lease can be taken at once.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, utimes, stat } from 'node:fs/promises';
import { uptime } from 'node:os';
import { dirname } from 'node:path';
import * as z from 'zod';
import { CodedError, toCodedError } from '../../shared/errors.ts';
import { isProcessAlive, processIdentity } from './processes.ts';

const recordSchema = z.object({
  pid: z.number().int().positive(),
  /** Tells the holder from a later process with its id; absent where the system does not say. */
  identity: z.string().optional(),
  token: z.string(),
  host: z.string(),
});
type LeaseRecord = z.infer<typeof recordSchema>;

export interface LeaseOptions {
  readonly path: string;
  /** What tells two machines with a shared home apart: a process id means nothing on the other. */
  readonly host: string;
  readonly heartbeatMs?: number;
  /** A holder on another host, or one whose file cannot be read, is dead after this long without a beat. */
  readonly staleMs?: number;
}

export class Lease {
  readonly #options: Required<LeaseOptions>;
  readonly #token: string;
  readonly #timer: NodeJS.Timeout;

  private constructor(options: Required<LeaseOptions>, token: string) {
    this.#options = options;
    this.#token = token;
    this.#timer = setInterval(() => void this.#beat(), options.heartbeatMs);
    this.#timer.unref();
  }

  /** Throws `leaseTaken` while another living process holds it. */
  static async acquire(given: LeaseOptions): Promise<Lease> {
    const options = { heartbeatMs: 2000, staleMs: 15_000, ...given };
    try {
      await mkdir(dirname(options.path), { recursive: true });
      const identity = await processIdentity(process.pid);
      const record: LeaseRecord = { pid: process.pid, identity, token: randomUUID(), host: options.host };
      // Two attempts: the first may find the lease of a dead process, which is moved aside for the second.
      for (let attempt = 0; attempt < 2; attempt++) {
        if (await createExclusively(options.path, record)) return new Lease(options, record.token);
        await clearIfDead(options);
      }
    } catch (error) {
      throw toCodedError(error, 'ioError');
    }
    throw new CodedError('leaseTaken', 'Another window is recording.');
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    // Only the holder releases: after a take-over the file belongs to somebody else.
    if ((await readRecord(this.#options.path))?.token === this.#token) await rm(this.#options.path, { force: true });
  }

  async #beat(): Promise<void> {
    const now = new Date();
    await utimes(this.#options.path, now, now).catch(() => undefined);
  }
}

/** True while some living process holds the lease at this path. */
export async function isLeaseHeld(options: LeaseOptions): Promise<boolean> {
  const facts = await stat(options.path).catch(() => undefined);
  return facts !== undefined && !(await isDead({ heartbeatMs: 2000, staleMs: 15_000, ...options }));
}

async function createExclusively(path: string, record: LeaseRecord): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(JSON.stringify(record));
      await file.sync();
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Moves a dead holder's file away. The rename decides between two processes that both found the holder dead;
 * what was moved is looked at again, because the other may have put its own lease there in between.
 */
async function clearIfDead(options: Required<LeaseOptions>): Promise<void> {
  const found = await readRecord(options.path);
  if (!(await isDead(options))) return;
  const aside = `${options.path}.${randomUUID()}`;
  try {
    await rename(options.path, aside);
  } catch {
    return;
  }
  if ((await readRecord(aside))?.token === found?.token) await rm(aside, { force: true });
  else await rename(aside, options.path);
}

async function isDead(options: Required<LeaseOptions>): Promise<boolean> {
  const record = await readRecord(options.path);
  const facts = await stat(options.path).catch(() => undefined);
  if (!facts) return true;
  const silentMs = Date.now() - facts.mtimeMs;
  if (record?.host !== options.host) return silentMs > options.staleMs;
  if (!isProcessAlive(record.pid)) return true;
  // Ids are given again, after a restart of the machine and sooner in a container.
  if (record.identity !== undefined) return (await processIdentity(record.pid)) !== record.identity;
  return silentMs > uptime() * 1000;
}

async function readRecord(path: string): Promise<LeaseRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    // Torn or missing: the heartbeat's age decides.
    return undefined;
  }
}
