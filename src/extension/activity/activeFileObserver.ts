/** Observes which file the user looks at. */
import * as vscode from 'vscode';
import type { Clock } from '../platform/clock.ts';
import type { StartObserver } from './activityObserver.ts';
import { fileReferenceOf } from './fileReference.ts';

export const observeActiveFile =
  (clock: Clock): StartObserver =>
  (report) => {
    const tell = (editor: vscode.TextEditor | undefined) => {
      const monotonicMs = clock.monotonicMs();
      const file = editor && fileReferenceOf(editor.document);
      if (file) report({ kind: 'fileFocused', file, line: editor.selection.active.line }, monotonicMs);
    };
    // The file that is open when a session starts belongs to its story.
    tell(vscode.window.activeTextEditor);
    return vscode.window.onDidChangeActiveTextEditor(tell);
  };
