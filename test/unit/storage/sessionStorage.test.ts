/** Metadata, video records and attachments on disk: what is promised of them, and what bad files answer. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SessionMetadata } from '../../../src/shared/model/sessionMetadata.ts';
import { metadataOf } from '../../fakes/metadata.ts';
import { sessionStoreIn } from '../../fakes/sessionStore.ts';
import { temporaryFolder } from '../../fakes/temporaryFolder.ts';

describe('SessionStorage', () => {
  const folder = temporaryFolder();
  const open = () => sessionStoreIn(folder());
  const spoil = async (metadata: SessionMetadata, data: string) => {
    const path = open().paths.metadata(metadata.id);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, data);
  };

  it('reads the metadata that it wrote', async () => {
    const { storage } = open();
    const metadata = metadataOf({ name: 'Ümläute 🎬', tags: ['a', 'b'], totalDuration: 1234 });
    await storage.saveMetadata(metadata);
    assert.deepEqual(await open().storage.getMetadata(metadata.id), metadata);
  });

  it('leaves no temporary file behind', async () => {
    const { storage, paths } = open();
    const metadata = metadataOf();
    await storage.saveMetadata(metadata);
    await storage.saveMetadata({ ...metadata, name: 'Again' });
    assert.deepEqual(await readdir(paths.metadataFolder), [`${metadata.id}.json`]);
  });

  it('refuses metadata over 10 KB and keeps the old', async () => {
    const { storage } = open();
    const metadata = metadataOf();
    await storage.saveMetadata(metadata);
    const tooLarge = {
      ...metadata,
      description: 'ä'.repeat(2000),
      problems: Array.from({ length: 10 }, () => '🎬'.repeat(150)),
    };
    await assert.rejects(storage.saveMetadata(tooLarge), /over 10 KB/);
    assert.deepEqual(await storage.getMetadata(metadata.id), metadata);
  });

  it('says that a session is not there', async () => {
    await assert.rejects(open().storage.getMetadata(randomUUID()), { code: 'notFound' });
  });

  it('says that a file is damaged, and names it', async () => {
    const metadata = metadataOf();
    for (const data of ['', '{"id":', '[]', JSON.stringify({ ...metadata, status: 'sleeping' })]) {
      await spoil(metadata, data);
      await assert.rejects(open().storage.getMetadata(metadata.id), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'damaged');
        assert.match(error.message, new RegExp(metadata.id));
        return true;
      });
    }
  });

  it('refuses to read a newer version', async () => {
    const metadata = metadataOf();
    await spoil(metadata, JSON.stringify({ ...metadata, schemaVersion: 3 }));
    await assert.rejects(open().storage.getMetadata(metadata.id), { code: 'newerVersion' });
  });

  it('lets no id reach a path that is not one of ours', async () => {
    const { storage, paths } = open();
    for (const id of ['../../etc/passwd', '', 'A'.repeat(36), '..', 'x/y']) {
      await assert.rejects(storage.getMetadata(id), { code: 'damaged' });
      assert.throws(() => paths.recording(id), { code: 'damaged' });
    }
    assert.throws(() => paths.blob('../x'), { code: 'damaged' });
  });

  it('answers nothing for a session without a video', async () => {
    assert.equal(await open().storage.getVideo(randomUUID()), undefined);
  });
});

describe('AttachmentStorage', () => {
  const folder = temporaryFolder();
  const adopt = async (content: string, name = 'a.png') => {
    const path = join(folder(), name);
    await writeFile(path, content);
    const { attachments } = sessionStoreIn(folder());
    return attachments.adoptFile(path, { sessionId: randomUUID(), type: 'image', name, mimeType: 'image/png' });
  };

  it('stores a file under the SHA-256 of its content, and leaves the original', async () => {
    const attachment = await adopt('picture');
    const store = sessionStoreIn(folder());
    const sha256 = createHash('sha256').update('picture').digest('hex');
    assert.equal(store.attachments.pathOf(attachment), store.paths.blob(sha256));
    assert.equal(await readFile(store.paths.blob(sha256), 'utf8'), 'picture');
    assert.equal(await readFile(join(folder(), 'a.png'), 'utf8'), 'picture');
    assert.deepEqual(await store.attachments.get(attachment.id), attachment);
    assert.equal(attachment.size, 7);
  });

  it('stores equal content once', async () => {
    const [first, second] = [await adopt('same', 'a.png'), await adopt('same', 'b.png')];
    const { paths, attachments } = sessionStoreIn(folder());
    assert.equal(attachments.pathOf(first), attachments.pathOf(second));
    assert.equal((await readdir(paths.blobFolder)).length, 1);
  });

  it('says that a file to adopt is not there', async () => {
    const { attachments } = sessionStoreIn(folder());
    const facts = { sessionId: randomUUID(), type: 'image', name: 'x', mimeType: 'image/png' } as const;
    await assert.rejects(attachments.adoptFile(join(folder(), 'gone.png'), facts), { code: 'notFound' });
  });
});
