/** The one status bar item: the session's state and elapsed time, and a warning while something does not record. */
import * as vscode from 'vscode';
import { assertNever } from '../../shared/assertNever.ts';
import { formatClock } from '../../shared/formatDuration.ts';
import { DisposableStore } from '../platform/disposable.ts';
import type { SessionService, SessionView } from '../session/sessionService.ts';
import type { CommandId } from './commandIds.ts';

interface Face {
  readonly text: string;
  readonly tooltip: string;
  readonly command: CommandId | undefined;
}

export class StatusBar extends DisposableStore {
  readonly #session: SessionService;
  readonly #item: vscode.StatusBarItem;
  #ticker: NodeJS.Timeout | undefined;

  constructor(session: SessionService) {
    super();
    this.#session = session;
    this.#item = this.own(vscode.window.createStatusBarItem('workSessions.state', vscode.StatusBarAlignment.Left, 100));
    this.#item.name = vscode.l10n.t('Work Sessions');
    this.own(session.onDidChange(() => this.#update()));
    this.own({ dispose: () => clearInterval(this.#ticker) });
    this.#update();
    this.#item.show();
  }

  #update(): void {
    const { view } = this.#session;
    this.#draw(view);
    clearInterval(this.#ticker);
    // Four times a second, so that a second is never skipped; the item is redrawn only when its text changes.
    if (view.state === 'active') this.#ticker = setInterval(() => this.#draw(view), 250);
  }

  #draw(view: SessionView): void {
    const face = faceOf(view, formatClock(this.#session.elapsedMs()));
    const isWarning = view.warnings.length > 0;
    const text = isWarning ? `$(warning) ${face.text}` : face.text;
    const tooltip = [...view.warnings, face.tooltip].join('\n');
    if (this.#item.text === text && this.#item.tooltip === tooltip) return;
    this.#item.text = text;
    this.#item.tooltip = tooltip;
    this.#item.command = face.command;
    this.#item.accessibilityInformation = { label: tooltip };
    this.#item.backgroundColor = isWarning ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
  }
}

function faceOf({ state }: SessionView, elapsed: string): Face {
  const t = vscode.l10n.t;
  switch (state) {
    case 'idle':
    case 'completed':
    case 'error':
      return {
        text: t('$(circle-outline) Session'),
        tooltip: t('Start a work session'),
        command: 'workSessions.start',
      };
    case 'validating':
    case 'checkingPermissions':
    case 'starting':
      return { text: t('$(loading~spin) Starting'), tooltip: t('The session is starting'), command: undefined };
    case 'active':
      return {
        text: `$(record) ${elapsed}`,
        tooltip: t('Recording. Click to end the session.'),
        command: 'workSessions.end',
      };
    case 'pausing':
      return { text: t('$(loading~spin) Pausing'), tooltip: t('The session is being paused'), command: undefined };
    case 'paused':
      return {
        text: t('$(debug-pause) Paused {0}', elapsed),
        tooltip: t('Paused: nothing is recorded. Click to resume.'),
        command: 'workSessions.resume',
      };
    case 'resuming':
      return { text: t('$(loading~spin) Resuming'), tooltip: t('The session is being resumed'), command: undefined };
    case 'ending':
      return { text: t('$(loading~spin) Saving'), tooltip: t('The session is being saved'), command: undefined };
    default:
      return assertNever(state, 'session state');
  }
}
