/**
 * Exits 0 when node_modules holds what package-lock.json asks for. Compares contents, not dates: a checkout or a
 * branch switch touches dates, and a needless `npm ci` costs half a minute. Plain JavaScript, as it runs before tsx exists.
 */
import { readFileSync } from 'node:fs';

const packagesOf = (path) => JSON.parse(readFileSync(path, 'utf8')).packages;

function current() {
  let installed;
  try {
    installed = packagesOf('node_modules/.package-lock.json');
  } catch {
    return false;
  }
  return Object.entries(packagesOf('package-lock.json')).every(
    ([path, wanted]) =>
      // Packages for other systems are optional and absent here.
      path === '' || (installed[path] ? installed[path].version === wanted.version : wanted.optional === true),
  );
}

process.exit(current() ? 0 : 1);
