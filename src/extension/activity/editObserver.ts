/** Observes changes of text: where and how much, never what. */
import * as vscode from 'vscode';
import { editedRanges } from '../../shared/editedRanges.ts';
import type { Clock } from '../platform/clock.ts';
import type { StartObserver } from './activityObserver.ts';
import { fileReferenceOf } from './fileReference.ts';

export const observeEdits =
  (clock: Clock): StartObserver =>
  (report) =>
    vscode.workspace.onDidChangeTextDocument(({ document, contentChanges, reason }) => {
      const monotonicMs = clock.monotonicMs();
      // The editor also tells that a document became clean or dirty, with no change in it.
      if (contentChanges.length === 0) return;
      const file = fileReferenceOf(document);
      if (!file) return;
      const ranges = editedRanges(
        contentChanges.map(({ range, rangeLength, text }) => ({
          startLine: range.start.line,
          endLine: range.end.line,
          removedLength: rangeLength,
          text,
        })),
      );
      report({ kind: 'edit', file, ranges, ...reasonOf(reason) }, monotonicMs);
    });

function reasonOf(reason: vscode.TextDocumentChangeReason | undefined): { reason?: 'undo' | 'redo' } {
  if (reason === vscode.TextDocumentChangeReason.Undo) return { reason: 'undo' };
  if (reason === vscode.TextDocumentChangeReason.Redo) return { reason: 'redo' };
  return {};
}
