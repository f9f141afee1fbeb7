/** Ranges of an edit, in lines of the text after it. */
import assert from 'node:assert/strict';
import { editedRanges } from '../../../src/shared/editedRanges.ts';

describe('editedRanges', () => {
  const typed = (line: number, text: string) => ({ startLine: line, endLine: line, removedLength: 0, text });

  it('tells what was typed', () => {
    assert.deepEqual(editedRanges([typed(4, 'x')]), [
      { startLine: 4, endLine: 4, charactersAdded: 1, charactersRemoved: 0 },
    ]);
  });

  it('counts the lines of what was pasted, whatever ends them', () => {
    for (const text of ['a\nb\nc', 'a\r\nb\r\nc', 'a\rb\rc'])
      assert.equal(editedRanges([typed(2, text)])[0]?.endLine, 4);
  });

  it('tells a deletion where it happened', () => {
    assert.deepEqual(editedRanges([{ startLine: 3, endLine: 9, removedLength: 120, text: '' }]), [
      { startLine: 3, endLine: 3, charactersAdded: 0, charactersRemoved: 120 },
    ]);
  });

  it('shifts a change by the lines that those above it added or took', () => {
    // The editor reports from the bottom up.
    const ranges = editedRanges([
      typed(20, 'z'),
      { startLine: 10, endLine: 13, removedLength: 40, text: '' },
      typed(2, 'a\nb'),
    ]);
    assert.deepEqual(
      ranges.map(({ startLine }) => startLine),
      [2, 11, 18],
    );
  });

  it('covers a replacement in hundreds of places with one range', () => {
    const ranges = editedRanges(Array.from({ length: 500 }, (_, line) => typed(line, 'ab')));
    assert.deepEqual(ranges, [{ startLine: 0, endLine: 499, charactersAdded: 1000, charactersRemoved: 0 }]);
  });
});
