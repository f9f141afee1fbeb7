/** A session as the extension host sees it: commands in, files out. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { listSessions, readSession } from '../../../scripts/editor/storedSession.ts';
import { waitFor } from '../../../scripts/editor/waitFor.ts';
import { activatedExtension, editAndSave, openCopy, recordSession, startSession, storageRoot } from '../support.ts';

describe('The extension in its host', () => {
  it('is active soon after the editor started', async () => {
    await activatedExtension();
  });

  it('has every command that it declares', async () => {
    const extension = await activatedExtension();
    const { contributes } = extension.packageJSON as { contributes: { commands: { command: string }[] } };
    const known = new Set(await vscode.commands.getCommands(true));
    const missing = contributes.commands.map(({ command }) => command).filter((command) => !known.has(command));
    assert.deepEqual(missing, []);
  });
});

describe('A session from start to end', () => {
  it('is on the disk as active while it records, and as completed afterwards', async () => {
    const { id, end } = await startSession();
    const before = (await listSessions(storageRoot())).find((session) => session.id === id);
    assert.equal(before?.status, 'active');
    await end();
    const after = (await listSessions(storageRoot())).find((session) => session.id === id);
    assert.equal(after?.status, 'completed');
    assert.ok(after.endTime !== undefined && after.endTime > after.startTime);
  });

  it('holds the edits and saves that were made meanwhile', async () => {
    const session = await recordSession(async () => {
      await editAndSave('host-edit.ts', 'export const answer = 42;\n');
    });
    const edit = session.activity.find((event) => event.kind === 'edit');
    const save = session.activity.find((event) => event.kind === 'save');
    assert.ok(edit?.kind === 'edit' && edit.file.path.endsWith('host-edit.ts'));
    assert.deepEqual(
      edit.ranges.map(({ charactersAdded }) => charactersAdded),
      [26],
    );
    assert.ok(save?.kind === 'save' && save.file.path.endsWith('host-edit.ts'));
    assert.ok(edit.offsetMs <= save.offsetMs);
  });

  it('is listed in the index', async () => {
    const session = await recordSession(async () => Promise.resolve());
    const index = join(storageRoot(), 'index/sessions.sqlite');
    const query = `select status from sessions where id = '${session.metadata.id}'`;
    // The index follows the files; nobody waits for it.
    await waitFor(
      'the index to list the session as completed',
      () => execFileSync('sqlite3', ['-readonly', index, query]).toString().trim() === 'completed',
    );
  });

  it('leaves edits out that were made before it and after it', async () => {
    await editAndSave('before.ts', 'before\n');
    const session = await recordSession(async () => {
      await openCopy('during.ts');
    });
    await editAndSave('after.ts', 'after\n');
    const stored = await readSession(storageRoot(), session.metadata.id);
    assert.deepEqual(
      stored.activity.filter(({ kind }) => kind === 'edit' || kind === 'save'),
      [],
    );
  });
});

describe('Settings', () => {
  const settings = (): vscode.WorkspaceConfiguration => vscode.workspace.getConfiguration('workSessions');

  afterEach(async () => {
    await settings().update('video.enabled', undefined, vscode.ConfigurationTarget.Global);
  });

  it('that turn the video off leave a session without one, and with its activity', async () => {
    await settings().update('video.enabled', false, vscode.ConfigurationTarget.Global);
    const session = await recordSession(async () => {
      await editAndSave('no-video.ts', 'export {};\n');
    });
    assert.equal(session.metadata.recordingConfig.videoEnabled, false);
    assert.deepEqual(session.takes, []);
    assert.ok(session.activity.some(({ kind }) => kind === 'edit'));
  });
});
