/** Runs the host suite: in the editor in a browser with our VSIX, or in the desktop editor that VSCODE_EXECUTABLE names. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTests } from '@vscode/test-electron';
import { EditorRun } from '../../scripts/editor/editorRun.ts';
import { type Resources, TemporaryFolder } from '../../scripts/editor/resources.ts';
import { waitFor } from '../../scripts/editor/waitFor.ts';
import { repositoryRoot } from '../../scripts/process.ts';
import { buildCompanion } from './buildCompanion.ts';
import type { HostTestResult } from './companion/result.ts';

const timeoutMs = 5 * 60_000;

/** The answer is one result for the whole suite; `vsix` is the extension under test. */
export async function runHostTests(vsix: string, resources: Resources): Promise<HostTestResult> {
  try {
    const folder = resources.use(new TemporaryFolder('host-tests'));
    const companion = await buildCompanion(join(folder.path, 'companion'));
    const executable = process.env['VSCODE_EXECUTABLE'];
    if (executable) return await runOnDesktop(executable, companion.script, folder.path);
    const result = join(folder.path, 'result.json');
    const userDataFolder = join(folder.path, 'user-data');
    resources.use(
      await EditorRun.open({
        vsix: [vsix, companion.vsix],
        userDataFolder,
        env: {
          WORK_SESSIONS_HOST_TESTS_RESULT: result,
          WORK_SESSIONS_REPOSITORY: repositoryRoot,
          WORK_SESSIONS_USER_DATA: userDataFolder,
        },
      }),
    );
    const text = await waitFor(
      'the result of the host tests',
      async () => await readFile(result, 'utf8').catch(() => undefined),
      { timeoutMs, everyMs: 200 },
    );
    return JSON.parse(text) as HostTestResult;
  } finally {
    await resources.dispose();
  }
}

/** Loads the source tree's build instead of the VSIX: that is what @vscode/test-electron does. */
async function runOnDesktop(executable: string, script: string, folder: string): Promise<HostTestResult> {
  const userDataFolder = join(folder, 'user-data');
  try {
    await runTests({
      vscodeExecutablePath: executable,
      extensionDevelopmentPath: repositoryRoot,
      extensionTestsPath: script,
      extensionTestsEnv: { WORK_SESSIONS_REPOSITORY: repositoryRoot, WORK_SESSIONS_USER_DATA: userDataFolder },
      launchArgs: [
        join(repositoryRoot, 'test/fixtures/sample-workspace'),
        ...['--user-data-dir', userDataFolder, '--disable-workspace-trust', '--skip-welcome'],
      ],
    });
    return { passed: ['the host suite in VS Code'], failures: [] };
  } catch (error) {
    return { passed: [], failures: [{ title: 'the host suite in VS Code', error: String(error) }] };
  }
}
