/** What the native library takes and answers, as schemas: the TypeScript mirror of native-recorder/include/session_recorder.h. */
import * as z from 'zod';
import { offsetMsSchema, perceptualHashSchema, sha256Schema } from '../model/identifiers.ts';
import { recordingGapSchema } from '../model/video.ts';

/** The interface's version that this extension speaks. */
export const abiVersion = 1;

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
    readonly layout: 'single';
    readonly sources: readonly { readonly id: string; readonly type: 'display'; readonly targetId: string }[];
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

export const serviceStatusSchema = z.object({
  state: z.enum(['idle', 'initializing', 'active', 'paused', 'stopping', 'stopped', 'error']),
  health: z.enum(['healthy', 'degraded', 'failed']),
  lastActivityMonotonicMs: z.number().nullish(),
  errorCount: z.number().default(0),
  bytesOnDisk: z.number().default(0),
  metrics: z
    .object({ itemsRecorded: z.number(), droppedItems: z.number(), averageLatencyMs: z.number() })
    .default({ itemsRecorded: 0, droppedItems: 0, averageLatencyMs: 0 }),
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
  services: servicesSchema,
});
export type RecorderStatus = z.infer<typeof statusSchema>;

export const capturedScreenshotSchema = z.object({
  path: z.string(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  bytes: z.number().int().min(0),
  sha256: sha256Schema,
  perceptualHash: perceptualHashSchema,
  offsetMs: offsetMsSchema,
});
export type CapturedScreenshot = z.infer<typeof capturedScreenshotSchema>;

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
  z.object({ type: z.literal('segmentFinished'), offsetMs: offsetMsSchema, index: z.number(), durationMs: z.number() }),
  z.object({ type: z.literal('sourceLost'), offsetMs: offsetMsSchema, service: serviceSchema, message: z.string() }),
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
      width: z.number().int().positive(),
      height: z.number().int().positive(),
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
    }),
  ),
  gaps: z.array(recordingGapSchema).default([]),
  pauses: z.array(z.object({ offsetMs: offsetMsSchema, durationMs: z.number().min(0) })).default([]),
});
export type RecordingManifest = z.infer<typeof manifestSchema>;
