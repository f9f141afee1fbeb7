/** What a panel can load, and what is left when it is closed. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { CodedError } from '../../../src/shared/errors.ts';
import type { Attachment } from '../../../src/shared/model/attachment.ts';
import { SessionMediaFolder, sweepWindowFolders } from '../../../src/extension/review/sessionMediaFolder.ts';

const sessionId = '00000000-0000-4000-8000-000000000001';

describe('SessionMediaFolder', () => {
  let storage: string;
  let blobs: string;
  beforeEach(async () => {
    storage = await mkdtemp(join(tmpdir(), 'media-folder-'));
    blobs = join(storage, 'blobs');
    await mkdir(blobs);
  });
  afterEach(() => rm(storage, { recursive: true, force: true }));

  const attachment = (id: string, contentHash: string, mimeType: string): Attachment => ({
    id,
    contentHash,
    storageKey: `${contentHash}.dat`,
    refCount: 1,
    referencedBy: [],
    type: 'video',
    name: 'x',
    mimeType,
    size: 1,
    createdAt: '',
    lastAccessedAt: '',
  });
  const create = (stored: Readonly<Record<string, Attachment>>): Promise<SessionMediaFolder> =>
    SessionMediaFolder.create(join(storage, 'review', '1-a'), sessionId, blobs, {
      get: async (id) => stored[id],
      pathOf: ({ storageKey }) => join(blobs, storageKey),
    });

  it('holds the session’s own media under names from which the media type follows, and nothing else', async () => {
    await writeFile(join(blobs, 'aa.dat'), 'picture');
    await writeFile(join(blobs, 'other.dat'), 'of another session');
    const stored = { one: attachment('one', 'aa', 'video/mp4'), two: attachment('two', 'aa', 'video/mp4') };
    const folder = await create(stored);
    const path = await folder.place('one');
    assert.equal(dirname(path), folder.root);
    assert.equal(basename(path), 'aa.mp4');
    assert.equal(await readFile(path, 'utf8'), 'picture');
    assert.equal(await folder.place('two'), path, 'two names of one blob share its link');
    assert.deepEqual(await readdir(folder.root), ['aa.mp4']);
  });

  it('rejects what is gone, and finds it when it is asked for again later', async () => {
    const folder = await create({ one: attachment('one', 'aa', 'image/png') });
    const isNotFound = (error: unknown): boolean => error instanceof CodedError && error.code === 'notFound';
    await assert.rejects(folder.place('one'), isNotFound);
    await assert.rejects(folder.place('unknown'), isNotFound);
    await writeFile(join(blobs, 'aa.dat'), 'late');
    assert.equal(await readFile(await folder.place('one'), 'utf8'), 'late');
  });

  it('leaves nothing behind when it is disposed, and never touches the blob', async () => {
    await writeFile(join(blobs, 'aa.dat'), 'picture');
    const folder = await create({ one: attachment('one', 'aa', 'audio/wav') });
    await folder.place('one');
    await folder.remove();
    await assert.rejects(readdir(folder.root));
    assert.equal(await readFile(join(blobs, 'aa.dat'), 'utf8'), 'picture');
  });

  it('refuses a session id that is no id before it becomes a path', async () => {
    const attachments = { get: async () => undefined, pathOf: () => '' };
    await assert.rejects(SessionMediaFolder.create(storage, '../..', blobs, attachments));
  });

  it('sweeps the folders of windows that are gone, and no others', async () => {
    const review = join(storage, 'review');
    for (const name of ['11-a', '22-b', 'notes']) await mkdir(join(review, name), { recursive: true });
    await sweepWindowFolders(review, (pid) => pid === 22);
    assert.deepEqual((await readdir(review)).sort(), ['22-b', 'notes']);
    await sweepWindowFolders(join(storage, 'missing'), () => true);
  });
});
