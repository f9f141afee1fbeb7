/** What can be known of other processes of this machine. */
import { readFile } from 'node:fs/promises';

/** A process that belongs to another user lives too. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * What tells a process from a later one with the same id: the boot and the start time, from Linux's /proc (proc(5): the
 * 22nd field of stat). Nothing where the system does not say.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  try {
    const [boot, stat] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    // The second field is the program's name in parentheses, which may hold spaces and parentheses itself.
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return startTime === undefined ? undefined : `${boot.trim()} ${startTime}`;
  } catch {
    return undefined;
  }
}
