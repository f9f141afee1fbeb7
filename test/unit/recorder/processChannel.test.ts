/** The recorder process as seen from the extension: every call settles, whatever the process does. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { CodedError } from '../../../src/shared/errors.ts';
import type { Logger } from '../../../src/extension/platform/logger.ts';
import { ProcessChannel } from '../../../src/extension/recorder/processChannel.ts';

const processPath = fileURLToPath(new URL('../../fixtures/recorderStandIn.cjs', import.meta.url));
const quiet: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

describe('ProcessChannel', () => {
  const channels: ProcessChannel[] = [];
  const open = async (behaviour: string) => {
    const channel = await ProcessChannel.open({ processPath, libraryPath: behaviour, log: quiet });
    channels.push(channel);
    return channel;
  };
  const call = { name: 'status', handle: 7 } as const;
  afterEach(() => channels.splice(0).forEach((channel) => channel.dispose()));

  it('brings answers and events', async () => {
    const channel = await open('answers');
    const event = new Promise<number>((resolve) => channel.onEvent((handle) => resolve(handle)));
    assert.deepEqual(await channel.call(call, 5000), { called: 'status' });
    assert.equal(await event, 7);
  });

  it('brings the library’s errors with their codes, and knows no others', async () => {
    await assert.rejects((await open('fails')).call(call, 5000), { code: 'sourceNotFound', message: 'No display.' });
    await assert.rejects((await open('invents')).call(call, 5000), { code: 'internal', message: 'Hm.' });
  });

  it('says why a library cannot be used', async () => {
    await assert.rejects(open('unusable'), { code: 'libraryMissing', message: 'Gone.' });
  });

  it('says that the process ended before it was ready', async () => {
    await assert.rejects(open('exits'), { code: 'recorderDied' });
  });

  it('calls a late answer a timeout', async () => {
    await assert.rejects((await open('silent')).call(call, 20), { code: 'timeout' });
  });

  it('rejects what waits when the process dies, tells it once, and refuses every later call', async () => {
    const channel = await open('dies');
    const deaths: CodedError[] = [];
    channel.onDied((error) => deaths.push(error));
    const waiting = await Promise.allSettled([channel.call(call, 60_000), channel.call(call, 60_000)]);
    for (const result of waiting)
      assert.equal(result.status === 'rejected' && (result.reason as CodedError).code, 'recorderDied');
    await assert.rejects(channel.call(call, 60_000), { code: 'recorderDied' });
    assert.equal(deaths.length, 1);
    assert.match(deaths[0]?.message ?? '', /SIGKILL/);
  });

  it('is not confused by messages that it does not understand', async () => {
    assert.deepEqual(await (await open('babbles')).call(call, 5000), { text: 'nonsense' });
  });

  it('tells its listeners of the end that it was asked for, too', async () => {
    const channel = await open('answers');
    const died = new Promise<CodedError>((resolve) => channel.onDied(resolve));
    channel.dispose();
    assert.match((await died).message, /was ended/);
    await assert.rejects(channel.call(call, 5000), { code: 'recorderDied' });
  });
});
