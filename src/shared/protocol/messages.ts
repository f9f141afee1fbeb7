/** The shape of every message between a panel and the extension, whatever the panel: calls that always settle, and events. */
import * as z from 'zod';

/** One request kind: what is asked and what comes back, both validated where they arrive. */
export interface RequestContract {
  readonly params: z.ZodType;
  readonly result: z.ZodType;
}

/** What one side of a panel can be asked and told. */
export interface Contract {
  readonly requests: Readonly<Record<string, RequestContract>>;
  readonly events: Readonly<Record<string, z.ZodType>>;
}

export type RequestName<C extends Contract> = keyof C['requests'] & string;
export type EventName<C extends Contract> = keyof C['events'] & string;
export type ParamsOf<C extends Contract, N extends RequestName<C>> = z.infer<C['requests'][N]['params']>;
export type ResultOf<C extends Contract, N extends RequestName<C>> = z.infer<C['requests'][N]['result']>;
export type EventOf<C extends Contract, N extends EventName<C>> = z.infer<C['events'][N]>;

export const messageErrorSchema = z.object({ code: z.string(), message: z.string() });

export const envelopeSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('request'), id: z.number().int(), name: z.string(), params: z.unknown() }),
  z.object({ type: z.literal('result'), id: z.number().int(), result: z.unknown() }),
  z.object({ type: z.literal('error'), id: z.number().int(), error: messageErrorSchema }),
  z.object({ type: z.literal('event'), name: z.string(), payload: z.unknown() }),
]);
export type Envelope = z.infer<typeof envelopeSchema>;
