/** Owns the X display that the editor is shown on: the user's own, or a server without hardware. */
import { execFile } from 'node:child_process';
import type { Readable } from 'node:stream';
import { OwnedProcess, type Resource } from './resources.ts';

export interface ScreenSize {
  readonly width: number;
  readonly height: number;
}

export class Screen implements Resource {
  private constructor(
    /** As in `DISPLAY`, for example `:99`. */
    readonly display: string,
    private readonly server?: OwnedProcess,
  ) {}

  /** The display that is there already, of which nothing is owned; undefined where programs cannot open it. */
  static async existing(display: string): Promise<Screen | undefined> {
    return (await canBeOpened(display)) ? new Screen(display) : undefined;
  }

  /** A server of our own. It picks a free number itself and tells it when it accepts connections. */
  static async open({ width, height }: ScreenSize): Promise<Screen> {
    const server = new OwnedProcess(
      'Xvfb',
      ['-displayfd', '3', '-screen', '0', `${width}x${height}x24`, '-dpi', '96', '-nolisten', 'tcp', '-noreset'],
      { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
    );
    try {
      return new Screen(`:${await numberFrom(server)}`, server);
    } catch (error) {
      await server.dispose();
      throw error;
    }
  }

  async dispose(): Promise<void> {
    await this.server?.dispose();
  }
}

async function canBeOpened(display: string): Promise<boolean> {
  return await new Promise((resolve) => {
    // A server that hangs accepts connections and answers nothing.
    execFile('xdpyinfo', ['-display', display], { timeout: 5000 }, (error) => {
      // Where there is no xdpyinfo to ask, the user's word is taken.
      resolve(!error || error.code === 'ENOENT');
    });
  });
}

async function numberFrom(server: OwnedProcess): Promise<number> {
  return await new Promise((resolve, reject) => {
    let text = '';
    const channel = server.child.stdio[3] as Readable;
    channel.on('data', (data: Buffer) => {
      text += data.toString('utf8');
      if (text.endsWith('\n')) resolve(Number(text));
    });
    channel.once('close', () => {
      reject(new Error(`Xvfb ended before it was ready:\n${server.output}`));
    });
    server.child.once('error', (cause) => {
      reject(new Error('Xvfb could not be started. Run scripts/setup.', { cause }));
    });
  });
}
