/** Owns `dist/`: bundles the extension, the recorder process and the webviews, and copies what they load at run time. */
import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build as bundle, type BuildOptions, type Plugin } from 'esbuild';
import { isMain, repositoryRoot, run } from './process.ts';

const dist = join(repositoryRoot, 'dist');

/** Where the native library for this machine lies, below the repository and below the installed extension alike. */
export const nativeLibraryFolder = `native-recorder/lib/${process.platform}-${process.arch}`;

/** Everything that the VSIX needs: the native library and `dist/`. */
export async function build(): Promise<void> {
  await run(join(repositoryRoot, 'scripts/build-native'), [], { cwd: repositoryRoot });
  await buildTypeScript();
}

/** `dist/` alone. It is made from nothing each time, so that nothing stale is ever packaged. */
export async function buildTypeScript(): Promise<void> {
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  await Promise.all([
    ...bundles().map(async (options) => {
      for (const entry of entriesOf(options)) await requireSource(entry);
      await bundle(options);
    }),
    ...copies().map(([from, to]) => copyAsset(from, join(dist, to))),
  ]);
}

function bundles(): BuildOptions[] {
  const common: BuildOptions = {
    absWorkingDir: repositoryRoot,
    bundle: true,
    sourcemap: 'linked',
    sourcesContent: false,
    minify: true,
    keepNames: true,
    logLevel: 'warning',
    legalComments: 'none',
  };
  const node: BuildOptions = {
    ...common,
    platform: 'node',
    // Node of the oldest editor that package.json's engine admits.
    target: 'node20.18',
    format: 'cjs',
  };
  return [
    { ...node, entryPoints: ['src/extension/extension.ts'], outfile: 'dist/extension.cjs', external: ['vscode'] },
    {
      ...node,
      entryPoints: ['src/extension/recorder/recorderProcess.ts'],
      outfile: 'dist/recorderProcess.cjs',
      loader: { '.node': 'copy' },
      plugins: [absentPlatformsStayOutside],
    },
    {
      ...common,
      platform: 'browser',
      target: 'chrome132',
      format: 'esm',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      entryPoints: ['src/webviews/review/main.tsx'],
      outfile: 'dist/review.js',
    },
  ];
}

function copies(): [from: string, to: string][] {
  return [
    ['node_modules/sql.js/dist/sql-wasm.wasm', 'sql-wasm.wasm'],
    ['node_modules/@vscode/codicons/dist/codicon.css', 'codicon.css'],
    ['node_modules/@vscode/codicons/dist/codicon.ttf', 'codicon.ttf'],
  ];
}

/** ffi-rs asks for one binary of a dozen; npm installed only this platform's, and the others are never reached. */
const absentPlatformsStayOutside: Plugin = {
  name: 'absent-platforms-stay-outside',
  setup(context) {
    context.onResolve({ filter: /^@yuuang\/ffi-rs-|^\.\/ffi-rs\..*\.node$/ }, ({ path, importer }) => {
      try {
        return { path: createRequire(importer).resolve(path) };
      } catch {
        return { path, external: true };
      }
    });
  },
};

function entriesOf(options: BuildOptions): string[] {
  return Array.isArray(options.entryPoints) ? options.entryPoints.filter((entry) => typeof entry === 'string') : [];
}

async function requireSource(path: string): Promise<void> {
  const found = await stat(join(repositoryRoot, path)).catch(() => undefined);
  if (!found) throw new Error(`Cannot build: ${path} does not exist.`);
}

async function copyAsset(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(join(repositoryRoot, from), to).catch((cause: unknown) => {
    throw new Error(`Cannot build: ${from} cannot be copied. Is npm ci done?`, { cause });
  });
}

if (isMain(import.meta.url)) {
  await build().catch((error: unknown) => {
    // esbuild has shown where; a stack of ours says nothing more.
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
