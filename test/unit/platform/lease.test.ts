/** The lease: one holder among living processes, a dead one's lease can be taken; with real processes. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Lease, isLeaseHeld } from '../../../src/extension/platform/lease.ts';
import { processIdentity } from '../../../src/extension/platform/processes.ts';
import { temporaryFolder } from '../../fakes/temporaryFolder.ts';

describe('Lease', () => {
  const folder = temporaryFolder();
  const options = () => ({ path: join(folder(), 'recording.lease'), host: 'here' });
  const others: ChildProcess[] = [];
  afterEach(() => others.splice(0).forEach((other) => other.kill('SIGKILL')));

  /** A process that lives until it is killed. */
  async function anotherProcess(): Promise<ChildProcess> {
    const other = spawn(process.execPath, ['-e', 'process.stdout.write("up"); setInterval(() => {}, 1000)']);
    others.push(other);
    await once(other.stdout, 'data');
    return other;
  }
  const writtenBy = (pid: number, host = 'here') =>
    writeFile(options().path, JSON.stringify({ pid, token: 'theirs', host }));

  it('has one holder', async () => {
    const lease = await Lease.acquire(options());
    await assert.rejects(Lease.acquire(options()), { code: 'leaseTaken' });
    assert.equal(await isLeaseHeld(options()), true);
    await lease.release();
    assert.equal(await isLeaseHeld(options()), false);
    await (await Lease.acquire(options())).release();
  });

  it('goes to exactly one of many that ask at once', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => Lease.acquire(options())));
    const held = asked.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    assert.equal(held.length, 1);
    await held[0]?.release();
  });

  it('is not taken from a process that lives, and is taken from one that was killed', async () => {
    const other = await anotherProcess();
    await writtenBy(other.pid ?? 0);
    await assert.rejects(Lease.acquire(options()), { code: 'leaseTaken' });
    other.kill('SIGKILL');
    await once(other, 'exit');
    await (await Lease.acquire(options())).release();
  });

  it('is taken when the holder’s id belongs to another process now', async () => {
    const other = await anotherProcess();
    const record = { pid: other.pid ?? 0, identity: 'another boot 1', token: 'theirs', host: 'here' };
    await writeFile(options().path, JSON.stringify(record));
    await (await Lease.acquire(options())).release();
    const alive = { ...record, identity: await processIdentity(record.pid) };
    await writeFile(options().path, JSON.stringify(alive));
    await assert.rejects(Lease.acquire(options()), { code: 'leaseTaken' });
  });

  it('of another machine, or one that cannot be read, is taken only when it has not beaten for long', async () => {
    for (const write of [() => writtenBy(1, 'elsewhere'), () => writeFile(options().path, '{"pid"')]) {
      await write();
      await assert.rejects(Lease.acquire(options()), { code: 'leaseTaken' });
      const longAgo = new Date(Date.now() - 60_000);
      await utimes(options().path, longAgo, longAgo);
      await (await Lease.acquire(options())).release();
    }
  });

  it('is released by its holder alone', async () => {
    const lease = await Lease.acquire(options());
    const other = await anotherProcess();
    await writtenBy(other.pid ?? 0);
    await lease.release();
    assert.equal(await isLeaseHeld(options()), true);
  });
});
