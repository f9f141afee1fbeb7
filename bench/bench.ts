/**
 * `npm run bench`: measures what the extension costs, and beside it what its peers cost on the same work.
 *
 *   npm run bench                      every bench
 *   npm run bench -- recorder          one bench, or several
 *   npm run bench -- --json FILE       the rows as JSON too
 *   npm run bench -- --seconds 60      how long each recording lasts
 *   npm run bench -- --seeds 1,2,3     which workloads, one run of each recorder on each
 *   npm run bench -- --long            sound against picture after ten minutes too
 *   npm run bench -- --vsix FILE       measures this package instead of building one
 *
 * Exit code 0 when everything could be measured, whether or not the goals hold.
 */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { Resources, TemporaryFolder } from '../scripts/editor/resources.ts';
import { packageExtension } from '../scripts/package.ts';
import { capture } from '../scripts/process.ts';
import { chooseBenches } from './benches.ts';
import { parseFlags } from './flags.ts';
import type { MeasuredRow } from './report/rows.ts';
import { tableOf } from './report/table.ts';

const began = performance.now();
const say = (text: string): void => {
  console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)} s  ${text}`);
};

// Each folder and program that is open removes itself when this process exits; an editor is a dozen of them.
process.setMaxListeners(40);
const resources = new Resources();
resources.disposeOnExit();
try {
  await main();
} catch (error) {
  say(`FAILED: ${explain(error)}`);
  process.exitCode = 1;
} finally {
  await resources.dispose();
}

async function main(): Promise<void> {
  const { names, json, vsix: given, seconds, seeds, long } = parseFlags(process.argv.slice(2));
  const chosen = chooseBenches(names);
  say(machine());
  if (given === undefined) say('Building and packaging');
  const vsix = given === undefined ? await packageExtension() : resolve(given);
  const folder = resources.use(new TemporaryFolder('bench-vsix'));
  await capture('unzip', ['-q', vsix, 'extension/*', '-d', folder.path]);
  const extension = join(folder.path, 'extension');

  const rows: MeasuredRow[] = [];
  const failures: string[] = [];
  for (const [name, bench] of chosen) {
    say(`Bench ${name}`);
    try {
      rows.push(...(await bench({ vsix, extension, seconds, seeds, long, say, resources })));
    } catch (error) {
      // The others can still be measured.
      failures.push(name);
      say(`FAILED: ${name}: ${explain(error)}`);
    }
  }
  console.log(`\n${machine()}\n\n${tableOf(rows)}\n`);
  if (json !== undefined) {
    const plain = rows.map(({ row }) => row);
    await writeFile(json, `${JSON.stringify(plain, undefined, 2)}\n`);
    say(`Rows: ${resolve(json)}`);
  }
  if (failures.length > 0) throw new Error(`Not measured: ${failures.join(', ')}.`);
}

/** What the figures were taken on, and how busy it is now. */
function machine(): string {
  const cores = cpus();
  const load = loadavg()[0]?.toFixed(1) ?? '?';
  return `${cores.length} cores, ${cores[0]?.model.trim() ?? 'unknown'}; ${process.platform} ${process.arch}, Node ${process.versions.node}; load ${load}`;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n           because: ${explain(error.cause)}`;
}
