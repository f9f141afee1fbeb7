/**
 * Runs mocha inside the extension host and writes what came of it. The editor in a browser has no way to be told of
 * tests, so this is an extension that starts them itself; a desktop editor calls `run` as its test runner.
 */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { HostTestResult } from './result.ts';
// Made by the bundler: loads every file of test/host/suite.
import { loadSuite } from 'work-sessions-host-suite';

/** Called by the editor in a browser. */
export function activate(): void {
  const resultPath = process.env['WORK_SESSIONS_HOST_TESTS_RESULT'];
  if (resultPath === undefined) return;
  void runSuite()
    .catch((error: unknown): HostTestResult => ({
      passed: [],
      failures: [{ title: 'the suite runs', error: error instanceof Error ? (error.stack ?? '') : String(error) }],
    }))
    .then(async (result) => {
      // The runner waits for this name: it sees the whole result or none.
      await writeFile(`${resultPath}.partial`, JSON.stringify(result));
      await rename(`${resultPath}.partial`, resultPath);
    });
}

/** Called by @vscode/test-electron's host. */
export async function run(): Promise<void> {
  const { passed, failures } = await runSuite();
  for (const { title, error } of failures) console.error(`${title}\n${error}`);
  if (failures.length > 0) throw new Error(`${passed.length} passed, ${failures.length} failed`);
}

async function runSuite(): Promise<HostTestResult> {
  const repository = process.env['WORK_SESSIONS_REPOSITORY'];
  if (repository === undefined) throw new Error('WORK_SESSIONS_REPOSITORY is not set.');
  const { default: Mocha } = (await import(pathToFileURL(join(repository, 'node_modules/mocha/index.js')).href)) as {
    default: typeof import('mocha');
  };
  const mocha = new Mocha({ ui: 'bdd', timeout: 60_000, reporter: 'dot' });
  mocha.suite.emit('pre-require', globalThis, null, mocha);
  await loadSuite();
  return await new Promise((resolve) => {
    const passed: string[] = [];
    const failures: HostTestResult['failures'] = [];
    mocha
      .run(() => {
        resolve({ passed, failures });
      })
      .on('pass', (test) => passed.push(test.fullTitle()))
      .on('fail', (test, error: Error) =>
        failures.push({ title: test.fullTitle(), error: error.stack ?? error.message }),
      );
  });
}
