/** Owns an X server of its own with the workload on it: drawn when it opens, played when it is told to. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { OwnedProcess, type Resource, Resources, TemporaryFolder } from '../../scripts/editor/resources.ts';
import { Screen } from '../../scripts/editor/screen.ts';
import { repositoryRoot } from '../../scripts/process.ts';
import { childNamed } from '../recorder/processFigures.ts';

export const workScreenSize = { width: 1920, height: 1080 };
/** Cells of 8x17 pixels fill the screen. */
const terminalSize = '240x63';
const readyTimeoutMs = 30_000;

export interface WorkScreenOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly still: boolean;
}

export class WorkScreen implements Resource {
  private constructor(
    private readonly resources: Resources,
    readonly display: string,
    /** Process id of the X server. */
    readonly serverPid: number,
    private readonly work: { readonly socket: Socket; readonly done: Promise<void> },
  ) {}

  /** Resolves when the first picture is drawn. */
  static async open(options: WorkScreenOptions): Promise<WorkScreen> {
    const resources = new Resources();
    try {
      const screen = resources.use(await Screen.open(workScreenSize));
      const serverPid = childNamed('Xvfb');
      const folder = resources.use(new TemporaryFolder('workload'));
      const path = join(folder.path, 'control');
      const control = createServer();
      resources.use({ dispose: async () => await closed(control) });
      control.listen(path);
      await once(control, 'listening');
      const terminal = resources.use(startTerminal(screen.display, path, options));
      return new WorkScreen(resources, screen.display, serverPid, await connected(control, terminal));
    } catch (error) {
      await resources.dispose();
      throw error;
    }
  }

  /** Plays the whole workload; resolves at its end. */
  async play(): Promise<void> {
    this.work.socket.write('go\n');
    await this.work.done;
  }

  async dispose(): Promise<void> {
    this.work.socket.destroy();
    await this.resources.dispose();
  }
}

function startTerminal(display: string, control: string, { seed, seconds, still }: WorkScreenOptions): OwnedProcess {
  const workload = ['--seed', String(seed), '--seconds', String(seconds), '--control', control];
  return new OwnedProcess(
    'xterm',
    [
      ...['-fa', 'DejaVu Sans Mono', '-fs', '10', '-b', '0', '+sb', '-geometry', `${terminalSize}+0+0`],
      ...['-bg', '#1e1e1e', '-fg', '#d4d4d4', '-cr', '#aeafad'],
      ...['-e', process.execPath, '--import', 'tsx', join(repositoryRoot, 'bench/workload/terminal.ts')],
      ...workload,
      ...(still ? ['--still'] : []),
    ],
    { env: { ...process.env, DISPLAY: display, TERM: 'xterm-256color' }, cwd: repositoryRoot },
  );
}

/** Resolves when the workload has drawn its first picture. */
async function connected(control: Server, terminal: OwnedProcess): Promise<{ socket: Socket; done: Promise<void> }> {
  return await new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`The workload ${why}. ${terminal.output}`));
    const timer = setTimeout(fail, readyTimeoutMs, 'did not start in time');
    terminal.child.once('close', () => fail('ended before it began'));
    control.once('connection', (socket: Socket) => {
      const lines = createInterface({ input: socket });
      const done = new Promise<void>((finished, failed) => {
        lines.on('line', (line) => line === 'done' && finished());
        socket.once('close', () => failed(new Error('The workload ended before it was done.')));
      });
      // Nobody may be waiting for the end when a bench is given up.
      done.catch(() => undefined);
      lines.once('line', () => {
        clearTimeout(timer);
        resolve({ socket, done });
      });
    });
  });
}

async function closed(server: Server): Promise<void> {
  const gone = once(server, 'close');
  server.close();
  await gone;
}
