/** How the timeline's kinds are named, drawn and filtered, and which of its rows belongs to a moment; pure. */
import type { TimelineItem, TimelineKind } from '../../shared/timeline.ts';
import { lastBegunAt } from './playback/mediaPlan.ts';

export interface KindPresentation {
  /** On the filter. */
  readonly label: string;
  readonly icon: string;
}

/** In the order of the filters. */
export const timelineKinds: Readonly<Record<TimelineKind, KindPresentation>> = {
  screenshot: { label: 'Screenshots', icon: 'device-camera' },
  edit: { label: 'Edits', icon: 'edit' },
  save: { label: 'Saves', icon: 'save' },
  fileFocused: { label: 'Files', icon: 'file' },
  paused: { label: 'Pauses', icon: 'debug-pause' },
  problem: { label: 'Problems', icon: 'warning' },
};

export const kindNames = Object.keys(timelineKinds) as TimelineKind[];

export function countKinds(items: readonly TimelineItem[]): ReadonlyMap<TimelineKind, number> {
  const counts = new Map<TimelineKind, number>();
  for (const { kind } of items) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

export function visibleItems(
  items: readonly TimelineItem[],
  hidden: ReadonlySet<TimelineKind>,
): readonly TimelineItem[] {
  return hidden.size === 0 ? items : items.filter((item) => !hidden.has(item.kind));
}

/** A row that the user chose; it stays current while playback is at its moment, whatever else begins with it. */
export interface ChosenRow {
  readonly id: string;
  readonly offsetMs: number;
}

export function currentIndex(items: readonly TimelineItem[], offsetMs: number, chosen?: ChosenRow): number {
  const last = lastBegunAt(items, offsetMs);
  if (!chosen || items[last]?.offsetMs !== chosen.offsetMs) return last;
  let index = last;
  while (index >= 0 && items[index]?.offsetMs === chosen.offsetMs && items[index]?.id !== chosen.id) index--;
  return items[index]?.id === chosen.id ? index : last;
}

export function fileOf(item: TimelineItem): { uri: string; line: number } | undefined {
  switch (item.kind) {
    case 'edit':
      return { uri: item.file.uri, line: item.startLine };
    case 'save':
    case 'fileFocused':
      return { uri: item.file.uri, line: item.line };
    case 'screenshot':
    case 'paused':
    case 'problem':
      return undefined;
  }
}

export function parseHiddenKinds(kept: unknown): readonly TimelineKind[] | undefined {
  return Array.isArray(kept) ? kindNames.filter((kind) => kept.includes(kind)) : undefined;
}
