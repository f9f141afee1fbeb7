/** The session tree: the running session on top, then the recorded ones by day, newest first. */
import * as vscode from 'vscode';
import { formatLength } from '../../shared/formatDuration.ts';
import type { SessionMetadata } from '../../shared/model/sessionMetadata.ts';
import { DisposableStore } from '../platform/disposable.ts';
import type { Event } from '../platform/emitter.ts';

export interface SessionTreeSource {
  /** Newest first. */
  list(): readonly SessionMetadata[];
  readonly onDidChange: Event<void>;
  /** The session of this window, while there is one. Only one window records, so others are then left over from a crash. */
  runningId(): string | undefined;
}

type Node =
  | { readonly kind: 'day'; readonly label: string; readonly sessions: readonly SessionMetadata[] }
  | { readonly kind: 'session'; readonly session: SessionMetadata };

export class SessionTree extends DisposableStore implements vscode.TreeDataProvider<Node> {
  readonly #source: SessionTreeSource;
  readonly #changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(source: SessionTreeSource) {
    super();
    this.#source = source;
    this.own(source.onDidChange(() => this.#changed.fire()));
    this.own(vscode.window.createTreeView('workSessions.sessions', { treeDataProvider: this, showCollapseAll: true }));
  }

  getChildren(node?: Node): Node[] {
    if (!node) return groupByDay(this.#source.list(), new Date());
    return node.kind === 'day' ? node.sessions.map((session) => ({ kind: 'session', session })) : [];
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if (node.kind === 'session') return itemOf(node.session, this.#isLeftOver(node.session));
    const item = new vscode.TreeItem(node.label, vscode.TreeItemCollapsibleState.Expanded);
    item.id = `day/${node.label}`;
    return item;
  }

  #isLeftOver({ id, status }: SessionMetadata): boolean {
    const runningId = this.#source.runningId();
    return (status === 'active' || status === 'paused') && runningId !== undefined && runningId !== id;
  }
}

/** The session that a tree item stands for: what a command on the item is given. */
export function sessionIdOfNode(argument: unknown): string | undefined {
  const node = argument as Partial<Extract<Node, { kind: 'session' }>> | undefined;
  return node?.kind === 'session' ? node.session?.id : undefined;
}

function groupByDay(sessions: readonly SessionMetadata[], today: Date): Node[] {
  const days = new Map<string, SessionMetadata[]>();
  for (const session of sessions) {
    const label = dayLabel(new Date(session.startTime), today);
    days.set(label, [...(days.get(label) ?? []), session]);
  }
  return [...days].map(([label, ofDay]) => ({ kind: 'day', label, sessions: ofDay }));
}

function dayLabel(day: Date, today: Date): string {
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (day.toDateString() === today.toDateString()) return vscode.l10n.t('Today');
  if (day.toDateString() === yesterday.toDateString()) return vscode.l10n.t('Yesterday');
  return day.toLocaleDateString(vscode.env.language, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  });
}

function itemOf(session: SessionMetadata, isLeftOver: boolean): vscode.TreeItem {
  const item = new vscode.TreeItem(session.name);
  const isFinished = session.status === 'completed' || session.status === 'interrupted';
  item.id = session.id;
  item.description = isLeftOver ? vscode.l10n.t('not ended, will be recovered') : descriptionOf(session);
  item.iconPath = isLeftOver ? iconOf({ status: 'interrupted' }) : iconOf(session);
  item.tooltip = tooltipOf(session);
  item.contextValue = isFinished ? 'finishedSession' : 'runningSession';
  if (isFinished) {
    item.command = {
      command: 'workSessions.review',
      title: vscode.l10n.t('Review Session'),
      arguments: [{ kind: 'session', session }],
    };
  }
  return item;
}

function descriptionOf({ status, totalDuration }: SessionMetadata): string {
  switch (status) {
    case 'active':
      return vscode.l10n.t('recording');
    case 'paused':
      return vscode.l10n.t('paused');
    case 'completed':
    case 'interrupted':
      return formatLength(totalDuration ?? 0);
  }
}

function iconOf({ status }: Pick<SessionMetadata, 'status'>): vscode.ThemeIcon {
  switch (status) {
    case 'active':
      return new vscode.ThemeIcon('record', new vscode.ThemeColor('charts.red'));
    case 'paused':
      return new vscode.ThemeIcon('debug-pause');
    case 'completed':
      return new vscode.ThemeIcon('play-circle');
    case 'interrupted':
      return new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
  }
}

/** As text: names and problems are the user's and the system's words, never markup. */
function tooltipOf({ name, startTime, totalDuration, counts, problems }: SessionMetadata): string {
  const lines = [name, new Date(startTime).toLocaleString(vscode.env.language)];
  if (totalDuration !== undefined) lines.push(formatLength(totalDuration));
  if (counts) {
    lines.push(vscode.l10n.t('Screenshots: {0}, editor events: {1}', counts.screenshots, counts.activityEvents));
  }
  return [...lines, ...(problems ?? [])].join('\n');
}
