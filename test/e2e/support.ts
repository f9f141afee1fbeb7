/** What end-to-end tests share: an editor with the packaged VSIX for each test, and sessions recorded in it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EditorRun, type EditorRunOptions } from '../../scripts/editor/editorRun.ts';
import { probeVideo } from '../../scripts/editor/media.ts';
import { Resources } from '../../scripts/editor/resources.ts';
import { listSessions, readSession, type StoredSession } from '../../scripts/editor/storedSession.ts';
import { waitFor } from '../../scripts/editor/waitFor.ts';
import { packagedVsix } from '../../scripts/package.ts';
import { repositoryRoot } from '../../scripts/process.ts';

/** Where pictures of failures go, beside the logs of `npm test`. */
export const picturesFolder = join(repositoryRoot, 'out/test/e2e');

export const recordingStatus = /^\d+:\d\d$/;

// A run that is told to end leaves in order: what is owned listens for the exit.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** Editors opened in a test are closed after it; a failed test leaves a picture of each. */
export function useEditors(): (options?: Omit<EditorRunOptions, 'vsix'>) => Promise<EditorRun> {
  let resources = new Resources();
  let open: EditorRun[] = [];
  afterEach(async function () {
    this.timeout(30_000);
    if (this.currentTest?.state === 'failed') {
      await mkdir(picturesFolder, { recursive: true });
      const name = this.currentTest.fullTitle().replaceAll(/\W+/g, '-').slice(0, 100);
      for (const [index, editor] of open.entries()) {
        await editor.workbench.screenshot(join(picturesFolder, `${name}-${index}.png`)).catch(() => undefined);
      }
    }
    open = [];
    await resources.dispose();
    resources = new Resources();
  });
  return async (options) => {
    const editor = resources.use(await EditorRun.open({ vsix: [await packagedVsix()], ...options }));
    open.push(editor);
    return editor;
  };
}

export async function startSession({ workbench }: EditorRun): Promise<void> {
  await workbench.run('Work Sessions: Start Session');
  await workbench.waitForStatus(recordingStatus, 20_000);
}

/** Ends the session, waits until the disk has it in the given state, and reads it. */
export async function endSession(editor: EditorRun): Promise<StoredSession> {
  await editor.workbench.run('Work Sessions: End Session');
  return await storedSession(editor, 'completed');
}

export async function storedSession(
  { storageRoot }: EditorRun,
  status: 'completed' | 'interrupted',
): Promise<StoredSession> {
  const { id } = await waitFor(
    `a session that is ${status}`,
    async () => (await listSessions(storageRoot)).find((session) => session.status === status),
    { timeoutMs: 30_000, everyMs: 100 },
  );
  return await readSession(storageRoot, id);
}

/** Waits until so much was recorded, by the status bar's clock. */
export async function recordUntil({ workbench }: EditorRun, seconds: number): Promise<void> {
  const shown = async (): Promise<number> => {
    const [minutes = 0, rest = 0] = ((await workbench.status()) ?? '').split(':').map(Number);
    return minutes * 60 + rest;
  };
  await waitFor(`${seconds} s to be recorded`, async () => (await shown()) >= seconds, {
    timeoutMs: seconds * 1000 + 20_000,
  });
}

/** A kill after so many seconds costs one fragment, and the time between the status bar's second and the kill. */
export async function assertVideoKept(session: StoredSession, seconds: number): Promise<void> {
  const mayBeLostMs = 2000 + 1000;
  const [take] = session.takes;
  assert.ok(take, 'no video was stored');
  const { durationMs } = await probeVideo(take.path);
  assert.ok(take.offsetMs + durationMs >= seconds * 1000 - mayBeLostMs, `only ${durationMs} ms of video were kept`);
}

/** Adds a line to a file of the sample workspace and saves it. */
export async function editFile({ workbench }: EditorRun, name: string, text: string): Promise<void> {
  await workbench.openFile(name);
  await workbench.goToLine(1);
  await workbench.paste(`${text}\n`);
  await workbench.save();
}

/** The edits and saves of the sample workspace's files that a session holds, as `edit tides.ts`. */
export function changesOf(session: StoredSession): string[] {
  return session.activity.flatMap((event) =>
    // The editor saves its own settings file at times, which is no business of a test.
    (event.kind === 'edit' || event.kind === 'save') && event.file.workspace !== undefined
      ? [`${event.kind} ${event.file.path.split('/').at(-1) ?? ''}`]
      : [],
  );
}

/** The recorder process of this editor, found among the descendants of its server. */
export async function recorderPid({ server }: EditorRun): Promise<number> {
  return await waitFor('the recorder process', () => {
    const processes = readdirSync('/proc').flatMap((name) => readProcess(Number(name)));
    const parents = new Map(processes.map(({ pid, parent }) => [pid, parent]));
    const isOurs = (pid: number | undefined): boolean =>
      pid !== undefined && pid > 1 && (pid === server.pid || isOurs(parents.get(pid)));
    return processes.find(({ pid, command }) => command.includes('recorderProcess.cjs') && isOurs(pid))?.pid;
  });
}

function readProcess(pid: number): { pid: number; parent: number; command: string }[] {
  if (!Number.isInteger(pid)) return [];
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const parent = /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return [{ pid, parent: Number(parent), command }];
  } catch {
    // It ended while we looked.
    return [];
  }
}
