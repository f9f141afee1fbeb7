/** Owns a file system of a few megabytes, to be filled. Mounting one takes root rights, which the test machines have. */
import { statfs } from 'node:fs/promises';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Resource, TemporaryFolder } from '../../scripts/editor/resources.ts';
import { capture } from '../../scripts/process.ts';

export class SmallDisk implements Resource {
  private constructor(private readonly folder: TemporaryFolder) {}

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

  /** Leaves no free block. */
  async fill(): Promise<void> {
    const file = await open(this.filler, 'w');
    try {
      const { bavail, bsize } = await statfs(this.path);
      const block = Buffer.alloc(bsize);
      for (let left = bavail; left > 0; left--) await file.write(block);
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
    // Lazily: a process that ends may hold its log for a moment longer.
    await capture('umount', ['--lazy', this.path]);
    await this.folder.dispose();
  }

  private get filler(): string {
    return join(this.path, 'filler');
  }
}
