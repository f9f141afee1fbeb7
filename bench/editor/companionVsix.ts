/** Makes the two extensions that a bench installs beside ours: the companion that measures, and an empty one to compare with. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { capture, repositoryRoot } from '../../scripts/process.ts';

/** The answer is a VSIX. */
export async function companionVsix(folder: string): Promise<string> {
  const source = join(repositoryRoot, 'bench/editor/companion/companion.ts');
  return await pack(join(folder, 'companion'), 'bench-companion', ['*'], async (outfile) => {
    await build({
      entryPoints: [source],
      outfile,
      ...{ bundle: true, platform: 'node', format: 'cjs', target: 'node20.18', logLevel: 'warning' },
      external: ['vscode'],
    });
  });
}

/** Nothing activates it but being asked to. The answer is a VSIX. */
export async function emptyVsix(folder: string): Promise<string> {
  return await pack(join(folder, 'empty'), 'bench-empty', [], async (outfile) => {
    await writeFile(outfile, 'exports.activate = () => undefined;\n');
  });
}

async function pack(
  folder: string,
  name: string,
  activationEvents: readonly string[],
  writeMain: (path: string) => Promise<void>,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeMain(join(folder, 'main.cjs'));
  const manifest = {
    name,
    displayName: `Work Sessions: ${name}`,
    description: 'Made by npm run bench. Never published.',
    publisher: 'work-sessions',
    version: '0.0.0',
    license: 'MIT',
    private: true,
    engines: { vscode: '^1.100.0' },
    main: './main.cjs',
    activationEvents,
    // An extension without activation events needs something that could activate it.
    contributes: { commands: [{ command: `${name}.nothing`, title: 'Nothing', category: 'Bench' }] },
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(folder, 'README.md'), `${manifest.description}\n`);
  await copyFile(join(repositoryRoot, 'LICENSE'), join(folder, 'LICENSE'));
  const vsix = join(folder, `${name}.vsix`);
  const vsce = join(repositoryRoot, 'node_modules/@vscode/vsce/vsce');
  const options = ['--no-dependencies', '--allow-missing-repository', '--allow-star-activation', '--out', vsix];
  await capture(process.execPath, [vsce, 'package', ...options], { cwd: folder });
  return vsix;
}
