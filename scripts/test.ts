/**
 * `npm test`: every kind of test, one after another, and one summary at the end. A failing stage does not stop the
 * others, so that one run tells everything.
 *
 *   npm test                       all of it
 *   npm test -- --only unit,e2e    some of it, while working
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { Resources } from './editor/resources.ts';
import { packageExtension } from './package.ts';
import { repositoryRoot } from './process.ts';

interface StageResult {
  readonly passed: number;
  readonly failed: number;
}
type Stage = () => Promise<StageResult>;

const logs = join(repositoryRoot, 'out/test');
const bin = (name: string): string => join(repositoryRoot, 'node_modules/.bin', name);

const stages: Record<string, Stage> = {
  lint: async () =>
    sum(await command('eslint', bin('eslint'), ['.']), await command('prettier', bin('prettier'), ['--check', '.'])),
  types: async () =>
    sum(
      await command('types', bin('tsc'), ['-p', '.']),
      await command('types-webviews', bin('tsc'), ['-p', 'src/webviews']),
    ),
  unit: async () => await mocha('unit', 'test/unit', 20_000),
  native: async () => await swiftTests(),
  recorder: async () => await mocha('recorder', 'test/recorder', 120_000),
  // Some kills of short recordings; `npm run crash-series` is the long form.
  crash: async () => {
    const args = ['test/crash/crashSeries.ts', '--kills', '3', '--seconds', '8'];
    return await command('crash', bin('tsx'), args, '.', ownCounts);
  },
  media: async () => await mocha('media', 'test/media', 60_000),
  webviews: async () => await mocha('webviews', 'test/webviews', 60_000),
  package: async () => await own('package', packageExtension),
  host: async () => await command('host', bin('tsx'), ['test/host/main.ts'], '.', ownCounts),
  e2e: async () => await mocha('e2e', 'test/e2e', 180_000),
};

const { values: flags } = parseArgs({ options: { only: { type: 'string' } } });
const wanted = flags.only?.split(',') ?? Object.keys(stages);
const resources = new Resources();
resources.disposeOnExit();
await mkdir(logs, { recursive: true });

const rows: { name: string; result: StageResult; seconds: number }[] = [];
for (const name of wanted) {
  const stage = stages[name];
  if (!stage) throw new Error(`There is no stage "${name}": ${Object.keys(stages).join(', ')}.`);
  console.log(`\n── ${name} ${'─'.repeat(Math.max(0, 70 - name.length))}`);
  const began = performance.now();
  rows.push({ name, result: await stage(), seconds: (performance.now() - began) / 1000 });
}
summarize();

function summarize(): void {
  console.log('\n── summary ────────────────────────────────────────────────────────────');
  for (const { name, result, seconds } of rows) {
    const verdict = result.failed > 0 ? 'FAILED' : 'ok';
    console.log(
      `${name.padEnd(10)} ${verdict.padEnd(7)} ${String(result.passed).padStart(5)} passed ${String(result.failed).padStart(4)} failed ${seconds.toFixed(1).padStart(7)} s`,
    );
  }
  const total = sum(...rows.map(({ result }) => result));
  console.log(`logs: ${relative(process.cwd(), logs)}\n`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  // A run in which nothing ran proves nothing.
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

/** Runs a program, shows and logs what it writes. Without `counts` its exit code is one test. */
async function command(
  name: string,
  program: string,
  args: readonly string[],
  folder = '.',
  counts: (output: string) => StageResult | undefined = () => undefined,
  env: NodeJS.ProcessEnv = {},
): Promise<StageResult> {
  const child = spawn(program, args, {
    cwd: join(repositoryRoot, folder),
    env: { ...process.env, ...env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  resources.use({
    dispose: async () => {
      // The program cleans up after itself when it is asked to end.
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'close');
      child.kill('SIGTERM');
      await gone;
    },
  });
  const log = createWriteStream(join(logs, `${name}.log`));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += data.toString('utf8');
      log.write(data);
      process.stdout.write(data);
    });
  }
  const succeeded = await new Promise<boolean>((resolve) => {
    child.once('error', (error) => {
      console.error(`${program} could not be started: ${error.message}`);
      resolve(false);
    });
    child.once('close', (code) => {
      resolve(code === 0);
    });
  });
  log.end();
  const counted = counts(output);
  if (!counted) return succeeded ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  // A program that fails without a failed test crashed, or could not be built.
  return succeeded || counted.failed > 0 ? counted : { ...counted, failed: 1 };
}

/** SwiftPM removes none of the temporary folders that it makes; here they go with the next run. */
async function swiftTests(): Promise<StageResult> {
  const scratch = join(repositoryRoot, 'native-recorder/.build/tmp');
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
  return await command('native', 'swift', ['test'], 'native-recorder', swiftCounts, { TMPDIR: scratch });
}

async function mocha(name: string, folder: string, timeoutMs: number): Promise<StageResult> {
  const all = await readdir(join(repositoryRoot, folder), { recursive: true });
  const files = all.filter((file) => file.endsWith('.test.ts')).map((file) => join(folder, file));
  const args = ['--import', 'tsx', join(repositoryRoot, 'node_modules/mocha/bin/mocha.js')];
  const options = ['--timeout', String(timeoutMs), '--forbid-only', '--forbid-pending', '--exit'];
  return await command(name, process.execPath, [...args, ...options, ...files.sort()], '.', mochaCounts);
}

async function own(name: string, work: () => Promise<string>): Promise<StageResult> {
  try {
    const path = await work();
    console.log(`${relative(repositoryRoot, path)} (${Math.round((await stat(path)).size / 1024)} KB)`);
    return { passed: 1, failed: 0 };
  } catch (error) {
    console.error(`${name}:`, error);
    return { passed: 0, failed: 1 };
  }
}

function mochaCounts(output: string): StageResult | undefined {
  const passed = /^\s*(\d+) passing/m.exec(output)?.[1];
  if (passed === undefined) return undefined;
  return { passed: Number(passed), failed: Number(/^\s*(\d+) failing/m.exec(output)?.[1] ?? 0) };
}

/** Swift Testing's last line: how many tests ran, and with how many issues; each failed test has a line of its own. */
function swiftCounts(output: string): StageResult | undefined {
  const ran = /Test run with (\d+) tests?/.exec(output)?.[1];
  if (ran === undefined) return undefined;
  const failed = [...output.matchAll(/^.*Test .* failed after/gm)].filter(
    ([line]) => !line.includes('Test run'),
  ).length;
  return { passed: Number(ran) - failed, failed };
}

function ownCounts(output: string): StageResult | undefined {
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? [];
  return passed === undefined ? undefined : { passed: Number(passed), failed: Number(failed) };
}

function sum(...results: StageResult[]): StageResult {
  return {
    passed: results.reduce((total, { passed }) => total + passed, 0),
    failed: results.reduce((total, { failed }) => total + failed, 0),
  };
}
