/** What the bench's companion in the editor tells the bench: how it is asked, and what it answers. */
import * as z from 'zod';

/** The companion's environment: what to measure, and the file that it answers in. */
export const taskVariable = 'WORK_SESSIONS_BENCH_TASK';
export const resultVariable = 'WORK_SESSIONS_BENCH_RESULT';

export const taskSchema = z.discriminatedUnion('kind', [
  /** Each new extension host activates ours and the empty extension once. */
  z.object({ kind: z.literal('activation') }),
  z.object({ kind: z.literal('start'), samples: z.number().int().positive(), storageRoot: z.string() }),
]);
export type Task = z.infer<typeof taskSchema>;

/** What the caller waited, and the processor time of the extension host meanwhile, on all its threads. */
const activationSchema = z.object({ wallMs: z.number(), cpuMs: z.number() });
export type Activation = z.infer<typeof activationSchema>;

export const startSampleSchema = z.object({
  /** From the command to the first frame in the recorder's encoder. */
  firstFrameMs: z.number(),
  /** From the command until the video's first fragment was written. */
  onDiskMs: z.number(),
  /** From the command until it has settled: the user sees that it records. */
  activeMs: z.number(),
});
export type StartSample = z.infer<typeof startSampleSchema>;

export const answerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('activation'), ours: activationSchema, empty: activationSchema }),
  z.object({ kind: z.literal('start'), samples: z.array(startSampleSchema) }),
  z.object({ kind: z.literal('failure'), message: z.string() }),
]);
export type Answer = z.infer<typeof answerSchema>;
