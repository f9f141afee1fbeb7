/** What the three kinds of chunks hold; their whole shapes are the chunk schemas in shared/model. */
import { type ActivityEvent, activityEventSchema, maxActivityEventsPerChunk } from '../../shared/model/activity.ts';
import {
  type SessionAudioSegment,
  maxAudioSegmentsPerChunk,
  sessionAudioSegmentSchema,
} from '../../shared/model/audio.ts';
import {
  type SessionScreenshot,
  maxScreenshotsPerChunk,
  sessionScreenshotSchema,
} from '../../shared/model/screenshots.ts';
import type { ChunkFormat } from './chunkLog.ts';

export const screenshotFormat: ChunkFormat<SessionScreenshot> = {
  maxItems: maxScreenshotsPerChunk,
  itemsKey: 'screenshots',
  item: sessionScreenshotSchema,
  summarize: (screenshots) => ({ compressedSize: screenshots.reduce((total, { size }) => total + size, 0) }),
};

export const audioFormat: ChunkFormat<SessionAudioSegment> = {
  maxItems: maxAudioSegmentsPerChunk,
  itemsKey: 'segments',
  item: sessionAudioSegmentSchema,
  summarize: (segments) => ({ totalDuration: segments.reduce((total, { duration }) => total + duration, 0) }),
};

export const activityFormat: ChunkFormat<ActivityEvent> = {
  maxItems: maxActivityEventsPerChunk,
  itemsKey: 'events',
  item: activityEventSchema,
  summarize: () => ({}),
};
