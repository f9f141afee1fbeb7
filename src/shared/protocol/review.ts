/** The review panel's contract: what the webview may ask of the extension, and what the extension tells the webview. */
import * as z from 'zod';
import { idSchema, offsetMsSchema } from '../model/identifiers.ts';
import { sessionMetadataSchema } from '../model/sessionMetadata.ts';
import { recordingGapSchema } from '../model/video.ts';
import { timelineItemSchema } from '../timeline.ts';

/** A piece of media with its place in media time, in time order; `url` can be loaded by the webview. */
const placedMedia = { url: z.string(), offsetMs: offsetMsSchema, durationMs: z.number().min(0) };

export const reviewSessionSchema = z.object({
  metadata: sessionMetadataSchema,
  /** Media time of the whole session. */
  durationMs: z.number().min(0),
  takes: z.array(z.object({ ...placedMedia, width: z.number(), height: z.number() })),
  audio: z.array(z.object({ ...placedMedia, isEmpty: z.boolean() })),
  gaps: z.array(recordingGapSchema),
  /** What was recorded but cannot be shown, in words for the user; the rest of the session is still here. */
  missing: z.array(z.string()),
});
export type ReviewSession = z.infer<typeof reviewSessionSchema>;
export type ReviewTake = ReviewSession['takes'][number];
export type ReviewAudio = ReviewSession['audio'][number];

/** Answered by the extension. */
export const reviewHostContract = {
  requests: {
    getSession: { params: z.object({}), result: reviewSessionSchema },
    /** In time order. */
    getTimeline: { params: z.object({}), result: z.array(timelineItemSchema) },
    /** Opens the file in the editor beside the panel; `line` is counted from 0. */
    openFile: {
      params: z.object({ uri: z.string(), line: z.number().int().min(0) }),
      result: z.object({ opened: z.boolean() }),
    },
  },
  events: {
    /** Something the user should be able to find in the log. */
    webviewError: z.object({ message: z.string().max(2000) }),
  },
} as const;
export type ReviewHostContract = typeof reviewHostContract;

/** Answered by the webview. */
export const reviewViewContract = {
  requests: {},
  events: {
    /** The session's data changed: ask again. */
    sessionChanged: z.object({ sessionId: idSchema }),
    /** Show this moment: somebody asked for it in the editor. */
    seek: z.object({ offsetMs: offsetMsSchema }),
  },
} as const;
export type ReviewViewContract = typeof reviewViewContract;
