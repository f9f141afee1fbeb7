/** One row of the timeline; everything recorded in it is set as text. */
import { memo } from '../common/memo.ts';
import { clockTime, counted, lengthInWords, splitPath } from '../common/format.ts';
import { Icon } from '../common/icon.tsx';
import { assertNever } from '../../shared/assertNever.ts';
import type { TimelineItem } from '../../shared/timeline.ts';
import { fileOf, timelineKinds } from './timelineModel.ts';

export interface TimelineRowProps {
  readonly item: TimelineItem;
  readonly index: number;
  readonly count: number;
  readonly startPx: number;
  readonly current: boolean;
  /** Whether Tab reaches it: one row does, the arrows reach the others. */
  readonly tabbable: boolean;
  readonly measure: (row: HTMLElement | null) => void;
  readonly onChoose: (item: TimelineItem, index: number) => void;
  readonly onOpenFile: (uri: string, line: number) => void;
}

/** A first guess at a row's height, which is measured once it is on the page. */
export function estimatedHeight(item: TimelineItem): number {
  switch (item.kind) {
    case 'screenshot':
      return 116;
    case 'edit':
    case 'problem':
      return 46;
    case 'save':
    case 'fileFocused':
    case 'paused':
      return 32;
    default:
      return assertNever(item, 'timeline item');
  }
}

export const TimelineRow = memo(function TimelineRow(props: TimelineRowProps) {
  const { item, index } = props;
  const file = fileOf(item);
  const tabIndex = props.tabbable ? 0 : -1;
  return (
    <li
      ref={props.measure}
      class={`row ${item.kind}`}
      style={{ transform: `translateY(${props.startPx}px)` }}
      data-testid="timeline-item"
      data-index={index}
      data-kind={item.kind}
      data-offset-ms={Math.round(item.offsetMs)}
      aria-current={props.current ? 'true' : undefined}
      aria-setsize={props.count}
      aria-posinset={index + 1}
    >
      <button
        type="button"
        class="row-main"
        tabIndex={tabIndex}
        aria-label={`${clockTime(item.offsetMs)}, ${spoken(item)}`}
        onClick={() => props.onChoose(item, index)}
      />
      <span class="row-time">{clockTime(item.offsetMs)}</span>
      <Icon name={timelineKinds[item.kind].icon} class="row-icon" />
      <div class="row-body">
        <RowBody item={item} />
      </div>
      {file && (
        <button
          type="button"
          class="row-file link"
          tabIndex={tabIndex}
          data-testid="open-file"
          aria-label={`Open the file at line ${file.line + 1}`}
          title={`Open the file at line ${file.line + 1}`}
          onClick={() => props.onOpenFile(file.uri, file.line)}
        >
          <Icon name="go-to-file" />
          {file.line + 1}
        </button>
      )}
    </li>
  );
});

function RowBody({ item }: { readonly item: TimelineItem }) {
  switch (item.kind) {
    case 'screenshot':
      return item.url === undefined ? (
        <span class="quiet">Screenshot, whose picture is missing</span>
      ) : (
        <img class="thumbnail" src={item.url} alt="" width={item.width} height={item.height} loading="lazy" />
      );
    case 'edit': {
      const { name, folder } = splitPath(item.file.path);
      return (
        <>
          <span class="row-title" title={item.file.path}>
            {name}
          </span>
          <span class="row-detail">
            {item.charactersAdded > 0 && (
              <span class="added" title={`${counted(item.charactersAdded, 'character')} added`}>
                +{item.charactersAdded.toLocaleString('en')}
              </span>
            )}
            {item.charactersRemoved > 0 && (
              <span class="removed" title={`${counted(item.charactersRemoved, 'character')} removed`}>
                −{item.charactersRemoved.toLocaleString('en')}
              </span>
            )}
            {folder !== '' && <span class="folder">{folder}</span>}
          </span>
        </>
      );
    }
    case 'save':
    case 'fileFocused': {
      const { name, folder } = splitPath(item.file.path);
      return (
        <span class="row-line" title={item.file.path}>
          <span class="quiet">{item.kind === 'save' ? 'Saved' : 'Opened'}</span> {name}{' '}
          <span class="folder">{folder}</span>
        </span>
      );
    }
    case 'paused':
      return <span class="row-line quiet">Paused for {lengthInWords(item.durationMs)}</span>;
    case 'problem':
      return (
        <span class="row-problem" title={item.message}>
          {item.message}
        </span>
      );
    default:
      return assertNever(item, 'timeline item');
  }
}

function spoken(item: TimelineItem): string {
  switch (item.kind) {
    case 'screenshot':
      return 'screenshot';
    case 'edit':
      return `${counted(item.charactersAdded, 'character')} added, ${item.charactersRemoved} removed in ${item.file.path}`;
    case 'save':
      return `saved ${item.file.path}`;
    case 'fileFocused':
      return `opened ${item.file.path}`;
    case 'paused':
      return `paused for ${lengthInWords(item.durationMs)}`;
    case 'problem':
      return `problem: ${item.message}`;
    default:
      return assertNever(item, 'timeline item');
  }
}
