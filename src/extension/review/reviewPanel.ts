/** Owns the review panels, one for each session that is open; each asks again for its data whenever it comes into being. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { toCodedError } from '../../shared/errors.ts';
import { idSchema } from '../../shared/model/identifiers.ts';
import { MessageHandler } from '../../shared/protocol/messageHandler.ts';
import { reviewHostContract, reviewViewContract } from '../../shared/protocol/review.ts';
import { DisposableStore } from '../platform/disposable.ts';
import { isProcessAlive } from '../platform/processes.ts';
import { openableScheme } from './openableFile.ts';
import { reviewHtml } from './reviewHtml.ts';
import { ReviewRequests } from './reviewRequests.ts';
import type { ReviewAttachments, ReviewLog, ReviewStore } from './reviewStore.ts';
import { SessionMediaFolder, sweepWindowFolders } from './sessionMediaFolder.ts';

export const reviewPanelType = 'workSessions.review';

export interface ReviewPanelsOptions {
  readonly extensionUri: vscode.Uri;
  /** The extension's globalStorage. */
  readonly storageUri: vscode.Uri;
  readonly store: ReviewStore;
  readonly attachments: ReviewAttachments;
  readonly log: ReviewLog;
}

export class ReviewPanels extends DisposableStore {
  readonly #options: ReviewPanelsOptions;
  readonly #panels = new Map<string, ReviewPanel>();
  /** Opening takes a moment: a second request for the same session waits for the first. */
  readonly #opening = new Map<string, Promise<void>>();
  readonly #windowFolder: string;

