/** The line above everything: which session this is, when it was, how much was recorded, and what is missing from it. */
import { useState } from 'preact/hooks';
import { counted, dayAndTime, lengthInWords } from '../common/format.ts';
import { Icon } from '../common/icon.tsx';
import type { ReviewSession } from '../../shared/protocol/review.ts';
import type { TimelineItem } from '../../shared/timeline.ts';
import { countKinds } from './timelineModel.ts';

export function Header(props: { readonly session: ReviewSession; readonly timeline: readonly TimelineItem[] }) {
  const { metadata, durationMs } = props.session;
  const kinds = countKinds(props.timeline);
  return (
    <header class="header">
      <div class="title-line">
        <h1 title={metadata.name}>{metadata.name}</h1>
        <Status status={metadata.status} />
      </div>
      <ul class="facts" aria-label="About this session">
        <Fact icon="calendar">{dayAndTime(metadata.startTime)}</Fact>
        <Fact icon="watch">{lengthInWords(durationMs)}</Fact>
        {metadata.workspaceName !== undefined && <Fact icon="folder">{metadata.workspaceName}</Fact>}
        {kinds.has('edit') && <Fact icon="edit">{counted(kinds.get('edit') ?? 0, 'edit')}</Fact>}
        {kinds.has('screenshot') && (
          <Fact icon="device-camera">{counted(kinds.get('screenshot') ?? 0, 'screenshot')}</Fact>
        )}
      </ul>
      <Notices notices={[...props.session.missing, ...(metadata.problems ?? [])]} />
    </header>
  );
}

function Fact(props: { readonly icon: string; readonly children: string }) {
  return (
    <li>
      <Icon name={props.icon} />
      {props.children}
    </li>
  );
}

function Status(props: { readonly status: ReviewSession['metadata']['status'] }) {
  switch (props.status) {
    case 'completed':
      return null;
    case 'active':
      return <span class="status recording">Recording</span>;
    case 'paused':
      return <span class="status">Paused</span>;
    case 'interrupted':
      return (
        <span class="status" title="The recording ended unexpectedly; everything up to then is here">
          Interrupted
        </span>
      );
  }
}

/** The first in full, the others on demand: the panel is for the session, not for its mishaps. */
function Notices(props: { readonly notices: readonly string[] }) {
  const [open, setOpen] = useState(false);
  const notices = [...new Set(props.notices)];
  if (notices.length === 0) return null;
  return (
    <div class="notices" role="note" data-testid="notices">
      <Icon name="warning" />
      <ul>
        {(open ? notices : notices.slice(0, 1)).map((notice) => (
          <li key={notice}>{notice}</li>
        ))}
      </ul>
      {notices.length > 1 && (
        <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Show less' : `${notices.length - 1} more`}
        </button>
      )}
    </div>
  );
}
