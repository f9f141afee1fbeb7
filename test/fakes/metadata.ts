/** Metadata of a session that nobody recorded. */
import { randomUUID } from 'node:crypto';
import type { SessionMetadata } from '../../src/shared/model/sessionMetadata.ts';

export function metadataOf(changes: Partial<SessionMetadata> = {}): SessionMetadata {
  const id = changes.id ?? randomUUID();
  return {
    id,
    name: 'A session',
    schemaVersion: 2,
    startTime: '2026-11-22T09:00:00.000Z',
    status: 'completed',
    screenshotsRef: `screenshots/${id}`,
    audioSegmentsRef: `audio/${id}`,
    activityRef: `activity/${id}`,
    tags: [],
    topicIds: [],
    extractedTaskIds: [],
    extractedNoteIds: [],
    recordingConfig: { screenshotsEnabled: true, audioEnabled: true, videoEnabled: true, sourceType: 'display' },
    ...changes,
  };
}
