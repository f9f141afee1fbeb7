/** What host tests do over and over: a session around some work, a file to work on. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { listSessions, readSession, type StoredSession } from '../../scripts/editor/storedSession.ts';
import { waitFor } from '../../scripts/editor/waitFor.ts';

const extensionId = 'work-sessions.work-sessions';

/** Waits for the editor to activate the extension by itself; asking it to would hide that it does not. */
export async function activatedExtension(): Promise<vscode.Extension<unknown>> {
  return await waitFor('the extension to be active', () => {
    const extension = vscode.extensions.getExtension(extensionId);
    return extension?.isActive === true && extension;
  });
}

export function storageRoot(): string {
  const userData = process.env['WORK_SESSIONS_USER_DATA'];
  assert.ok(userData, 'WORK_SESSIONS_USER_DATA is not set');
  return join(userData, 'User/globalStorage', extensionId);
}

export interface RunningSession {
  readonly id: string;
  /** Ends it and waits until the disk says so. */
  readonly end: () => Promise<void>;
}

export async function startSession(): Promise<RunningSession> {
  await activatedExtension();
  const earlier = new Set((await listSessions(storageRoot())).map(({ id }) => id));
  await vscode.commands.executeCommand('workSessions.start');
  const { id } = await waitFor('a new session', async () =>
    (await listSessions(storageRoot())).find((session) => !earlier.has(session.id) && session.status === 'active'),
  );
  const end = async (): Promise<void> => {
    await vscode.commands.executeCommand('workSessions.end');
    await waitFor(
      'the session to be completed',
      async () =>
        (await listSessions(storageRoot())).some((session) => session.id === id && session.status === 'completed'),
      { timeoutMs: 20_000 },
    );
  };
  return { id, end };
}

/** Records while the work is done; the session ends whether or not the work succeeds. */
export async function recordSession(work: () => Promise<void>): Promise<StoredSession> {
  const { id, end } = await startSession();
  try {
    await work();
  } finally {
    await end();
  }
  return await readSession(storageRoot(), id);
}

/** A new file of the workspace, open in the editor. */
export async function openCopy(name: string): Promise<vscode.TextEditor> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder, 'no folder is open');
  const uri = vscode.Uri.joinPath(folder.uri, name);
  await vscode.workspace.fs.writeFile(uri, new Uint8Array());
  return await vscode.window.showTextDocument(uri);
}

export async function editAndSave(name: string, text: string): Promise<void> {
  const editor = await openCopy(name);
  await editor.edit((edit) => {
    edit.insert(new vscode.Position(0, 0), text);
  });
  await editor.document.save();
}
