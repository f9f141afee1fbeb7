/** What the user must know, in the editor's notifications: a saved session, a failed one, and what could not be recorded. */
import * as vscode from 'vscode';
import type { CodedError } from '../../shared/errors.ts';
import type { SessionMetadata } from '../../shared/model/sessionMetadata.ts';
import { DisposableStore } from '../platform/disposable.ts';
import type { SessionOutcome, SessionService } from '../session/sessionService.ts';
import type { CommandId } from './commandIds.ts';

export class Notifications extends DisposableStore {
  constructor(session: SessionService) {
    super();
    this.own(session.onDidEnd((outcome) => void tellSaved(outcome)));
    this.own(session.onDidFail((error) => void tellFailed(error)));
  }
}

/** Something is not recorded, while the rest is. */
export async function tellProblem(message: string): Promise<void> {
  await offer(vscode.window.showWarningMessage, message, vscode.l10n.t('Show Log'), 'workSessions.showLog');
}

/** Sessions that a crash, of the editor or the machine, had left unfinished. */
export async function tellRecovered(sessions: readonly SessionMetadata[]): Promise<void> {
  const [first] = sessions;
  if (!first) return;
  const message =
    sessions.length === 1
      ? vscode.l10n.t('The session "{0}" was not ended. What was recorded of it is recovered.', first.name)
      : vscode.l10n.t('{0} sessions were not ended. What was recorded of them is recovered.', sessions.length);
  await offer(vscode.window.showInformationMessage, message, vscode.l10n.t('Review'), 'workSessions.review', first.id);
}

async function tellSaved({ sessionId, interruptedBecause }: SessionOutcome): Promise<void> {
  const message = interruptedBecause
    ? vscode.l10n.t('The session ended early. What was recorded until then is saved.')
    : vscode.l10n.t('Session saved.');
  await offer(vscode.window.showInformationMessage, message, vscode.l10n.t('Review'), 'workSessions.review', sessionId);
}

async function tellFailed(error: CodedError): Promise<void> {
  await offer(vscode.window.showErrorMessage, error.message, vscode.l10n.t('Show Log'), 'workSessions.showLog');
}

type Show = (message: string, action: string) => Thenable<string | undefined>;

async function offer(
  show: Show,
  message: string,
  action: string,
  command: CommandId,
  argument?: string,
): Promise<void> {
  if ((await show(message, action)) === action) await vscode.commands.executeCommand(command, argument);
}
