/** Starts the review panel: connects it to the extension and draws it. */
// First: the schemas below must find it done.
import '../common/zodWithoutEval.ts';
import { render } from 'preact';
import { connectToHost } from '../common/hostLink.ts';
import { persist, readPersisted } from '../common/usePersistedState.ts';
import {
  reviewHostContract,
  type ReviewHostContract,
  reviewViewContract,
  type ReviewViewContract,
} from '../../shared/protocol/review.ts';
import { Review } from './review.tsx';
import { createPlayer } from './usePlayback.ts';
import '../common/theme.css';
import './review.css';
import './player.css';
import './overview.css';
import './timeline.css';

const root = document.getElementById('root');
const sessionId = root?.dataset['sessionId'];
if (!root || !sessionId) throw new Error('The page has no session');

// What VS Code hands to the extension when it restores this panel after a reload.
persist({ sessionId });

const changes = new EventTarget();
let seekTo: number | undefined;
const host = connectToHost<ReviewViewContract, ReviewHostContract>({
  incoming: reviewViewContract,
  outgoing: reviewHostContract,
  requests: {},
  events: {
    sessionChanged: () => void changes.dispatchEvent(new Event('changed')),
    seek: ({ offsetMs }) => {
      seekTo = offsetMs;
      player.playback.seek(offsetMs);
    },
  },
  onProblem: (error) => report(error.message),
});

const report = (message: string): void => host.emit('webviewError', { message: message.slice(0, 2000) });
window.addEventListener('error', ({ message }) => {
  // The browser's note that a measured row changed the layout once more within a frame; nothing is wrong then.
  if (!message.startsWith('ResizeObserver loop')) report(message);
});
window.addEventListener('unhandledrejection', ({ reason }) => report(String(reason)));

const player = createPlayer(report);
const kept = readPersisted('positionMs');

render(
  <Review
    sessionId={sessionId}
    host={host}
    player={player}
    changes={changes}
    startMs={() => seekTo ?? (typeof kept === 'number' ? kept : 0)}
  />,
  root,
);
