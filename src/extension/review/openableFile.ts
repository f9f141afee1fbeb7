/** Decides which addresses from the panel may be opened as documents: only what a workspace can hold, never a command. */

/** `untitled` documents are opened only while they still exist: asking for one that is gone would make an empty one. */
const openableSchemes: ReadonlySet<string> = new Set([
  'file',
  'untitled',
  'vscode-remote',
  'vscode-vfs',
  'vscode-notebook-cell',
]);

/** The scheme of an address that may be opened, or nothing. */
export function openableScheme(uri: string): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
  return scheme !== undefined && openableSchemes.has(scheme) ? scheme : undefined;
}
