/** What the native library takes and answers, as schemas: the TypeScript mirror of native-recorder/include/session_recorder.h. */
import * as z from 'zod';
import { offsetMsSchema, perceptualHashSchema, sha256Schema } from '../model/identifiers.ts';
import { recordingGapSchema } from '../model/video.ts';

/** The interface's version that this extension speaks. */
export const abiVersion = 1;

export type SourceType = 'display' | 'window' | 'webcam' | 'testPattern';

export interface RecorderSource {
  readonly id: string;
  readonly type: SourceType;
  /** A display's, window's or camera's id; "1280x720@15" for a test pattern. Without it the primary display, the first camera. */
  readonly targetId?: string;
}

export type LayoutName = 'single' | 'grid' | 'side-by-side' | 'picture-in-picture';

/** How the sources share the picture. */
export interface RecorderLayout {
  readonly layout: LayoutName;
  /** Of the small pictures in picture-in-picture. */
  readonly corner?: 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right';
  /** Of picture-in-picture: how wide a small picture is, as a share of the whole, 0.1 to 0.5. */
  readonly size?: number;
}

export interface RecorderConfig {
  readonly sessionId: string;
  readonly outputDirectory: string;
  readonly video: {
    readonly enabled: boolean;
    readonly fps: number;
    readonly maxWidth: number;
    readonly fragmentMs: number;
    /** 0 to 1. */
    readonly quality: number;
    readonly layout: LayoutName | RecorderLayout;
    /** At most nine; none means the primary display. */
    readonly sources: readonly RecorderSource[];
    readonly excludedWindowIds: readonly string[];
    readonly excludedApps: readonly string[];
    readonly showCursor: boolean;
  };
  readonly audio: {
    readonly enabled: boolean;
    readonly microphone: string | null;
    readonly systemAudio: boolean | string;
    /** 0 is the microphone alone, 1 system sound alone. */
    readonly balance: number;
    readonly segmentMs: number;
    /** Hz. */
    readonly sampleRate: number;
  };
  readonly screenshots: { readonly enabled: boolean; readonly format: 'png'; readonly maxWidth: number };
}

export const libraryErrorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export const sourcesSchema = z.object({
  displays: z.array(
    z.object({ id: z.string(), name: z.string(), width: z.number(), height: z.number(), primary: z.boolean() }),
  ),
  windows: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      /** Of WM_CLASS; empty when the window names none. */
      app: z.string(),
      /** 0 when it is not known. */
      pid: z.number().int().min(0),
      width: z.number(),
      height: z.number(),
    }),
  ),
  cameras: z.array(z.object({ id: z.string(), name: z.string() })),
  microphones: z.array(z.object({ id: z.string(), name: z.string(), default: z.boolean() })),
  systemAudio: z.array(z.object({ id: z.string(), name: z.string(), default: z.boolean() })),
});
export type RecorderSources = z.infer<typeof sourcesSchema>;

export type PermissionName = 'screen' | 'microphone' | 'camera';
const permissionSchema = z.enum(['granted', 'denied', 'undetermined', 'notRequired']);
export const permissionsSchema = z.object({
  screen: permissionSchema.optional(),
  microphone: permissionSchema.optional(),
  camera: permissionSchema.optional(),
  reasons: z.partialRecord(z.enum(['screen', 'microphone', 'camera']), z.string()).optional(),
});
export type RecorderPermissions = z.infer<typeof permissionsSchema>;

export const mediaServices = ['video', 'audio', 'screenshots'] as const;
export type MediaService = (typeof mediaServices)[number];
const serviceSchema = z.enum(mediaServices);
const nativeErrorSchema = z.object({ code: z.string(), message: z.string() });

/** One sound input: peak and root mean square of the last second, 0 to 1. */
export const audioInputStatusSchema = z.object({
  state: z.enum(['active', 'silent', 'lost']),
  level: z.number().min(0),
  rms: z.number().min(0),
});

