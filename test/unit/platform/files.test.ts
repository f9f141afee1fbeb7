/** Durable files: whole or not at all, and errors that say what happened. */
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diskFiles } from '../../../src/extension/platform/files.ts';
import { temporaryFolder } from '../../fakes/temporaryFolder.ts';

describe('diskFiles', () => {
  const folder = temporaryFolder();
  const at = (...names: string[]) => join(folder(), ...names);

  it('writes into folders that are not there yet, and replaces', async () => {
    await diskFiles.writeAtomic(at('a', 'b', 'c.json'), 'one');
    await diskFiles.writeAtomic(at('a', 'b', 'c.json'), 'two');
    assert.equal(await readFile(at('a', 'b', 'c.json'), 'utf8'), 'two');
    assert.deepEqual(await readdir(at('a', 'b')), ['c.json']);
  });

  it('leaves the old file and nothing else when a write fails', async () => {
    await mkdir(at('target.json'));
    await assert.rejects(diskFiles.writeAtomic(at('target.json'), 'new'));
    assert.deepEqual(await readdir(folder()), ['target.json']);
  });

  it('says in a code why a folder cannot be written', async () => {
    await writeFile(at('file'), '');
    await assert.rejects(diskFiles.writeAtomic(at('file', 'below.json'), ''), { code: 'ioError' });
    await assert.rejects(diskFiles.read(at('gone')), { code: 'notFound' });
    assert.deepEqual(await diskFiles.list(at('gone')), []);
    assert.equal(await diskFiles.facts(at('gone')), undefined);
  });

  it('gives a file a second name once', async () => {
    await writeFile(at('source'), 'bytes');
    await diskFiles.linkInto(at('source'), at('blobs', 'x.dat'));
    await diskFiles.linkInto(at('source'), at('blobs', 'x.dat'));
    await diskFiles.removeTree(at('source'));
    assert.equal(await readFile(at('blobs', 'x.dat'), 'utf8'), 'bytes');
  });

  it('hashes a file of several megabytes', async () => {
    await writeFile(at('large'), Buffer.alloc(3_000_000));
    assert.deepEqual(await diskFiles.hash(at('large')), {
      // sha256sum of three million zero bytes
      sha256: '35bce4eae54ec8e6cc2868baa8d157914d6ae2858811b4cc0c078c94460fa26f',
      size: 3_000_000,
    });
  });
});
