/** What the message handler promises, seen by connecting two of them. */
import assert from 'node:assert/strict';
import * as z from 'zod';
import { CodedError } from '../../../../src/shared/errors.ts';
import {
  type EventListeners,
  MessageHandler,
  type RequestHandlers,
} from '../../../../src/shared/protocol/messageHandler.ts';
import type { Envelope } from '../../../../src/shared/protocol/messages.ts';

const host = {
  requests: {
    double: { params: z.object({ value: z.number() }), result: z.number() },
    fail: { params: z.object({}), result: z.null() },
  },
  events: { log: z.object({ words: z.string() }) },
} as const;
const view = { requests: { title: { params: z.object({}), result: z.string() } }, events: {} } as const;

interface Pair {
  host: MessageHandler<typeof host, typeof view>;
  view: MessageHandler<typeof view, typeof host>;
  problems: CodedError[];
  heard: string[];
  sent: Envelope[];
}

function connect(handlers: Partial<RequestHandlers<typeof host>> = {}, breakTransport = false): Pair {
  const problems: CodedError[] = [];
  const heard: string[] = [];
  const sent: Envelope[] = [];
  const onProblem = (error: CodedError): void => void problems.push(error);
  const deliver = (to: () => { receive(message: unknown): void }) => (message: Envelope) => {
    if (breakTransport) throw new Error('could not be cloned');
    sent.push(message);
    const copy: unknown = structuredClone(message);
    queueMicrotask(() => to().receive(copy));
  };
  const events: EventListeners<typeof host> = { log: ({ words }) => void heard.push(words) };
  const pair: Pair = {
    problems,
    heard,
    sent,
    host: new MessageHandler({
      incoming: host,
      outgoing: view,
      requests: {
        double: ({ value }) => value * 2,
        fail: () => {
          throw new CodedError('diskFull', 'No room left');
        },
        ...handlers,
      },
      events,
      post: deliver(() => pair.view),
      onProblem,
    }),
    view: new MessageHandler({
      incoming: view,
      outgoing: host,
      requests: { title: () => 'Monday' },
      events: {},
      post: deliver(() => pair.host),
      onProblem,
    }),
  };
  return pair;
}

const rejectsWith = (promise: Promise<unknown>, code: string, words?: RegExp): Promise<void> =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof CodedError);
    assert.equal(error.code, code);
    if (words) assert.match(error.message, words);
    return true;
  });

describe('MessageHandler', () => {
  it('brings back what the other side answers, in both directions', async () => {
    const pair = connect();
    assert.equal(await pair.view.call('double', { value: 21 }), 42);
    assert.equal(await pair.host.call('title', {}), 'Monday');
  });

  it('keeps answers apart when they come back out of order', async () => {
    let releaseFirst = (): void => undefined;
    const first = new Promise<void>((resolve) => (releaseFirst = resolve));
    const pair = connect({
      double: async ({ value }) => {
        if (value === 1) await first;
        return value * 2;
      },
    });
    const slow = pair.view.call('double', { value: 1 });
    assert.equal(await pair.view.call('double', { value: 2 }), 4);
    releaseFirst();
    assert.equal(await slow, 2);
  });

  it('brings back the code and the message of a handler that threw', async () => {
    await rejectsWith(connect().view.call('fail', {}), 'diskFull', /No room left/);
  });

  it('answers parameters of the wrong shape with an error and does not run the handler', async () => {
    let ran = false;
    const pair = connect({
      double: () => {
        ran = true;
        return 0;
      },
    });
    await rejectsWith(pair.view.call('double', { value: 'x' as never }), 'invalidMessage', /bad parameters \(value/);
    assert.equal(ran, false);
  });

  it('answers an unknown request with an error, also one named like a property of every object', async () => {
    const pair = connect();
    for (const name of ['nothing', 'constructor', '__proto__']) {
      const answer = new Promise<Envelope>((resolve) => {
        const lonely = new MessageHandler({
          incoming: host,
          outgoing: view,
          requests: { double: () => 0, fail: () => null },
          events: { log: () => undefined },
          post: resolve,
          onProblem: () => undefined,
        });
        lonely.receive({ type: 'request', id: 1, name, params: {} });
      });
      const envelope = await answer;
      assert.ok(envelope.type === 'error' && envelope.error.code === 'invalidMessage', name);
    }
    await rejectsWith(pair.view.call('nothing' as never, {} as never), 'invalidMessage');
  });

  it('rejects a result of the wrong shape instead of passing it on', async () => {
    const pair = connect({ double: () => 'four' as never });
    await rejectsWith(pair.view.call('double', { value: 2 }), 'invalidMessage', /bad result/);
  });

  it('reports malformed messages and answers that nobody waits for, without throwing', () => {
    const pair = connect();
    for (const message of [null, 'x', {}, { type: 'result' }, { type: 'result', id: 99, result: 1 }]) {
      pair.view.receive(message);
    }
    assert.deepEqual(
      pair.problems.map(({ code }) => code),
      Array.from({ length: 5 }, () => 'invalidMessage'),
    );
  });

  it('delivers events that fit the contract and reports the others', async () => {
    const pair = connect();
    pair.view.emit('log', { words: 'hello' });
    pair.view.emit('log', { words: 5 as never });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(pair.heard, ['hello']);
    assert.equal(pair.problems.length, 1);
  });

  it('rejects what is pending when it is disposed, and every later call', async () => {
    const pair = connect({ double: () => new Promise(() => undefined) });
    const pending = pair.view.call('double', { value: 1 });
    pair.view.dispose();
    await rejectsWith(pending, 'invalidState');
    await rejectsWith(pair.view.call('double', { value: 1 }), 'invalidState');
  });

  it('fails a call at once when the transport refuses the message', async () => {
    await rejectsWith(connect({}, true).view.call('double', { value: 1 }), 'internal', /cloned/);
  });

  it('calls an error code that it does not know "internal"', async () => {
    const pair = connect();
    const call = pair.view.call('double', { value: 1 });
    pair.view.receive({ type: 'error', id: 1, error: { code: 'fromTheFuture', message: 'x' } });
    await rejectsWith(call, 'internal');
  });
});
