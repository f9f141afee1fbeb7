/** Owns a headed Chromium that shows the editor, and nothing but the editor, on a display. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import type { ScreenSize } from './screen.ts';
import { type Resource, TemporaryFolder } from './resources.ts';

export const screenSize: ScreenSize = { width: 1600, height: 1000 };

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

export interface BrowserOptions {
  readonly url: string;
  readonly display: string;
  /** For sound; the browser plays where this says. */
  readonly env?: Readonly<Record<string, string>>;
}

export class Browser implements Resource {
  private constructor(
    private readonly profile: TemporaryFolder,
    private readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  static async open({ url, display, env }: BrowserOptions): Promise<Browser> {
    const profile = new TemporaryFolder('browser');
    try {
      const context = await chromium.launchPersistentContext(profile.path, {
        executablePath: browserPath(),
        headless: false,
        viewport: null,
        env: { ...inheritedEnvironment(), ...env, DISPLAY: display },
        // The bar that says "controlled by automated test software" is no part of an editor.
        ignoreDefaultArgs: ['--enable-automation'],
        // Signals are for the owner of this browser, who ends it in order.
        handleSIGINT: false,
        handleSIGTERM: false,
        handleSIGHUP: false,
        args: [
          `--app=${url}`,
          `--window-size=${screenSize.width},${screenSize.height}`,
          ...['--window-position=0,0', '--force-device-scale-factor=1'],
          // Root has no sandbox, machines without a screen no graphics; --test-type silences the bar about it.
          ...['--no-sandbox', '--test-type', '--disable-gpu', '--no-first-run', '--password-store=basic'],
          ...['--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
          // The window is never covered, but a server without a window manager cannot tell.
          ...['--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding'],
        ],
      });
      const page = context.pages()[0] ?? (await context.waitForEvent('page'));
      await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(url).origin });
      return new Browser(profile, context, page);
    } catch (error) {
      await profile.dispose();
      throw error;
    }
  }

  async dispose(): Promise<void> {
    await this.context.close();
    await this.profile.dispose();
  }
}

function browserPath(): string {
  for (const name of names) {
    for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // The next one, then.
      }
    }
  }
  throw new Error('No Chromium was found. Run scripts/setup.');
}

function inheritedEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}
