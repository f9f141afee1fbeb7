/** What the review panel needs of storage and of the log, so that it can be tested without either. */
import type { CodedError } from '../../shared/errors.ts';
import type { ActivityEvent } from '../../shared/model/activity.ts';
import type { Attachment } from '../../shared/model/attachment.ts';
import type { SessionAudioSegment } from '../../shared/model/audio.ts';
import type { SessionScreenshot } from '../../shared/model/screenshots.ts';
import type { SessionMetadata } from '../../shared/model/sessionMetadata.ts';
import type { SessionVideo } from '../../shared/model/video.ts';

/** Told of each piece of a session that could not be read; the rest is answered. */
export type OnDamaged = (error: CodedError) => void;

/** `storage/sessionStorage.ts` fits it. Every method may reject: a damaged piece costs that piece alone. */
export interface ReviewStore {
  getMetadata(sessionId: string): Promise<SessionMetadata | undefined>;
  getScreenshots(sessionId: string, onDamaged?: OnDamaged): Promise<readonly SessionScreenshot[]>;
  getAudioSegments(sessionId: string, onDamaged?: OnDamaged): Promise<readonly SessionAudioSegment[]>;
  getActivity(sessionId: string, onDamaged?: OnDamaged): Promise<readonly ActivityEvent[]>;
  getVideo(sessionId: string): Promise<SessionVideo | undefined>;
}

/** `storage/attachmentStorage.ts` fits it. */
export interface ReviewAttachments {
  get(attachmentId: string): Promise<Attachment | undefined>;
  /** The file that holds the attachment's bytes, named by their hash. */
  pathOf(attachment: Attachment): string;
}

/** Makes one attachment loadable by one panel; rejects with a CodedError when its bytes are gone. */
export interface ReviewMedia {
  urlOf(attachmentId: string): Promise<string>;
}

export interface ReviewLog {
  warn(message: string): void;
}
