/** Owns the VSIX: builds everything, checks that what must be inside is there, and packages it for this platform. */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build, nativeLibraryFolder } from './build.ts';
import { capture, isMain, repositoryRoot } from './process.ts';

const target = `${process.platform}-${process.arch}`;

/** Builds and packages; the answer is the VSIX's path. */
export async function packageExtension(): Promise<string> {
  await build();
  return await packageBuilt();
}

/** Packages what `build` left. vsce takes the files that .vscodeignore allows, and nothing else. */
export async function packageBuilt(): Promise<string> {
  for (const needed of ['dist/extension.cjs', 'dist/recorderProcess.cjs', 'dist/review.js', nativeLibraryFolder]) {
    await stat(join(repositoryRoot, needed)).catch(() => {
      throw new Error(`Cannot package: ${needed} is missing. Run npm run build.`);
    });
  }
  const path = await vsixPath();
  await mkdir(join(repositoryRoot, 'out'), { recursive: true });
  const said = await capture(
    process.execPath,
    [
      join(repositoryRoot, 'node_modules/@vscode/vsce/vsce'),
      ...[
        'package',
        '--target',
        target,
        '--no-dependencies',
        '--allow-missing-repository',
        '--no-rewrite-relative-links',
        '--out',
        path,
      ],
    ],
    { cwd: repositoryRoot },
  );
  // Warnings are shown; the list of files is for who asks for it: unzip -l.
  for (const line of said.toString('utf8').split('\n')) if (line.includes('WARN')) console.warn(line.trim());
  return path;
}

/** The VSIX that was made before; throws when there is none. */
export async function packagedVsix(): Promise<string> {
  const path = await vsixPath();
  await stat(path).catch(() => {
    throw new Error(`${path} is missing. Run npm run package.`);
  });
  return path;
}

async function vsixPath(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(repositoryRoot, 'package.json'), 'utf8'));
  const { version } = manifest as { version: string };
  return join(repositoryRoot, 'out', `work-sessions-${version}-${target}.vsix`);
}

if (isMain(import.meta.url)) {
  const path = await packageExtension();
  console.log(`Packaged ${relative(process.cwd(), path)}`);
}
