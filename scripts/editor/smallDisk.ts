/** Owns a file system of a few megabytes, to be filled. Mounting one takes root rights, which the test machines have. */
import { spawnSync } from 'node:child_process';
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Resource, TemporaryFolder } from './resources.ts';
import { capture } from '../process.ts';

export class SmallDisk implements Resource {
  private constructor(private readonly folder: TemporaryFolder) {
    // Before the folder's own listener, which could not remove what is mounted.
    process.prependOnceListener('exit', this.unmount);
  }

  static async mount(megabytes: number): Promise<SmallDisk> {
    const folder = new TemporaryFolder('small-disk');
    try {
      await capture('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder.path]);
    } catch (error) {
      await folder.dispose();
      throw error;
    }
    return new SmallDisk(folder);
  }

  get path(): string {
    return this.folder.path;
  }

  /** Leaves so much free, or no free block at all. */
  async fill(leavingBytes = 0): Promise<void> {
    const file = await open(this.filler, 'a');
    try {
      const { bavail, bsize } = await statfs(this.path);
      const block = Buffer.alloc(bsize);
      for (let left = bavail - Math.ceil(leavingBytes / bsize); left > 0; left--) await file.write(block);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      await file.close();
    }
  }

  async release(): Promise<void> {
    await rm(this.filler, { force: true });
  }

  async dispose(): Promise<void> {
    process.off('exit', this.unmount);
    this.unmount();
    await this.folder.dispose();
  }

  /** Lazily: a process that ends may hold its log for a moment longer. */
  private readonly unmount = (): void => {
    spawnSync('umount', ['--lazy', this.path]);
  };

  private get filler(): string {
    return join(this.path, 'filler');
  }
}
