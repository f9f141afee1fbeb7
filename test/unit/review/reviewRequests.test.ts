/** What the panel is told, also of sessions from which something is missing. */
import assert from 'node:assert/strict';
import { reviewSessionSchema } from '../../../src/shared/protocol/review.ts';
import { CodedError } from '../../../src/shared/errors.ts';
import type { SessionMetadata } from '../../../src/shared/model/sessionMetadata.ts';
import type { SessionVideo } from '../../../src/shared/model/video.ts';
import { ReviewRequests } from '../../../src/extension/review/reviewRequests.ts';
import type { ReviewStore } from '../../../src/extension/review/reviewStore.ts';

const id = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const sessionId = id(1);
const timestamp = '2026-11-20T09:00:00.000Z';
const metadata: SessionMetadata = {
  id: sessionId,
  name: 'Monday',
  schemaVersion: 2,
  startTime: timestamp,
  status: 'completed',
  totalDuration: 20_000,
  screenshotsRef: 's',
  audioSegmentsRef: 'a',
  activityRef: 'e',
  tags: [],
  topicIds: [],
  extractedTaskIds: [],
  extractedNoteIds: [],
  recordingConfig: { screenshotsEnabled: true, audioEnabled: true, videoEnabled: true, sourceType: 'display' },
};
const video: SessionVideo = {
  sessionId,
  schemaVersion: 1,
  takes: [2, 1].map((index) => ({
    index,
    attachmentId: id(10 + index),
    offsetMs: (index - 1) * 12_000,
    durationMs: 9000,
    frames: 10,
    width: 640,
    height: 400,
    size: 1,
  })),
  gaps: [{ service: 'video', fromMs: 9000, toMs: 12_000, reason: 'The display went away' }],
  durationMs: 21_000,
  createdAt: timestamp,
};
const shot = (number: number, isDuplicate = false) => ({
  id: id(100 + number),
  sessionId,
  timestamp,
  offsetMs: number * 1000,
  sequenceNumber: number,
  attachmentId: id(20 + number),
  width: 640,
  height: 400,
  size: 1000,
  ...(isDuplicate && { isDuplicate }),
});
const sound = (number: number) => ({
  id: id(200 + number),
  sessionId,
  timestamp,
  offsetMs: number * 10_000,
  duration: 10,
  transcription: '',
  attachmentId: id(30 + number),
  peak: 0.5,
});

function requests(change: Partial<ReviewStore> = {}, gone: readonly number[] = []) {
  const warnings: string[] = [];
  const store: ReviewStore = {
    getMetadata: async () => metadata,
    getScreenshots: async () => [shot(1), shot(2, true), shot(3)],
    getAudioSegments: async () => [sound(0), sound(1)],
    getActivity: async () => [
      { kind: 'paused', id: id(300), sequenceNumber: 0, timestamp, offsetMs: 1500, durationMs: 10 },
    ],
    getVideo: async () => video,
    ...change,
  };
  const urlOf = async (attachmentId: string): Promise<string> => {
    if (gone.some((number) => id(number) === attachmentId)) throw new CodedError('notFound', 'blob gone');
    return `media:${attachmentId}`;
  };
  return {
    requests: new ReviewRequests(sessionId, store, { urlOf }, { warn: (words) => warnings.push(words) }),
    warnings,
  };
}

const damaged = (): Promise<never> => Promise.reject(new CodedError('damaged', 'checksum'));

describe('ReviewRequests', () => {
  it('tells the session in time order, as long as the longest thing in it, in the shape of the contract', async () => {
    const session = await requests().requests.getSession();
    assert.deepEqual(
      session.takes.map(({ offsetMs }) => offsetMs),
      [0, 12_000],
    );
    assert.equal(session.durationMs, 21_000);
    assert.deepEqual(session.audio[1], {
      url: `media:${id(31)}`,
      offsetMs: 10_000,
      durationMs: 10_000,
      isEmpty: false,
    });
    assert.deepEqual(session.missing, []);
    assert.ok(reviewSessionSchema.safeParse(session).success);
  });

  it('shows the rest when a blob is gone, and says how much is missing', async () => {
    const { requests: asked, warnings } = requests({}, [11, 30, 31]);
    const session = await asked.getSession();
    assert.equal(session.takes.length, 1);
    assert.equal(session.audio.length, 0);
    assert.deepEqual(session.missing, ['1 part of the video is missing.', '2 pieces of sound are missing.']);
    assert.equal(warnings.length, 3);
  });

  it('shows the rest when a chunk is damaged', async () => {
    const { requests: asked } = requests({ getVideo: damaged, getActivity: damaged });
    const session = await asked.getSession();
    assert.equal(session.takes.length, 0);
    assert.equal(session.audio.length, 2);
    assert.deepEqual(session.missing, [
      'The video of this session cannot be read.',
      'The editor activity of this session cannot be read.',
    ]);
    assert.equal((await asked.getTimeline()).length, 2);
  });

  it('says once for each kind that some of its chunks are damaged', async () => {
    const { requests: asked } = requests({
      getScreenshots: async (_, onDamaged) => {
        onDamaged?.(new CodedError('damaged', 'torn'));
        onDamaged?.(new CodedError('damaged', 'torn too'));
        return [shot(1)];
      },
    });
    const words = 'The screenshots of this session cannot be read in full: a file is damaged.';
    assert.deepEqual((await asked.getSession()).missing, [words]);
  });

  it('lists distinct screenshots among the events, also one whose picture is gone', async () => {
    const timeline = await requests({}, [21]).requests.getTimeline();
    assert.deepEqual(
      timeline.map((item) => [item.kind, item.offsetMs, item.kind === 'screenshot' ? item.url : undefined]),
      [
        ['screenshot', 1000, undefined],
        ['paused', 1500, undefined],
        ['screenshot', 3000, `media:${id(23)}`],
      ],
    );
  });

  it('answers notFound for a session that is no longer stored', async () => {
    const asked = requests({ getMetadata: async () => undefined }).requests;
    await assert.rejects(asked.getSession(), (error) => error instanceof CodedError && error.code === 'notFound');
  });
});
