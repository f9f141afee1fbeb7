/** How a document is named in the activity, and which documents are the user's files at all. */
import { posix } from 'node:path';
import * as vscode from 'vscode';
import type { FileReference } from '../../shared/model/activity.ts';

/** Schemes of documents that a person edits; output panes, diffs' left sides and settings views are not among them. */
const userSchemes = new Set(['file', 'untitled', 'vscode-remote', 'vscode-vfs', 'vscode-notebook-cell']);

/** Nothing for a document that is not the user's file. */
export function fileReferenceOf({ uri }: vscode.TextDocument): FileReference | undefined {
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  if (!folder && !userSchemes.has(uri.scheme)) return undefined;
  const path = folder ? posix.relative(folder.uri.path, uri.path) : uri.path;
  return {
    path: (path || posix.basename(uri.path)).slice(0, 1000),
    uri: uri.toString().slice(0, 2000),
    ...(folder ? { workspace: folder.name } : {}),
  };
}
