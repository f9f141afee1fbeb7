/**
 * `npm start`: builds the extension and does its main job in front of the user.
 *
 *   npm start                  a tour in the editor, which then stays open at the printed address
 *   npm start -- --exit        the tour alone; exit code 0 when all of it was seen to work
 *   npm start -- --seconds 30  how long the tour records (20)
 *   npm start -- --out DIR     where report.json and the pictures go (out/tour)
 *   npm start -- --desktop     the extension in your own VS Code instead
 */
import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from './build.ts';
import { EditorRun } from './editor/editorRun.ts';
import { Resources } from './editor/resources.ts';
import { recordSession, reviewSession } from './editor/tour.ts';
import { checksOf, measure } from './editor/tourReport.ts';
import { packageExtension } from './package.ts';
import { repositoryRoot, run } from './process.ts';
import { readStartFlags, type StartFlags } from './startFlags.ts';

const flags = startFlags();
const { seconds } = flags;
const out = resolve(flags.out ?? join(repositoryRoot, 'out/tour'));

const began = performance.now();
const say = (text: string): void => {
  console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${text}`);
};

await (flags.desktop ? openDesktop() : showTour()).catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});

function startFlags(): StartFlags {
  const flags = readStartFlags(process.argv.slice(2));
  if (!('complaint' in flags)) return flags;
  console.error(flags.complaint);
  process.exit(2);
}

async function openDesktop(): Promise<void> {
  const hasDisplay = process.platform !== 'linux' || Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY']);
  if (!hasDisplay) throw new Error('--desktop needs a display. Without the flag a tour opens a screen of its own.');
  if (spawnSync('code', ['--version'], { stdio: 'ignore' }).status !== 0) {
    throw new Error('--desktop needs VS Code: the command "code" is not on the PATH.');
  }
  say('Building');
  await build();
  say('Opening VS Code with the extension');
  const workspace = join(repositoryRoot, 'test/fixtures/sample-workspace');
  await run('code', ['--new-window', `--extensionDevelopmentPath=${repositoryRoot}`, workspace]);
}

async function showTour(): Promise<void> {
  const resources = new Resources();
  resources.disposeOnExit();
  // What is recorded stays when the editor is gone: the report names it.
  const userDataFolder = join(out, 'user-data');
  await rm(userDataFolder, { recursive: true, force: true });
  await mkdir(userDataFolder, { recursive: true });
  let editor: EditorRun | undefined;
  let works = false;
  try {
    say('Building and packaging');
    const vsix = await packageExtension();
    editor = resources.use(
      await EditorRun.open({ vsix: [vsix], userDataFolder, display: process.env['DISPLAY'], onStep: say }),
    );
    works = await tour(editor);
  } catch (error) {
    say(`FAILED: ${explain(error)}`);
    await editor?.workbench.screenshot(join(out, 'failure.png')).catch(() => undefined);
  }
  process.exitCode = works ? 0 : 1;
  if (flags.exit || !editor) {
    await resources.dispose();
    return;
  }
  say(`The editor stays open at ${editor.address}`);
  say('Ctrl+C ends it and removes what it made.');
}

async function tour(editor: EditorRun): Promise<boolean> {
  const session = await recordSession(editor, { seconds, out, onStep: say });
  const review = await reviewSession(editor, session, { out, onStep: say });
  const measured = await measure(session, editor.storageRoot, review, out);
  await writeFile(join(out, 'report.json'), `${JSON.stringify(measured.report, undefined, 2)}\n`);
  const failed = checksOf(measured, session, review, seconds).filter(({ holds }) => !holds);
  for (const { what, seen } of failed) say(`NOT SEEN: ${what} (${seen})`);
  say(`Report and pictures: ${out}`);
  if (failed.length === 0) say('All of it works.');
  return failed.length === 0;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n          because: ${explain(error.cause)}`;
}
