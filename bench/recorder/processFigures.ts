/** What Linux says of a process in /proc: the processor time it took, the memory it had at most, and who its children are. */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ, in which the kernel tells times to programs: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Seconds of processor time, in the program and in the kernel, of the process and of the children it has waited for. */
export function cpuSeconds(pid: number): number {
  return parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/** proc(5): the name may hold spaces and brackets, so fields are counted after its last bracket; utime is the 14th. */
export function parseCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).map(Number);
  const sum = ticks.reduce((total, value) => total + value, 0);
  if (ticks.length < 4 || Number.isNaN(sum)) throw new Error(`Not a line of /proc/PID/stat: ${stat}`);
  return sum / ticksPerSecond;
}

/** The most memory that was resident at once, in megabytes (10^6). */
export function peakMegabytes(pid: number): number {
  const kibibytes = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kibibytes === undefined) throw new Error(`The kernel does not say how much memory process ${pid} had.`);
  return (Number(kibibytes) * 1024) / 1e6;
}

/** The newest child of this process whose command line holds the words. */
export function childNamed(words: string): number {
  const found = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isChild(pid, words));
  if (found.length === 0) throw new Error(`No child process runs ${words}.`);
  return Math.max(...found);
}

function isChild(pid: number, words: string): boolean {
  try {
    const parent = /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(parent) === process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(words);
  } catch {
    // It ended while we looked.
    return false;
  }
}
