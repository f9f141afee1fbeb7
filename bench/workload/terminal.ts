/**
 * Plays the workload in the terminal that it is started in.
 *
 *   xterm -e node --import tsx bench/workload/terminal.ts --seed 1 --seconds 60
 *
 *   --seed N          which strokes (1)
 *   --seconds N       how long (60)
 *   --still           the first picture, and then nothing
 *   --log FILE        a JSON line for each thing done: {"atMs": wall clock, "kind", "text"}
 *   --control SOCKET  draws, says "ready" on the socket, waits for "go", and says "done" at the end
 */
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { strokes, type Stroke } from './strokes.ts';

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    still: { type: 'boolean', default: false },
    log: { type: 'string' },
    control: { type: 'string' },
  },
});
const endMs = Number(flags.seconds) * 1000;
if (flags.log) writeFileSync(flags.log, '');

const size = { columns: process.stdout.columns, rows: process.stdout.rows };
const work = strokes(Number(flags.seed), size);
draw(work.next().value);
const bench = flags.control === undefined ? undefined : await askToBegin(flags.control);
await play();
bench?.end('done\n');

async function play(): Promise<void> {
  const began = performance.now();
  for (const stroke of flags.still ? [] : work) {
    if (stroke.atMs >= endMs) break;
    // Times are counted from the beginning: a late stroke does not delay the ones after it.
    const waitMs = began + stroke.atMs - performance.now();
    if (waitMs > 0) await pause(waitMs);
    draw(stroke);
  }
  await pause(Math.max(0, began + endMs - performance.now()));
}

function draw({ write, event }: Stroke): void {
  process.stdout.write(write);
  if (event && flags.log) appendFileSync(flags.log, `${JSON.stringify({ atMs: Date.now(), ...event })}\n`);
}

async function askToBegin(path: string): Promise<Socket> {
  const socket = connect(path);
  await once(socket, 'connect');
  socket.write('ready\n');
  // The only thing that is ever said is "go".
  await once(socket, 'data');
  return socket;
}
