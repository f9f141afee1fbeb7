/** Drives the editor's window as a person would: palette, keyboard, mouse; and reads what the window shows. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Frame, Page } from 'playwright-core';
import * as z from 'zod';
import { waitFor } from './waitFor.ts';

const statusItem = '.statusbar-item[id^="work-sessions.work-sessions"]';

export class Workbench {
  constructor(readonly page: Page) {}

  /** Resolves when the window can be used and our extension shows itself in it. */
  async ready(timeoutMs = 60_000): Promise<void> {
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: timeoutMs });
    await this.page.locator('.explorer-viewlet .monaco-list-row').first().waitFor({ timeout: timeoutMs });
  }

  /** Runs a command by its whole title, as in `Work Sessions: Start Session`; waits for it to be offered. */
  async run(title: string, timeoutMs = 15_000): Promise<void> {
    await waitFor(
      `the command "${title}" in the palette`,
      async () => {
        await this.page.keyboard.press('F1');
        const input = this.page.locator('.quick-input-widget input[type="text"]');
        await input.waitFor({ timeout: 3000 });
        await input.fill(`>${title}`);
        const row = this.page.locator('.quick-input-list .monaco-list-row').first();
        await row.waitFor({ timeout: 3000 });
        const label = await row.getAttribute('aria-label', { timeout: 2000 });
        if (label?.startsWith(title)) {
          await this.page.keyboard.press('Enter');
          return true;
        }
        await this.page.keyboard.press('Escape');
        return false;
      },
      { timeoutMs, everyMs: 150 },
    );
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  /** What our status bar item shows, icons left out; undefined while there is none. */
  async status(): Promise<string | undefined> {
    const item = this.page.locator(statusItem);
    if ((await item.count()) === 0) return undefined;
    return (await item.first().innerText()).replaceAll(/\s+/g, ' ').trim();
  }

  async waitForStatus(pattern: RegExp, timeoutMs = 15_000): Promise<string> {
    let seen: string | undefined;
    return await waitFor(
      `the status bar to show ${pattern}`,
      async () => {
        seen = await this.status();
        return seen !== undefined && pattern.test(seen) ? seen : undefined;
      },
      { timeoutMs },
    ).catch((cause: unknown) => {
      throw new Error(`The status bar shows ${JSON.stringify(seen)}, not ${pattern}.`, { cause });
    });
  }

  /** Opens a file of the workspace by its name and puts the cursor into it. */
  async openFile(name: string): Promise<void> {
    await this.page.keyboard.press('Control+P');
    const input = this.page.locator('.quick-input-widget input[type="text"]');
    await input.waitFor();
    await input.fill(name);
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().waitFor();
    await this.page.keyboard.press('Enter');
    await this.page.locator(`.tab.active[aria-label*="${name}"]`).waitFor();
    await this.page.locator('.editor-group-container.active .monaco-editor.focused').waitFor();
  }

  /** Puts the cursor at the start of a line, counted from 1. */
  async goToLine(line: number): Promise<void> {
    await this.page.keyboard.press('Control+G');
    const input = this.page.locator('.quick-input-widget input[type="text"]');
    await input.waitFor();
    await input.fill(`:${line}`);
    await this.page.keyboard.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  /** The line that the cursor is in, counted from 1; undefined while no text editor is active. */
  async cursorLine(): Promise<number | undefined> {
    const texts = await this.page.locator('.statusbar-item').allInnerTexts();
    const line = texts.map((text) => /^Ln (\d+)/.exec(normal(text))?.[1]).find((found) => found !== undefined);
    return line === undefined ? undefined : Number(line);
  }

  /** Types at a person's pace. */
  async type(text: string, delayMs = 35): Promise<void> {
    await this.page.keyboard.type(text, { delay: delayMs });
  }

  /** Puts a text in as one edit, however many lines it has. */
  async paste(text: string): Promise<void> {
    await this.page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
    await this.page.keyboard.press('Control+V');
  }

  /** Saves the changed file of the active tab. */
  async save(): Promise<void> {
    const dirty = this.page.locator('.editor-group-container.active .tab.active.dirty');
    // The tab learns of a change a moment after the text has it.
    await dirty.waitFor({ state: 'attached' });
    await this.page.keyboard.press('Control+S');
    await dirty.waitFor({ state: 'detached' });
  }

  /** Runs a command in a new terminal and waits until the terminal shows what is expected. */
  async runInTerminal(command: string, expected: RegExp): Promise<void> {
    await this.run('Terminal: Create New Terminal');
    const terminal = this.page.locator('.terminal-wrapper.active .xterm');
    await terminal.waitFor();
    const rows = terminal.locator('.xterm-rows');
    await waitFor('the shell prompt', async () => /\S/.test(await rows.innerText()));
    await this.type(`${command}\n`, 15);
    await waitFor(`the terminal to show ${expected}`, async () => expected.test(normal(await rows.innerText())));
  }

  /** From dark to light, or back. */
  async toggleTheme(): Promise<void> {
    await this.run('Preferences: Toggle between Light/Dark Themes');
  }

  async notifications(): Promise<string[]> {
    const texts = await this.page.locator('.notifications-toasts .notification-list-item-message').allInnerTexts();
    return texts.map(normal);
  }

  async waitForNotification(pattern: RegExp, timeoutMs = 15_000): Promise<string> {
    let seen: string[] = [];
    return await waitFor(
      `a notification like ${pattern}`,
      async () => {
        seen = await this.notifications();
        return seen.find((text) => pattern.test(text));
      },
      { timeoutMs },
    ).catch((cause: unknown) => {
      throw new Error(`No notification like ${pattern}; shown: ${JSON.stringify(seen)}`, { cause });
    });
  }

  /** The document inside a webview: the frame in which the selector finds something. */
  async webview(selector: string, timeoutMs = 30_000): Promise<Frame> {
    return await waitFor(
      `a webview with ${selector}`,
      async () => {
        for (const frame of this.page.frames()) {
          // Frames come and go while a panel loads.
          const count = await frame
            .locator(selector)
            .count()
            .catch(() => 0);
          if (count > 0) return frame;
        }
        return undefined;
      },
      { timeoutMs },
    );
  }

  /** Where the page's corner lies on the screen. */
  async windowOrigin(): Promise<[left: number, top: number]> {
    const origin: unknown = await this.page.evaluate(
      '[screenX + (outerWidth - innerWidth) / 2, screenY + outerHeight - innerHeight]',
    );
    return z.tuple([z.number(), z.number()]).parse(origin);
  }

  async screenshot(path: string): Promise<void> {
    mkdirSync(dirname(path), { recursive: true });
    await this.page.screenshot({ path });
  }
}

function normal(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
