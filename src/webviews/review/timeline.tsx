/** The timeline: filters, and the rows in time order, which follow playback until the user scrolls away from it. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { counted } from '../common/format.ts';
import { Icon } from '../common/icon.tsx';
import type { TimelineItem, TimelineKind } from '../../shared/timeline.ts';
import type { Playback } from './playback/playback.ts';
import { type ChosenRow, countKinds, currentIndex, kindNames, timelineKinds, visibleItems } from './timelineModel.ts';
import { estimatedHeight, TimelineRow } from './timelineRow.tsx';
import { useSize } from './usePage.ts';
import { usePosition } from './usePlayback.ts';
import { useVirtualList } from './useVirtualList.ts';

export interface TimelineProps {
  readonly items: readonly TimelineItem[];
  readonly playback: Playback;
  readonly hidden: readonly TimelineKind[];
  readonly onHide: (hidden: readonly TimelineKind[]) => void;
  readonly chosen: ChosenRow | undefined;
  readonly onChoose: (item: TimelineItem) => void;
  readonly onOpenFile: (uri: string, line: number) => void;
}

export function Timeline(props: TimelineProps) {
  const { items, hidden } = props;
  const shown = useMemo(() => visibleItems(items, new Set(hidden)), [items, hidden]);
  return (
    <section class="timeline" aria-label="Timeline">
      {items.length > 0 && <Filters items={items} hidden={hidden} onHide={props.onHide} />}
      {shown.length > 0 ? (
        <Rows {...props} shown={shown} />
      ) : (
        <p class="empty" data-testid="timeline-empty">
          {items.length === 0
            ? 'Nothing happened in the editor while this was recorded.'
            : 'Everything is filtered out. Turn a filter on to see it again.'}
        </p>
      )}
    </section>
  );
}

function Filters(props: {
  readonly items: readonly TimelineItem[];
  readonly hidden: readonly TimelineKind[];
  readonly onHide: (hidden: readonly TimelineKind[]) => void;
}) {
  const counts = useMemo(() => countKinds(props.items), [props.items]);
  const toggle = (kind: TimelineKind): void =>
    props.onHide(
      props.hidden.includes(kind) ? props.hidden.filter((other) => other !== kind) : [...props.hidden, kind],
    );
  return (
    <div class="filters" role="group" aria-label="Show in the timeline">
      {kindNames
        .filter((kind) => counts.has(kind))
        .map((kind) => (
          <button
            key={kind}
            type="button"
            class="chip"
            aria-pressed={!props.hidden.includes(kind)}
            aria-label={`${timelineKinds[kind].label}: ${counts.get(kind) ?? 0}`}
            data-testid={`filter-${kind}`}
            onClick={() => toggle(kind)}
          >
            <Icon name={timelineKinds[kind].icon} />
            {timelineKinds[kind].label}
            <span class="chip-count">{(counts.get(kind) ?? 0).toLocaleString('en')}</span>
          </button>
        ))}
    </div>
  );
}

function Rows(props: TimelineProps & { readonly shown: readonly TimelineItem[] }) {
  const { shown, playback, chosen, onChoose } = props;
  const scroller = useRef<HTMLOListElement>(null);
  const [following, setFollowing] = useState(true);
  /** The row that Tab reaches, once the user has moved among the rows. */
  const [focused, setFocused] = useState<number>();
  const pick = useCallback((mediaMs: number) => currentIndex(shown, mediaMs, chosen), [shown, chosen]);
  const current = usePosition(playback, pick);
  const list = useVirtualList({
    count: shown.length,
    scroller,
    estimateSize: useCallback((index: number) => estimatedHeight(shown[index] ?? missingRow), [shown]),
    keyOf: useCallback((index: number) => shown[index]?.id ?? String(index), [shown]),
  });
  // In a panel that got narrower the same row lies elsewhere.
  const { width, height } = useSize(scroller);
  useEffect(() => {
    if (following && current >= 0) list.scrollToIndex(current, { align: 'center' });
  }, [list, following, current, shown, width, height]);

  const leave = useCallback(() => setFollowing(false), []);
  const choose = useCallback(
    (item: TimelineItem, index: number) => {
      setFocused(index);
      setFollowing(true);
      onChoose(item);
    },
    [onChoose],
  );
  const tabbable = focused ?? Math.max(0, current);
  const onKeyDown = (event: KeyboardEvent): void => {
    const target = targetRow(event.key, tabbable, shown.length);
    if (target === undefined) return;
    event.preventDefault();
    setFollowing(false);
    setFocused(target);
    list.scrollToIndex(target, { align: 'auto' });
    // The row may have to come into being first.
    requestAnimationFrame(() =>
      requestAnimationFrame(() =>
        scroller.current
          ?.querySelector<HTMLElement>(`[data-index="${target}"] .row-main`)
          ?.focus({ preventScroll: true }),
      ),
    );
  };
  return (
    <div class="rows">
      <ol
        ref={scroller}
        class="scroller"
        aria-label={counted(shown.length, 'moment')}
        onWheel={leave}
        onTouchMove={leave}
        onPointerDown={(event) => {
          // Only the scroll bar belongs to the list itself.
          if (event.target === event.currentTarget) leave();
        }}
        onKeyDown={onKeyDown}
      >
        <li class="extent" role="presentation" style={{ height: `${list.getTotalSize()}px` }} />
        {list.getVirtualItems().map(({ index, start }) => {
          const item = shown[index];
          return (
            item && (
              <TimelineRow
                key={item.id}
                item={item}
                index={index}
                count={shown.length}
                startPx={start}
                current={index === current}
                tabbable={index === tabbable}
                measure={list.measureElement}
                onChoose={choose}
                onOpenFile={props.onOpenFile}
              />
            )
          );
        })}
      </ol>
      {!following && (
        <button type="button" class="follow" onClick={() => setFollowing(true)} data-testid="follow">
          <Icon name="target" />
          Follow playback
        </button>
      )}
    </div>
  );
}

/** Only for the moment in which a filter has made the list shorter than the virtualizer thinks. */
const missingRow: TimelineItem = { kind: 'paused', id: '', offsetMs: 0, durationMs: 0 };

const pageOfRows = 10;

function targetRow(key: string, from: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
      return Math.min(count - 1, from + 1);
    case 'ArrowUp':
      return Math.max(0, from - 1);
    case 'PageDown':
      return Math.min(count - 1, from + pageOfRows);
    case 'PageUp':
      return Math.max(0, from - pageOfRows);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}
