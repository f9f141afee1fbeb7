/** Owns the editor's server (code-server) with user data and extensions of its own, so that no run sees another one's. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { capture, repositoryRoot } from '../process.ts';
import { OwnedProcess, type Resource, TemporaryFolder } from './resources.ts';

const node = join(repositoryRoot, '.tools/node24/node_modules/node/bin/node');
const entry = join(repositoryRoot, '.tools/editor/node_modules/code-server/out/node/entry.js');

export type Theme = 'dark' | 'light';

export interface EditorServerOptions {
  /** The folder that the editor opens. */
  readonly workspace: string;
  readonly theme?: Theme;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Added to the environment of the editor and so of the extension; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where the user data lies, when it is not to be a folder that goes with the server. */
  readonly userDataFolder?: string;
}

const themes: Record<Theme, string> = { dark: 'Dark Modern', light: 'Light Modern' };

/** What another editor or npm set for itself would reach this editor's extensions. */
const foreignVariables = /^(VSCODE_|ELECTRON_|npm_|NODE_|PORT$)/;

/** A quiet editor: nothing opens by itself, asks, reports or updates. */
const quietSettings = {
  'chat.disableAIFeatures': true,
  // Typed text arrives as it was typed, whatever the editor suggests meanwhile.
  'editor.acceptSuggestionOnCommitCharacter': false,
  'editor.acceptSuggestionOnEnter': 'off',
  'editor.minimap.enabled': false,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': 'off',
  'extensions.ignoreRecommendations': true,
  // In a browser it is on by default, on a desktop off.
  'files.autoSave': 'off',
  'git.openRepositoryInParentFolders': 'never',
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  // Text in the page, so that a run can read what a command printed.
  'terminal.integrated.gpuAcceleration': 'off',
  'update.mode': 'none',
  'workbench.enableExperiments': false,
  'workbench.preferredDarkColorTheme': themes.dark,
  'workbench.preferredLightColorTheme': themes.light,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

export class EditorServer implements Resource {
  /** In /tmp whatever TMPDIR says: the editor's sockets lie in it, and a socket's path has at most 107 bytes. */
  private readonly folder = new TemporaryFolder('editor', '/tmp');
  private readonly scratch = join(this.folder.path, 'tmp');
  private readonly extensionsFolder = join(this.folder.path, 'extensions');
  private server: OwnedProcess | undefined;
  readonly userDataFolder: string;
  /** Where the extension keeps sessions. */
  readonly storageRoot: string;

  constructor(private readonly options: EditorServerOptions) {
    this.userDataFolder = options.userDataFolder ?? join(this.folder.path, 'user-data');
    this.storageRoot = join(this.userDataFolder, 'User/globalStorage/work-sessions.work-sessions');
    mkdirSync(join(this.userDataFolder, 'User'), { recursive: true });
    mkdirSync(this.extensionsFolder, { recursive: true });
    mkdirSync(this.scratch);
    const home = join(this.folder.path, 'home');
    mkdirSync(home);
    writeFileSync(join(home, '.bashrc'), "PS1='\\W \\$ '\n");
    writeFileSync(join(this.folder.path, 'config.yaml'), '{}\n');
    this.writeSettings(options.theme ?? 'dark');
  }

  /** The folder that an installed extension lies in, for tests that damage it. */
  get installedExtensions(): string {
    return this.extensionsFolder;
  }

  private writeSettings(theme: Theme): void {
    const settings = { ...quietSettings, 'workbench.colorTheme': themes[theme], ...this.options.settings };
    writeFileSync(join(this.userDataFolder, 'User/settings.json'), JSON.stringify(settings, undefined, 2));
  }

  async install(vsix: string): Promise<void> {
    await capture(node, [entry, ...this.folders(), '--install-extension', vsix, '--force'], {
      env: this.environment(),
    });
  }

  /** Starts the server; the answer is the address that opens the workspace. */
  async start(): Promise<string> {
    this.server = new OwnedProcess(
      node,
      [
        entry,
        ...this.folders(),
        // Port 0: the system picks a free one, and the server says which.
        ...['--auth', 'none', '--bind-addr', '127.0.0.1:0'],
        ...['--disable-telemetry', '--disable-update-check', '--disable-workspace-trust'],
        this.options.workspace,
      ],
      { env: this.environment(), cwd: this.options.workspace },
    );
    const [, address] = await this.server.line(/HTTP server listening on (http:\/\/\S+?)\/?$/, 30_000);
    return `${address}/?folder=${encodeURIComponent(this.options.workspace)}`;
  }

  /** Process id of the server's group leader; the extension host is below it. */
  get pid(): number | undefined {
    return this.server?.child.pid;
  }

  async dispose(): Promise<void> {
    await this.server?.dispose();
    await this.folder.dispose();
  }

  private folders(): string[] {
    return [
      ...['--config', join(this.folder.path, 'config.yaml')],
      ...['--user-data-dir', this.userDataFolder],
      ...['--extensions-dir', this.extensionsFolder],
    ];
  }

  private environment(): NodeJS.ProcessEnv {
    const path = [dirname(node), process.env['PATH']].join(delimiter);
    const home = join(this.folder.path, 'home');
    const wanted: NodeJS.ProcessEnv = {
      ...process.env,
      HOME: home,
      PATH: path,
      SHELL: '/bin/bash',
      // The editor and its extensions do not remove the sockets and files that they leave there.
      TMPDIR: this.scratch,
      // Preferred to TMPDIR for sockets where it is set.
      XDG_RUNTIME_DIR: undefined,
      // The user's display asks for the key that lies in the user's home.
      XAUTHORITY: process.env['XAUTHORITY'] ?? join(homedir(), '.Xauthority'),
      ...this.options.env,
    };
    return Object.fromEntries(
      Object.entries(wanted).filter(([name, value]) => value !== undefined && !foreignVariables.test(name)),
    );
  }
}
