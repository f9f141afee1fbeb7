/** Observes saves of files. */
import * as vscode from 'vscode';
import type { Clock } from '../platform/clock.ts';
import type { StartObserver } from './activityObserver.ts';
import { fileReferenceOf } from './fileReference.ts';

export const observeSaves =
  (clock: Clock): StartObserver =>
  (report) =>
    vscode.workspace.onDidSaveTextDocument((document) => {
      const monotonicMs = clock.monotonicMs();
      const file = fileReferenceOf(document);
      if (!file) return;
      const editor = vscode.window.visibleTextEditors.find((candidate) => candidate.document === document);
      report({ kind: 'save', file, line: editor?.selection.active.line ?? 0 }, monotonicMs);
    });