export const serviceStatusSchema = z.object({
  state: z.enum(['idle', 'initializing', 'active', 'paused', 'stopping', 'stopped', 'error']),
  health: z.enum(['healthy', 'degraded', 'failed']),
  lastActivityMonotonicMs: z.number().nullish(),
  errorCount: z.number().default(0),
  bytesOnDisk: z.number().default(0),
  metrics: z
    .object({ itemsRecorded: z.number(), droppedItems: z.number(), averageLatencyMs: z.number() })
    .default({ itemsRecorded: 0, droppedItems: 0, averageLatencyMs: 0 }),
  /** Of the audio service: the inputs that were asked for. */
  inputs: z.partialRecord(z.enum(['microphone', 'systemAudio']), audioInputStatusSchema).nullish(),
  error: nativeErrorSchema.nullish(),
});
export type ServiceStatus = z.infer<typeof serviceStatusSchema>;
const servicesSchema = z.partialRecord(serviceSchema, serviceStatusSchema);

export const createdSchema = z.object({ handle: z.number().int().positive() });
export const startedSchema = z.object({
  startedAtMonotonicMs: z.number(),
  startedAt: z.string(),
  services: servicesSchema.default({}),
});
export const pausedSchema = z.object({ offsetMs: offsetMsSchema, pausedAtMonotonicMs: z.number() });
export const resumedSchema = z.object({ offsetMs: offsetMsSchema, resumedAtMonotonicMs: z.number() });
export const statusSchema = z.object({
  state: z.enum(['created', 'recording', 'paused', 'stopped', 'failed']),
  offsetMs: offsetMsSchema,
  monotonicMs: z.number(),
  encoder: z.string().nullish(),
  layout: z.enum(['single', 'grid', 'side-by-side', 'picture-in-picture']).default('single'),
  sources: z
    .array(
      z.object({
        id: z.string(),
        type: z.enum(['display', 'window', 'webcam', 'testPattern']),
        state: z.enum(['opening', 'active', 'stalled', 'lost', 'gone']),
        shown: z.boolean(),
        frames: z.number(),
        lastFrameMonotonicMs: z.number().nullish(),
        error: nativeErrorSchema.nullish(),
      }),
    )
    .default([]),
  services: servicesSchema,
});
export type RecorderStatus = z.infer<typeof statusSchema>;

/** What a call that changes the sources, the layout or the mix answers is what was asked for. */
export const changedSchema = z.object({});

export const capturedScreenshotSchema = z.object({
  path: z.string(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  bytes: z.number().int().min(0),
  sha256: sha256Schema,
  perceptualHash: perceptualHashSchema,
  offsetMs: offsetMsSchema,
  /** The file that shows the same already: nothing was written. */
  duplicateOf: z.string().nullish(),
});
export type CapturedScreenshot = z.infer<typeof capturedScreenshotSchema>;

/** What a sound segment was measured to be. */
const soundMeasures = {
  /** 0 to 1. */
  rms: z.number().min(0).max(1).nullish(),
  /** dBFS: the 10th percentile of the power in windows of 20 ms; -120 for nothing at all. */
  noiseLevel: z.number().min(-120).max(0).nullish(),
};

export const libraryEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('none') }),
  z.object({
    type: z.literal('takeStarted'),
    offsetMs: offsetMsSchema,
    index: z.number(),
    width: z.number(),
    height: z.number(),
  }),
  z.object({ type: z.literal('firstFrame'), offsetMs: offsetMsSchema, monotonicMs: z.number() }),
  z.object({ type: z.literal('fragmentWritten'), offsetMs: offsetMsSchema, take: z.number(), bytes: z.number() }),
  z.object({
    type: z.literal('segmentFinished'),
    offsetMs: offsetMsSchema,
    index: z.number(),
    durationMs: z.number(),
    ...soundMeasures,
  }),
  z.object({
    type: z.literal('sourceLost'),
    offsetMs: offsetMsSchema,
    service: serviceSchema,
    /** "audio" is the sound server with every input behind it. */
    sourceId: z.string().nullish(),
    message: z.string(),
  }),
  z.object({
    type: z.literal('sourceRecovered'),
    offsetMs: offsetMsSchema,
    service: serviceSchema,
    sourceId: z.string().nullish(),
  }),
  z.object({ type: z.literal('stalled'), offsetMs: offsetMsSchema, service: serviceSchema, message: z.string() }),
  z.object({ type: z.literal('resumed'), offsetMs: offsetMsSchema, service: serviceSchema }),
  z.object({
    type: z.literal('silence'),
    offsetMs: offsetMsSchema,
    service: serviceSchema,
    sourceId: z.string(),
    message: z.string(),
  }),
  /** Less than 500 MB are free; `stopping` below 100 MB, when the library has ended the recording by itself. */
  z.object({
    type: z.literal('diskLow'),
    offsetMs: offsetMsSchema,
    freeBytes: z.number(),
    stopping: z.boolean(),
    message: z.string(),
  }),
  z.object({
    type: z.literal('serviceFailed'),
    offsetMs: offsetMsSchema,
    service: serviceSchema,
    error: nativeErrorSchema,
  }),
]);
export type LibraryEvent = z.infer<typeof libraryEventSchema>;

