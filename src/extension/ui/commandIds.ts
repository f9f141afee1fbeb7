/** The names of the commands, as package.json contributes them. */

export const commandIds = [
  'workSessions.start',
  'workSessions.pause',
  'workSessions.resume',
  'workSessions.end',
  'workSessions.review',
  'workSessions.showLog',
] as const;
export type CommandId = (typeof commandIds)[number];
