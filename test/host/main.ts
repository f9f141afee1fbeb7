/** Runs the host suite with the VSIX that `npm run package` made, prints what came of it, and fails when a test did. */
import { Resources } from '../../scripts/editor/resources.ts';
import { packagedVsix } from '../../scripts/package.ts';
import { runHostTests } from './run.ts';

const resources = new Resources();
resources.disposeOnExit();
const { passed, failures } = await runHostTests(await packagedVsix(), resources);
for (const { title, error } of failures) console.log(`\n✘ ${title}\n${error}`);
console.log(`\n${passed.length} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 || passed.length === 0 ? 1 : 0;
