/** The editor's log channel behind our Logger. */
import type * as vscode from 'vscode';
import type { Logger } from './logger.ts';

export function outputLog(channel: vscode.LogOutputChannel): Logger {
  return {
    debug: (message) => channel.debug(message),
    info: (message) => channel.info(message),
    warn: (message) => channel.warn(message),
    error: (message, cause) => {
      channel.error(message);
      if (cause !== undefined) channel.error(cause instanceof Error ? cause : JSON.stringify(cause));
    },
  };
}
