/** Where the native library of this platform lies in the extension's folder. */
import { join } from 'node:path';

const fileNames: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  darwin: 'libSessionRecorder.dylib',
  win32: 'SessionRecorder.dll',
};

export function libraryPathIn(extensionPath: string): string {
  const fileName = fileNames[process.platform] ?? 'libSessionRecorder.so';
  return join(extensionPath, 'native-recorder', 'lib', `${process.platform}-${process.arch}`, fileName);
}
