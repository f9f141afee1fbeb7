/** The composition root: constructs everything in dependency order and registers it; nothing else. */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { observeActiveFile } from './activity/activeFileObserver.ts';
import { observeEdits } from './activity/editObserver.ts';
import { observeSaves } from './activity/saveObserver.ts';
import { systemClock } from './platform/clock.ts';
import { DisposableStore } from './platform/disposable.ts';
import { diskFiles } from './platform/files.ts';
import { Lease } from './platform/lease.ts';
import { prefixed } from './platform/logger.ts';
import { outputLog } from './platform/outputLog.ts';
import { readSettings } from './platform/settings.ts';
import { ProcessRecorder } from './recorder/processRecorder.ts';
import { libraryPathIn } from './recorder/libraryPath.ts';
import { ReviewPanels } from './review/reviewPanel.ts';
import { SessionRecovery } from './session/recoverSessions.ts';
import { SessionService } from './session/sessionService.ts';
import { AttachmentStorage } from './storage/attachmentStorage.ts';
import { SessionCatalog } from './storage/sessionCatalog.ts';
import { SessionStorage } from './storage/sessionStorage.ts';
import { StoragePaths } from './storage/storagePaths.ts';
import { Commands } from './ui/commands.ts';
import { Notifications, tellProblem, tellRecovered } from './ui/notifications.ts';
import { SessionTree } from './ui/sessionTree.ts';
import { StatusBar } from './ui/statusBar.ts';

let extension: WorkSessions | undefined;

export function activate(context: vscode.ExtensionContext): void {
  // Not one of the context's subscriptions: the editor disposes those at once, while it waits for `deactivate`.
  extension = new WorkSessions(context);
}

/** A window that closes ends its session cleanly; the editor waits some seconds for it. */
export async function deactivate(): Promise<void> {
  await extension?.shutDown();
  extension?.dispose();
}

class WorkSessions extends DisposableStore {
  readonly #session: SessionService;

  constructor({ extensionUri, extensionPath, globalStorageUri }: vscode.ExtensionContext) {
    super();
    const channel = this.own(vscode.window.createOutputChannel('Work Sessions', { log: true }));
    const log = outputLog(channel);
    const clock = systemClock;
    const now = () => clock.now();
    const host = hostname();
    const inDist = (name: string) => join(extensionPath, 'dist', name);

    const files = diskFiles;
    const paths = new StoragePaths(globalStorageUri.fsPath);
    const storageLog = prefixed(log, 'storage');
    const onDamaged = (error: Error) => storageLog.warn(error.message);
    const storage = new SessionStorage({ files, paths, now, onDamaged });
    const attachments = new AttachmentStorage(files, paths, now);
    let indexLease: Lease | undefined;
    this.own({ dispose: () => void indexLease?.release() });
    const catalog = this.own(
      new SessionCatalog({
        files,
        paths,
        onDamaged,
        loadWasm: () => readFile(inDist('sql-wasm.wasm')),
        mayWrite: () => indexLease !== undefined,
      }),
    );

    const recorder = new ProcessRecorder({
      clock,
      log: prefixed(log, 'recorder'),
      processPath: inDist('recorderProcess.cjs'),
      libraryPath: libraryPathIn(extensionPath),
    });
    const store = { files, paths, storage, attachments, now };
    const tell = (message: string) => {
      log.warn(message);
      void tellProblem(message);
    };
    const session: SessionService = this.own(
      new SessionService({
        recorder,
        store,
        clock,
        host,
        ready: () => recovery.settled(),
        log: prefixed(log, 'session'),
        observers: [observeActiveFile(clock), observeEdits(clock), observeSaves(clock)],
        describe: () => describeSession(tell),
        onProblem: tell,
      }),
    );
    this.#session = session;

    const panels = this.own(
      new ReviewPanels({
        extensionUri,
        storageUri: globalStorageUri,
        store: storage,
        attachments,
        log: prefixed(log, 'review'),
      }),
    );
    this.own(new StatusBar(session));
    this.own(
      new SessionTree({
        list: () => catalog.list(),
        onDidChange: catalog.onDidChange,
        runningId: () => session.view.sessionId,
      }),
    );
    this.own(new Notifications(session));
    this.own(new Commands({ session, catalog, panels, channel, log: prefixed(log, 'commands') }));

    this.own(session.onDidChange(({ state }) => setState(state)));
    this.own(session.onDidEnd(({ sessionId }) => panels.sessionChanged(sessionId)));
    setState('idle');

    const recovery = new SessionRecovery({
      recorder,
      store,
      host,
      log: prefixed(log, 'recovery'),
      unfinished: () => catalog.list({ status: ['active', 'paused'] }),
      isIdle: () => session.view.state === 'idle',
    });
    const refreshAndRecover = async () => {
      await catalog.refresh();
      const recovered = await recovery.run();
      if (recovered.length === 0) return;
      await catalog.refresh();
      void tellRecovered(recovered);
    };
    const refresh = () =>
      void refreshAndRecover().catch((error: unknown) => storageLog.error('The sessions cannot be listed.', error));
    this.own(session.onDidChange(({ state }) => ['idle', 'active', 'paused'].includes(state) && refresh()));
    // Other windows record too: what they stored shows when the user comes back to this one.
    this.own(vscode.window.onDidChangeWindowState(({ focused }) => focused && refresh()));
    void Lease.acquire({ path: paths.indexLease, host })
      .then((lease) => {
        indexLease = lease;
        if (this.isDisposed) void lease.release();
      })
      .catch((error: unknown) => storageLog.info(`Another window writes the index. ${String(error)}`))
      .finally(refresh);
  }

  async shutDown(): Promise<void> {
    if (this.#session.view.state !== 'idle') await this.#session.end();
  }
}

function describeSession(onInvalidSetting: (message: string) => void) {
  const workspaceName = vscode.workspace.name;
  const time = systemClock.now().toLocaleTimeString(vscode.env.language, { hour: '2-digit', minute: '2-digit' });
  const name = vscode.l10n.t('{0} at {1}', workspaceName ?? vscode.l10n.t('Session'), time).slice(0, 200);
  return { name, workspaceName, settings: readSettings(onInvalidSetting) };
}

function setState(state: string): void {
  void vscode.commands.executeCommand('setContext', 'workSessions.state', state);
}
