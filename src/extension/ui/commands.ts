/** The commands: one table from name to deed, and the words for what they cannot do. */
import * as vscode from 'vscode';
import { toCodedError } from '../../shared/errors.ts';
import { idSchema } from '../../shared/model/identifiers.ts';
import { DisposableStore } from '../platform/disposable.ts';
import type { Logger } from '../platform/logger.ts';
import type { ReviewPanels } from '../review/reviewPanel.ts';
import type { SessionService } from '../session/sessionService.ts';
import type { SessionCatalog } from '../storage/sessionCatalog.ts';
import { type CommandId, commandIds } from './commandIds.ts';
import { sessionIdOfNode } from './sessionTree.ts';

export interface CommandsOptions {
  readonly session: SessionService;
  readonly catalog: SessionCatalog;
  readonly panels: ReviewPanels;
  readonly channel: vscode.LogOutputChannel;
  readonly log: Logger;
}

export class Commands extends DisposableStore {
  constructor(options: CommandsOptions) {
    super();
    const deeds = deedsOf(options);
    for (const id of commandIds) {
      this.own(vscode.commands.registerCommand(id, (argument: unknown) => this.#run(deeds[id], argument, options.log)));
    }
  }

  async #run(deed: Deed, argument: unknown, log: Logger): Promise<void> {
    try {
      await deed(argument);
    } catch (error) {
      const { message } = toCodedError(error);
      log.error(message, error);
      void vscode.window.showErrorMessage(message);
    }
  }
}

type Deed = (argument: unknown) => Promise<void> | void;

function deedsOf({ session, catalog, panels, channel }: CommandsOptions): Record<CommandId, Deed> {
  return {
    'workSessions.start': () => session.start(),
    'workSessions.pause': () => session.pause(),
    'workSessions.resume': () => session.resume(),
    'workSessions.end': () => session.end(),
    'workSessions.review': async (argument) => {
      const sessionId = sessionIdOf(argument) ?? (await newestFinished(catalog));
      if (sessionId) await panels.open(sessionId);
      else void vscode.window.showInformationMessage(vscode.l10n.t('There is no session to review yet.'));
    },
    'workSessions.showLog': () => channel.show(),
  };
}

function sessionIdOf(argument: unknown): string | undefined {
  return idSchema.safeParse(argument).data ?? sessionIdOfNode(argument);
}

async function newestFinished(catalog: SessionCatalog): Promise<string | undefined> {
  await catalog.refresh();
  return catalog.list({ status: ['completed', 'interrupted'], limit: 1 })[0]?.id;
}
