/** Breaks each import rule on purpose and sees that lint notices; the same import where it is allowed passes. */
import assert from 'node:assert/strict';
import { ESLint } from 'eslint';

describe('import rules', function () {
  // Type-aware lint builds a program first.
  this.timeout(120_000);
  // With CI=true the parser would read the files from the disk instead of the code that it is given here.
  const parserOptions = { disallowAutomaticSingleRunInference: true };
  const eslint = new ESLint({ overrideConfig: { languageOptions: { parserOptions } } });

  /** The rules that the code breaks when it stands in an existing file. */
  async function broken(filePath: string, code: string): Promise<string[]> {
    const [result] = await eslint.lintText(`${code}\n`, { filePath });
    const importRules = ['import-x/no-restricted-paths', '@typescript-eslint/no-restricted-imports'];
    const fatal = result?.messages.find((message) => message.fatal);
    assert.equal(fatal, undefined, fatal?.message);
    return (result?.messages ?? []).flatMap(({ ruleId }) => (importRules.includes(ruleId ?? '') ? [ruleId ?? ''] : []));
  }
  const imports = (path: string) => `import * as it from '${path}';\nexport const used = it;`;

  const forbidden: [what: string, file: string, path: string][] = [
    ['shared → extension', 'src/shared/errors.ts', '../extension/platform/clock.ts'],
    ['webviews → extension', 'src/webviews/review/main.tsx', '../../extension/platform/clock.ts'],
    ['webviews/common → a panel', 'src/webviews/common/hostLink.ts', '../review/main.tsx'],
    ['platform → storage', 'src/extension/platform/clock.ts', '../storage/storagePaths.ts'],
    ['recorder → storage', 'src/extension/recorder/ipc.ts', '../storage/storagePaths.ts'],
    ['activity → session', 'src/extension/activity/activityLog.ts', '../session/progressWatch.ts'],
    ['storage → recorder', 'src/extension/storage/chunkLog.ts', '../recorder/ipc.ts'],
    ['session → ui', 'src/extension/session/progressWatch.ts', '../ui/commandIds.ts'],
    ['session → behind the port', 'src/extension/session/progressWatch.ts', '../recorder/ipc.ts'],
    ['review → recorder', 'src/extension/review/reviewHtml.ts', '../recorder/recorder.ts'],
    ['ui → recorder', 'src/extension/ui/commandIds.ts', '../recorder/recorder.ts'],
    ['anything → the composition root', 'src/extension/ui/commandIds.ts', '../extension.ts'],
    ['session → vscode as a value', 'src/extension/session/progressWatch.ts', 'vscode'],
    ['storage → vscode as a value', 'src/extension/storage/chunkLog.ts', 'vscode'],
    ['a second file → ffi-rs', 'src/extension/recorder/ipc.ts', 'ffi-rs'],
    ['a second file → sql.js', 'src/extension/storage/chunkLog.ts', 'sql.js'],
  ];
  for (const [what, file, path] of forbidden) {
    it(`refuses ${what}`, async () => {
      assert.notDeepEqual(await broken(file, imports(path)), []);
    });
  }

  const allowed: [what: string, file: string, path: string][] = [
    ['session → the recorder’s port', 'src/extension/session/progressWatch.ts', '../recorder/recorder.ts'],
    ['ui → vscode', 'src/extension/ui/commandIds.ts', 'vscode'],
    ['storage → platform', 'src/extension/storage/chunkLog.ts', '../platform/files.ts'],
    ['the binding → ffi-rs', 'src/extension/recorder/libraryBinding.ts', 'ffi-rs'],
  ];
  for (const [what, file, path] of allowed) {
    it(`allows ${what}`, async () => {
      assert.deepEqual(await broken(file, imports(path)), []);
    });
  }

  it('allows types of vscode everywhere', async () => {
    const code = "import type * as vscode from 'vscode';\nexport type Used = vscode.Uri;";
    assert.deepEqual(await broken('src/extension/session/progressWatch.ts', code), []);
  });
});