  constructor(options: ReviewPanelsOptions) {
    super();
    this.#options = options;
    const reviewFolder = join(options.storageUri.fsPath, 'review');
    this.#windowFolder = join(reviewFolder, `${process.pid}-${randomBytes(4).toString('hex')}`);
    void sweepWindowFolders(reviewFolder, isProcessAlive);
    this.own({ dispose: () => void rm(this.#windowFolder, { recursive: true, force: true }).catch(() => undefined) });
    // The tabs stay: when the window reloads, VS Code closes the extension first and restores them afterwards.
    this.own({ dispose: () => [...this.#panels.values()].forEach((panel) => panel.dispose()) });
    this.own(
      vscode.window.registerWebviewPanelSerializer(reviewPanelType, {
        deserializeWebviewPanel: (panel, state) => this.#restore(panel, state),
      }),
    );
  }

  /** Shows the session, in the panel that it already has where it has one, at `offsetMs` where that is given. */
  async open(sessionId: string, offsetMs?: number): Promise<void> {
    const existing = this.#panels.get(sessionId);
    if (existing) {
      existing.reveal(offsetMs);
      return;
    }
    const opening = this.#opening.get(sessionId) ?? this.#create(sessionId);
    this.#opening.set(sessionId, opening);
    try {
      await opening;
      if (offsetMs !== undefined) this.#panels.get(sessionId)?.reveal(offsetMs);
    } finally {
      this.#opening.delete(sessionId);
    }
  }

  /** Tells the session's panel, if it is open, that there is more to ask for. */
  sessionChanged(sessionId: string): void {
    void this.#panels.get(sessionId)?.refresh();
  }

  async #create(sessionId: string, restored?: vscode.WebviewPanel): Promise<void> {
    const { storageUri, attachments } = this.#options;
    const blobFolder = join(storageUri.fsPath, 'attachments', 'blobs');
    const media = await SessionMediaFolder.create(this.#windowFolder, sessionId, blobFolder, attachments);
    const webviewPanel =
      restored ?? vscode.window.createWebviewPanel(reviewPanelType, vscode.l10n.t('Session'), vscode.ViewColumn.Active);
    const panel = new ReviewPanel(sessionId, webviewPanel, media, this.#options);
    this.#panels.set(sessionId, panel);
    webviewPanel.onDidDispose(() => {
      panel.dispose();
      if (this.#panels.get(sessionId) === panel) this.#panels.delete(sessionId);
    });
    if (this.isDisposed) panel.dispose();
  }

  /** The state is what the webview kept; a panel whose state cannot be read, or that is open already, is closed. */
  async #restore(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const kept = typeof state === 'object' && state !== null && 'sessionId' in state ? state.sessionId : undefined;
    const sessionId = idSchema.safeParse(kept);
    if (sessionId.success && !this.#panels.has(sessionId.data)) {
      await this.#create(sessionId.data, panel);
    } else {
      this.#options.log.warn(`A review panel cannot be restored from its state (keys: ${keysOf(state)})`);
      panel.dispose();
    }
  }
}

function keysOf(state: unknown): string {
  return typeof state === 'object' && state !== null ? Object.keys(state).join(', ') : typeof state;
}

/** Disposing it leaves the tab open: VS Code owns that, and may restore it. */
class ReviewPanel extends DisposableStore {
  readonly #messages: MessageHandler<typeof reviewHostContract, typeof reviewViewContract>;
  /** Where to go once the webview is there to be told. */
  #seekWhenReady: number | undefined;
  #asked = false;

  constructor(
    private readonly sessionId: string,
    private readonly panel: vscode.WebviewPanel,
    media: SessionMediaFolder,
    private readonly options: ReviewPanelsOptions,
  ) {
    super();
    const { webview } = panel;
    this.own(media);
    const requests = new ReviewRequests(
      sessionId,
      options.store,
      { urlOf: async (id) => webview.asWebviewUri(vscode.Uri.file(await media.place(id))).toString() },
      options.log,
    );
    this.#messages = this.own(
      new MessageHandler({
        incoming: reviewHostContract,
        outgoing: reviewViewContract,
        requests: {
          getSession: async () => {
            const session = await requests.getSession();
            this.panel.title = session.metadata.name;
            return session;
          },
          getTimeline: async () => {
            const timeline = await requests.getTimeline();
            this.#webviewAsked();
            return timeline;
          },
          openFile: async ({ uri, line }) => ({ opened: await this.#openFile(uri, line) }),
        },
        events: {
          webviewError: ({ message }) => options.log.warn(`Review panel of session ${sessionId}: ${message}`),
        },
        // A hidden panel drops messages; it asks again when it is shown.
        post: (message) => void webview.postMessage(message),
        onProblem: (error) => options.log.warn(`Review panel of session ${sessionId}: ${error.message}`),
      }),
    );
    this.own(webview.onDidReceiveMessage((message) => this.#messages.receive(message)));
    panel.iconPath = {
      light: vscode.Uri.joinPath(options.extensionUri, 'media', 'review-light.svg'),
      dark: vscode.Uri.joinPath(options.extensionUri, 'media', 'review-dark.svg'),
    };
    const dist = vscode.Uri.joinPath(options.extensionUri, 'dist');
    const distUrl = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(dist, name)).toString();
    webview.options = {
      enableScripts: true,
      enableCommandUris: false,
      enableForms: false,
      localResourceRoots: [dist, vscode.Uri.file(media.root)],
    };
    webview.html = reviewHtml({
      sessionId,
      language: vscode.env.language,
      cspSource: webview.cspSource,
      scriptUrl: distUrl('review.js'),
      styleUrls: [distUrl('codicon.css'), distUrl('review.css')],
    });
  }

  reveal(offsetMs?: number): void {
    const wasVisible = this.panel.visible;
    this.panel.reveal();
    if (offsetMs === undefined) return;
    if (wasVisible && this.#asked) this.#messages.emit('seek', { offsetMs });
    else this.#seekWhenReady = offsetMs;
  }

  /** A name that changed shows in the title even while the panel is hidden; the panel of a deleted session closes. */
  async refresh(): Promise<void> {
    try {
      const metadata = await this.options.store.getMetadata(this.sessionId);
      if (this.isDisposed) return;
      if (metadata) this.panel.title = metadata.name;
      else this.panel.dispose();
    } catch (error) {
      if (toCodedError(error).code === 'notFound') this.panel.dispose();
    }
    this.#messages.emit('sessionChanged', { sessionId: this.sessionId });
  }

  #webviewAsked(): void {
    this.#asked = true;
    const offsetMs = this.#seekWhenReady;
    this.#seekWhenReady = undefined;
    // After the answer that is being sent, so that the webview knows the session before it is told where to go.
    if (offsetMs !== undefined) setTimeout(() => this.#messages.emit('seek', { offsetMs }), 0);
  }

  async #openFile(address: string, line: number): Promise<boolean> {
    const scheme = openableScheme(address);
    if (!scheme) {
      void vscode.window.showWarningMessage(vscode.l10n.t('This kind of file cannot be opened: {0}', address));
      return false;
    }
    const uri = vscode.Uri.parse(address);
    try {
      const document =
        scheme === 'untitled'
          ? vscode.workspace.textDocuments.find((open) => open.uri.toString() === uri.toString())
          : await vscode.workspace.openTextDocument(uri);
      if (!document) {
        const words = vscode.l10n.t('“{0}” was never saved and is closed now.', uri.path);
        void vscode.window.showWarningMessage(words);
        return false;
      }
      const position = new vscode.Position(Math.min(line, Math.max(0, document.lineCount - 1)), 0);
      await vscode.window.showTextDocument(document, {
        // Always the same neighbour: “beside” would open one more column for every click.
        viewColumn: this.panel.viewColumn === vscode.ViewColumn.One ? vscode.ViewColumn.Two : vscode.ViewColumn.One,
        selection: new vscode.Range(position, position),
        preview: true,
      });
      return true;
    } catch (error) {
      const { message } = toCodedError(error);
      this.options.log.warn(`Cannot open a file of session ${this.sessionId}: ${message}`);
      void vscode.window.showWarningMessage(
        vscode.l10n.t('“{0}” cannot be opened. It may have been moved or deleted since.', uri.fsPath),
      );
      return false;
    }
  }
}
