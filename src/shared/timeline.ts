/** The timeline that a person reads: screenshots and editor events in time order, bursts of typing folded into one item. */
import * as z from 'zod';
import { assertNever } from './assertNever.ts';
import { type ActivityEvent, fileReferenceSchema } from './model/activity.ts';
import { idSchema, offsetMsSchema } from './model/identifiers.ts';

const itemBase = { id: idSchema, offsetMs: offsetMsSchema };

export const timelineItemSchema = z.discriminatedUnion('kind', [
  z.object({
    ...itemBase,
    kind: z.literal('screenshot'),
    /** Absent where the picture itself is missing. */
    url: z.string().optional(),
    width: z.number().positive(),
    height: z.number().positive(),
  }),
  z.object({ ...itemBase, kind: z.literal('fileFocused'), file: fileReferenceSchema, line: z.number().int().min(0) }),
  z.object({
    ...itemBase,
    kind: z.literal('edit'),
    file: fileReferenceSchema,
    /** Where the burst touched the file, counted from 0, both included. */
    startLine: z.number().int().min(0),
    endLine: z.number().int().min(0),
    charactersAdded: z.number().int().min(0),
    charactersRemoved: z.number().int().min(0),
    /** Media time of the burst's last edit. */
    endOffsetMs: offsetMsSchema,
  }),
  z.object({ ...itemBase, kind: z.literal('save'), file: fileReferenceSchema, line: z.number().int().min(0) }),
  z.object({ ...itemBase, kind: z.literal('paused'), durationMs: z.number().min(0) }),
  z.object({ ...itemBase, kind: z.literal('problem'), service: z.string(), message: z.string() }),
]);
export type TimelineItem = z.infer<typeof timelineItemSchema>;
export type TimelineKind = TimelineItem['kind'];
export type TimelineScreenshot = Extract<TimelineItem, { kind: 'screenshot' }>;
export type TimelineEdit = Extract<TimelineItem, { kind: 'edit' }>;

/** Edits of one file that follow one another within this time and these lines are one burst. */
const burstGapMs = 3000;
const burstLines = 5;

/** Merges what was recorded into one list ordered by offset; equal offsets keep the order screenshots, then events. */
export function buildTimeline(
  screenshots: readonly TimelineScreenshot[],
  events: readonly ActivityEvent[],
): TimelineItem[] {
  return [...screenshots, ...foldEvents(events)].sort((a, b) => a.offsetMs - b.offsetMs);
}

function foldEvents(events: readonly ActivityEvent[]): TimelineItem[] {
  const items: TimelineItem[] = [];
  let burst: TimelineEdit | undefined;
  for (const event of [...events].sort((a, b) => a.offsetMs - b.offsetMs || a.sequenceNumber - b.sequenceNumber)) {
    const item = itemOf(event);
    if (item.kind === 'edit' && burst && continues(burst, item)) {
      absorb(burst, item);
      continue;
    }
    burst = item.kind === 'edit' ? item : undefined;
    items.push(item);
  }
  return items;
}

function continues(burst: TimelineEdit, next: TimelineEdit): boolean {
  return (
    burst.file.uri === next.file.uri &&
    next.offsetMs - burst.endOffsetMs <= burstGapMs &&
    next.startLine <= burst.endLine + burstLines &&
    next.endLine >= burst.startLine - burstLines
  );
}

function absorb(burst: TimelineEdit, next: TimelineEdit): void {
  burst.startLine = Math.min(burst.startLine, next.startLine);
  burst.endLine = Math.max(burst.endLine, next.endLine);
  burst.charactersAdded += next.charactersAdded;
  burst.charactersRemoved += next.charactersRemoved;
  burst.endOffsetMs = next.offsetMs;
}

function itemOf(event: ActivityEvent): TimelineItem {
  const { id, offsetMs } = event;
  switch (event.kind) {
    case 'fileFocused':
    case 'save':
      return { id, offsetMs, kind: event.kind, file: event.file, line: event.line };
    case 'edit':
      return {
        id,
        offsetMs,
        kind: 'edit',
        file: event.file,
        startLine: Math.min(...event.ranges.map((range) => range.startLine)),
        endLine: Math.max(...event.ranges.map((range) => range.endLine)),
        charactersAdded: sum(event.ranges.map((range) => range.charactersAdded)),
        charactersRemoved: sum(event.ranges.map((range) => range.charactersRemoved)),
        endOffsetMs: offsetMs,
      };
    case 'paused':
      return { id, offsetMs, kind: 'paused', durationMs: event.durationMs };
    case 'problem':
      return { id, offsetMs, kind: 'problem', service: event.service, message: event.message };
    default:
      return assertNever(event, 'activity event');
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