/** Paths are file names in the output directory; times are milliseconds of media time. */
export const manifestSchema = z.object({
  schemaVersion: z.literal(1),
  sessionId: z.string(),
  startedAt: z.string(),
  durationMs: z.number().min(0),
  state: z.enum(['recording', 'finished', 'recovered']),
  lostMs: z.number().min(0).nullish(),
  takes: z.array(
    z.object({
      index: z.number().int().min(1),
      path: z.string(),
      offsetMs: offsetMsSchema,
      durationMs: z.number().min(0),
      frames: z.number().int().min(0),
      /** 0 when a recovered take does not say it. */
      width: z.number().int().min(0),
      height: z.number().int().min(0),
      bytes: z.number().int().min(0),
    }),
  ),
  segments: z.array(
    z.object({
      index: z.number().int().min(1),
      path: z.string(),
      offsetMs: offsetMsSchema,
      durationMs: z.number().min(0),
      bytes: z.number().int().min(0),
      peak: z.number().min(0).max(1),
      isEmpty: z.boolean(),
      ...soundMeasures,
    }),
  ),
  gaps: z.array(recordingGapSchema).default([]),
  pauses: z.array(z.object({ offsetMs: offsetMsSchema, durationMs: z.number().min(0) })).default([]),
});
export type RecordingManifest = z.infer<typeof manifestSchema>;

/** A file and the media time at which it begins. */
export interface MediaPiece {
  readonly path: string;
  readonly offsetMs: number;
}

/** Segments to one MP3 file; offsets stay true. */
export interface ConcatenateAudioRequest {
  readonly segments: readonly MediaPiece[];
  readonly outputPath: string;
  readonly bitrateKbps?: number;
  /** The part of media time that is wanted. */
  readonly fromMs?: number;
  readonly durationMs?: number;
}

/** Takes and sound to one MP4 file. */
export interface MergeMediaRequest {
  readonly takes: readonly MediaPiece[];
  /** A sound file that begins at media time 0; MP3 is copied. */
  readonly audio?: string;
  readonly segments?: readonly MediaPiece[];
  readonly outputPath: string;
  readonly bitrateKbps?: number;
  readonly chapters?: readonly { readonly title: string; readonly startMs: number; readonly endMs?: number }[];
  /** 0 (best) to 1 (smallest) encodes the picture again; without it, packets are copied. */
  readonly compressionLevel?: number;
  /** ISO 8601. */
  readonly startedAt?: string;
}

export const jobSchema = z.object({ job: z.number().int().positive() });

export const mediaResultSchema = z.object({
  path: z.string(),
  durationMs: z.number().min(0),
  bytes: z.number().int().min(0),
  copiedTakes: z.number().int().min(0).optional(),
  encodedTakes: z.number().int().min(0).optional(),
});
export type MediaResult = z.infer<typeof mediaResultSchema>;

export const mediaEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('none') }),
  z.object({ type: z.literal('progress'), fraction: z.number().min(0).max(1) }),
  mediaResultSchema.extend({ type: z.literal('finished') }),
  z.object({ type: z.literal('failed'), error: nativeErrorSchema }),
  z.object({ type: z.literal('cancelled') }),
]);
export type MediaEvent = z.infer<typeof mediaEventSchema>;
