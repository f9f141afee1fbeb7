/** Bundles the companion extension with every test of test/host/suite, and packs it as a VSIX. */
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { capture, repositoryRoot } from '../../scripts/process.ts';

const source = join(repositoryRoot, 'test/host');

export interface Companion {
  /** The bundle, for a desktop editor's test runner. */
  readonly script: string;
  /** The same as an extension, for the editor in a browser. */
  readonly vsix: string;
}

export async function buildCompanion(folder: string): Promise<Companion> {
  await mkdir(folder, { recursive: true });
  const script = join(folder, 'companion.cjs');
  await build({
    entryPoints: [join(source, 'companion/companion.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.18',
    external: ['vscode'],
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: [suitePlugin],
  });
  await copyFile(join(source, 'companion/package.json'), join(folder, 'package.json'));
  await copyFile(join(repositoryRoot, 'LICENSE'), join(folder, 'LICENSE'));
  await writeFile(join(folder, 'README.md'), 'Host tests of Work Sessions.\n');
  const vsix = join(folder, 'companion.vsix');
  const vsce = join(repositoryRoot, 'node_modules/@vscode/vsce/vsce');
  await capture(process.execPath, [vsce, 'package', '--no-dependencies', '--allow-missing-repository', '--out', vsix], {
    cwd: folder,
  });
  return { script, vsix };
}

/** The suite is whatever lies in its folder: a new file is a new test. */
const suitePlugin: Plugin = {
  name: 'suite',
  setup(context) {
    context.onResolve({ filter: /^work-sessions-host-suite$/ }, ({ path }) => ({ path, namespace: 'suite' }));
    context.onLoad({ filter: /.*/, namespace: 'suite' }, async () => {
      const files = (await readdir(join(source, 'suite'))).filter((name) => name.endsWith('.test.ts')).sort();
      const imports = files.map((name) => `await import(${JSON.stringify(`./suite/${name}`)});`);
      return { contents: `export async function loadSuite() { ${imports.join('\n')} }`, resolveDir: source };
    });
  },
};
