/** A real store in a folder, as the composition root wires it. */
import type { CodedError } from '../../src/shared/errors.ts';
import { type Files, diskFiles } from '../../src/extension/platform/files.ts';
import type { SessionStore } from '../../src/extension/session/finishSession.ts';
import { AttachmentStorage } from '../../src/extension/storage/attachmentStorage.ts';
import { SessionStorage } from '../../src/extension/storage/sessionStorage.ts';
import { StoragePaths } from '../../src/extension/storage/storagePaths.ts';

export interface TestStore extends SessionStore {
  /** What reading complained of. */
  readonly damaged: CodedError[];
}

export function sessionStoreIn(root: string, files: Files = diskFiles): TestStore {
  const paths = new StoragePaths(root);
  const now = () => new Date();
  const damaged: CodedError[] = [];
  const storage = new SessionStorage({ files, paths, now, onDamaged: (error) => damaged.push(error) });
  return { files, paths, storage, attachments: new AttachmentStorage(files, paths, now), now, damaged };
}
