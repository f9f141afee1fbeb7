/** What `npm start` makes of its command line: flags, or one line that says what to write instead. */
import assert from 'node:assert/strict';
import { readStartFlags } from '../../../scripts/startFlags.ts';

const complaint = (...args: string[]): string => {
  const flags = readStartFlags(args);
  assert.ok('complaint' in flags, `${args.join(' ')} was taken`);
  assert.doesNotMatch(flags.complaint, /\n/);
  return flags.complaint;
};

describe('readStartFlags', () => {
  it('knows a default for each, and takes what is said', () => {
    assert.deepEqual(readStartFlags([]), { exit: false, desktop: false, seconds: 20, out: undefined });
    assert.deepEqual(readStartFlags(['--exit', '--seconds', '90', '--out=somewhere', '--desktop']), {
      exit: true,
      desktop: true,
      seconds: 90,
      out: 'somewhere',
    });
  });

  it('says which numbers of seconds it takes', () => {
    for (const value of ['abc', '0', '-5', '3601', '', ' ', '--exit', 'NaN', 'Infinity']) {
      assert.match(complaint('--seconds', value), /--seconds takes a number from 1 to 3600/);
    }
    assert.match(complaint('--seconds'), /--seconds takes a number from 1 to 3600/);
    assert.match(complaint('--exit', '--seconds=x'), /--seconds takes a number from 1 to 3600/);
  });

  it('says that a folder is missing', () => {
    assert.match(complaint('--out'), /--out takes a folder/);
    assert.match(complaint('--out', '--exit'), /--out takes a folder/);
  });

  it('says what it knows when it is told anything else', () => {
    assert.match(complaint('--sekonds', '3'), /There is no --sekonds.*--seconds N/);
    assert.match(complaint('-x'), /There is no -x/);
    assert.match(complaint('quickly'), /"quickly" is not understood.*--exit/);
    assert.match(complaint('--exit=now'), /--exit takes no value/);
  });
});
