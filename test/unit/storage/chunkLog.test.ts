/** Chunk logs: order, bounded chunks, damage, and appends that fail in the middle. */
import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { CodedError } from '../../../src/shared/errors.ts';
import { type Files, diskFiles } from '../../../src/extension/platform/files.ts';
import { ChunkLog } from '../../../src/extension/storage/chunkLog.ts';
import { temporaryFolder } from '../../fakes/temporaryFolder.ts';

const format = {
  maxItems: 3,
  itemsKey: 'words',
  // Keys in another order than they are written in: the checksum must not depend on the schema's.
  item: z.object({ b: z.string(), a: z.number() }),
  summarize: (items: readonly unknown[]) => ({ count: items.length }),
};

describe('ChunkLog', () => {
  const folder = temporaryFolder();
  const open = (files: Files = diskFiles) =>
    new ChunkLog({
      files,
      sessionId: 's',
      folder: folder(),
      pathOf: (index) => join(folder(), `${index}.json`),
      format,
      now: () => new Date(0),
    });
  const items = (...numbers: number[]) => numbers.map((a) => ({ a, b: `item ${a}` }));
  const read = async () => {
    const { items: found, damaged } = await open().read();
    return { numbers: found.map(({ a }) => a), damaged: damaged.map(({ code }) => code) };
  };

  it('reads what was appended, in order, from chunks of bounded size', async () => {
    const log = open();
    await log.append(items(1, 2));
    await log.append(items(3, 4, 5, 6, 7));
    assert.deepEqual(await read(), { numbers: [1, 2, 3, 4, 5, 6, 7], damaged: [] });
    assert.deepEqual((await readdir(folder())).sort(), ['0.json', '1.json', '2.json']);
    assert.match(await readFile(join(folder(), '1.json'), 'utf8'), /"count":3/);
  });

  it('keeps the order of calls that do not wait for each other', async () => {
    const log = open();
    await Promise.all([1, 2, 3, 4, 5].map((number) => log.append(items(number))));
    assert.deepEqual((await read()).numbers, [1, 2, 3, 4, 5]);
  });

  it('goes on where another writer stopped', async () => {
    await open().append(items(1, 2, 3, 4));
    await open().append(items(5));
    assert.deepEqual((await read()).numbers, [1, 2, 3, 4, 5]);
    assert.equal((await readdir(folder())).length, 2);
  });

  it('never writes a full chunk again', async () => {
    const log = open();
    await log.append(items(1, 2, 3));
    const before = await readFile(join(folder(), '0.json'), 'utf8');
    await log.append(items(4));
    assert.equal(await readFile(join(folder(), '0.json'), 'utf8'), before);
  });

  for (const [what, spoil] of [
    ['is torn', (text: string) => text.slice(0, 20)],
    ['was changed', (text: string) => text.replace('item 2', 'item X')],
    ['does not fit its schema', (text: string) => text.replace('"words"', '"other"')],
  ] as const) {
    it(`answers the rest when a chunk ${what}, and never writes into it`, async () => {
      await open().append(items(1, 2, 3, 4));
      const path = join(folder(), '1.json');
      await open().append(items(5, 6));
      const spoiled = spoil(await readFile(join(folder(), '0.json'), 'utf8'));
      await writeFile(join(folder(), '0.json'), spoiled);
      await writeFile(path, spoil(await readFile(path, 'utf8')).replace('item 5', 'item Y'));
      await open().append(items(7));
      const found = await read();
      assert.deepEqual(found.numbers, [7]);
      assert.deepEqual(found.damaged, ['damaged', 'damaged']);
      assert.equal(await readFile(join(folder(), '0.json'), 'utf8'), spoiled);
    });
  }

  it('says which part of a failed append was written, so that the rest can be repeated without doubles', async () => {
    let writes = 0;
    const failing: Files = {
      ...diskFiles,
      writeAtomic: (path, data) =>
        ++writes === 2 ? Promise.reject(new CodedError('diskFull', 'full')) : diskFiles.writeAtomic(path, data),
    };
    const log = open(failing);
    const batch = items(1, 2, 3, 4, 5);
    let written = 0;
    await assert.rejects(
      log.append(batch, (count) => (written += count)),
      { code: 'diskFull' },
    );
    assert.equal(written, 3);
    await log.append(batch.slice(written));
    assert.deepEqual((await read()).numbers, [1, 2, 3, 4, 5]);
  });
});
