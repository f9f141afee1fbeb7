/** The review panel inside the editor: what it may load, what it does about a file that is gone, and that it comes back. */
import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { waitFor } from '../../scripts/editor/waitFor.ts';
import { editFile, endSession, recordUntil, startSession, useEditors } from './support.ts';

describe('The review panel in the editor', () => {
  const openEditor = useEditors();

  it('loads its own session alone, warns of a file that is gone, survives a reload, and leaves nothing when closed', async () => {
    const editor = await openEditor();
    const { workbench, storageRoot } = editor;
    await startSession(editor);
    await editFile(editor, 'tides.ts', '// before the review');
    await recordUntil(editor, 4);
    const session = await endSession(editor);
    const ready = `[data-session-id="${session.metadata.id}"][data-ready="true"]`;
    await workbench.run('Work Sessions: Review Session');
    let panel = await workbench.webview(ready);

    const video = await panel.locator('[data-testid="player"]').getAttribute('src');
    assert.match(video ?? '', /\.mp4$/);
    assert.equal(await loads(panel, video ?? ''), true, 'the panel loads its own video');
    const blob = (video ?? '').replace(/\/review\/.*\/([0-9a-f]{64})\.mp4$/, '/attachments/blobs/$1.dat');
    assert.notEqual(blob, video);
    assert.equal(await loads(panel, blob), false, 'the panel cannot reach into the store of all sessions');

    await rm(join(editor.workspace, 'src/tides.ts'));
    // The editor still has the text of an open file.
    await workbench.run('View: Close All Editors');
    await workbench.run('Work Sessions: Review Session');
    panel = await workbench.webview(ready);
    const edit = panel.locator('[data-kind="edit"]').filter({ hasText: 'tides.ts' }).first();
    await edit.locator('[data-testid="open-file"]').click();
    await workbench.waitForNotification(/tides\.ts.*cannot be opened/);

    await panel.locator('[data-testid="overview"]').press('End');
    await waitFor('the position to be kept', async () => (await keptMs()) > 3000);
    const positionMs = await keptMs();
    // VS Code takes a moment to store what the webview kept.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const reloaded = workbench.page.waitForEvent('load');
    await workbench.run('Developer: Reload Window');
    await reloaded;
    await workbench.ready();
    panel = await workbench.webview(ready);
    assert.equal(await keptMs(), positionMs);
    await panel.locator('[data-testid="overview"]').press('Home');
    await panel.locator('[data-testid="play"]').click();
    await waitFor('the restored panel to play', async () => (await keptMs()) > 1000);

    await workbench.run('View: Close All Editors');
    await waitFor('the links to be removed', async () => (await linksIn(storageRoot)).length === 0);

    async function keptMs(): Promise<number> {
      return Number(await panel.locator('[data-testid="review"]').getAttribute('data-playback-ms'));
    }
  });
});

function loads(panel: Frame, url: string): Promise<boolean> {
  return panel.evaluate<boolean>(`fetch(${JSON.stringify(url)}).then(({ ok }) => ok, () => false)`);
}

async function linksIn(storageRoot: string): Promise<string[]> {
  const names = await readdir(join(storageRoot, 'review'), { recursive: true }).catch(() => []);
  return names.filter((name) => /\.\w+$/.test(name));
}
