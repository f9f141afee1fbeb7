/** How recorded events become the timeline that a person reads. */
import assert from 'node:assert/strict';
import type { ActivityEvent, ActivityEventBody } from '../../../src/shared/model/activity.ts';
import { buildTimeline, timelineItemSchema } from '../../../src/shared/timeline.ts';

let number = 0;
const id = (): string => `00000000-0000-4000-8000-${(++number).toString().padStart(12, '0')}`;
const event = (offsetMs: number, body: ActivityEventBody): ActivityEvent => ({
  ...body,
  id: id(),
  sequenceNumber: number,
  timestamp: '2026-11-20T09:00:00.000Z',
  offsetMs,
});
const file = (path: string) => ({ path, uri: `file:///${path}` });
const edit = (offsetMs: number, path: string, line: number, added = 1): ActivityEvent =>
  event(offsetMs, {
    kind: 'edit',
    file: file(path),
    ranges: [{ startLine: line, endLine: line, charactersAdded: added, charactersRemoved: 1 }],
  });

describe('buildTimeline', () => {
  it('folds a burst of typing into one item with its sums, its lines and its end', () => {
    const [item, ...others] = buildTimeline([], [edit(0, 'a.ts', 10), edit(500, 'a.ts', 12), edit(900, 'a.ts', 11, 5)]);
    assert.equal(others.length, 0);
    assert.ok(item?.kind === 'edit');
    assert.deepEqual(
      [item.startLine, item.endLine, item.charactersAdded, item.charactersRemoved, item.offsetMs, item.endOffsetMs],
      [10, 12, 7, 3, 0, 900],
    );
  });

  it('begins a new item for another file, a distant line, a long break, and after any other event', () => {
    const cases: ActivityEvent[][] = [
      [edit(0, 'a.ts', 1), edit(1, 'b.ts', 1)],
      [edit(0, 'a.ts', 1), edit(1, 'a.ts', 50)],
      [edit(0, 'a.ts', 1), edit(5000, 'a.ts', 1)],
      [edit(0, 'a.ts', 1), event(1, { kind: 'save', file: file('a.ts'), line: 1 }), edit(2, 'a.ts', 1)],
    ];
    for (const events of cases) {
      assert.equal(buildTimeline([], events).filter(({ kind }) => kind === 'edit').length, 2);
    }
  });

  it('orders by time whatever order it is given, screenshots first at one moment', () => {
    const shot = { kind: 'screenshot', id: id(), offsetMs: 100, url: 'x', width: 1, height: 1 } as const;
    const items = buildTimeline([shot], [edit(5000, 'a.ts', 1), edit(100, 'b.ts', 1)]);
    assert.deepEqual(
      items.map(({ kind, offsetMs }) => [kind, offsetMs]),
      [
        ['screenshot', 100],
        ['edit', 100],
        ['edit', 5000],
      ],
    );
  });

  it('does not change the events, and makes items that pass the contract', () => {
    const events = [
      edit(0, 'a.ts', 1),
      edit(10, 'a.ts', 2),
      event(20, { kind: 'paused', durationMs: 4 }),
      event(30, { kind: 'problem', service: 'audio', message: 'gone' }),
      event(40, { kind: 'fileFocused', file: file('b.ts'), line: 0 }),
    ];
    const before = structuredClone(events);
    for (const item of buildTimeline([], events)) assert.ok(timelineItemSchema.safeParse(item).success);
    assert.deepEqual(events, before);
  });
});
