/** Owns a whole editor: screen, sound, a copy of the sample workspace, server with our VSIX installed, and the browser that shows it. */
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '../process.ts';
import { Browser, screenSize } from './browser.ts';
import { type Resource, Resources, TemporaryFolder } from './resources.ts';
import { Screen } from './screen.ts';
import { EditorServer, type EditorServerOptions } from './server.ts';
import { Sound } from './sound.ts';
import { Workbench } from './workbench.ts';

export interface EditorRunOptions extends Omit<EditorServerOptions, 'workspace'> {
  /** Installed in this order. */
  readonly vsix: readonly string[];
  /** A display that is there already; where there is none that can be opened, one of our own is. */
  readonly display?: string | undefined;
  /** Told what is being done. */
  readonly onStep?: (text: string) => void;
  /** Called between installing and starting, for tests that damage what was installed. */
  readonly beforeStart?: (server: EditorServer) => Promise<void>;
}

export class EditorRun implements Resource {
  private constructor(
    private readonly resources: Resources,
    readonly address: string,
    readonly workspace: string,
    readonly sound: Sound,
    readonly server: EditorServer,
    readonly workbench: Workbench,
  ) {}

  static async open(options: EditorRunOptions): Promise<EditorRun> {
    const resources = new Resources();
    try {
      return await EditorRun.assemble(resources, options);
    } catch (error) {
      await resources.dispose();
      throw error;
    }
  }

  private static async assemble(resources: Resources, options: EditorRunOptions): Promise<EditorRun> {
    const { vsix, display, onStep = () => undefined, beforeStart, ...serverOptions } = options;
    const existing = display ? await Screen.existing(display) : undefined;
    if (display && !existing) onStep(`The display ${display} cannot be opened; using a screen of its own`);
    const screen = resources.use(existing ?? (await Screen.open(screenSize)));
    onStep(existing ? `Using the display ${display}` : `Opened a screen of ${screenSize.width}x${screenSize.height}`);
    const sound = resources.use(await Sound.open());
    onStep('Opened a sound server with speakers and a microphone');
    const folder = resources.use(new TemporaryFolder('workspace'));
    const workspace = join(folder.path, 'tidepool');
    await mkdir(workspace);
    await cp(join(repositoryRoot, 'test/fixtures/sample-workspace'), workspace, { recursive: true });
    const server = resources.use(
      new EditorServer({
        ...serverOptions,
        workspace,
        env: { DISPLAY: screen.display, WAYLAND_DISPLAY: undefined, ...sound.env, ...options.env },
      }),
    );
    for (const path of vsix) await server.install(path);
    onStep('Installed the extension from its VSIX');
    await beforeStart?.(server);
    const address = await server.start();
    onStep(`The editor serves at ${address}`);
    const browser = resources.use(await Browser.open({ url: address, display: screen.display, env: sound.env }));
    const workbench = new Workbench(browser.page);
    await workbench.ready();
    onStep('The editor is ready');
    return new EditorRun(resources, address, workspace, sound, server, workbench);
  }

  get storageRoot(): string {
    return this.server.storageRoot;
  }

  async dispose(): Promise<void> {
    await this.resources.dispose();
  }
}
