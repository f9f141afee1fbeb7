/** Names that would read as other names are shown with a mark where they cheat. */
import assert from 'node:assert/strict';
import { visibleText, withVisibleText } from '../../../src/shared/visibleText.ts';

describe('visibleText', () => {
  it('puts a mark in the place of each character that steers the direction of text', () => {
    assert.equal(visibleText('st\u202egnp.ts'), 'st\ufffdgnp.ts');
    for (const mark of '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069') {
      assert.equal(visibleText(`a${mark}b`), 'a\ufffdb');
    }
  });

  it('leaves every other text alone, in whatever direction it is written', () => {
    for (const text of ['src/tides.ts', 'تقرير.md', 'דוח.md', '潮汐.ts', '👩‍🚀.ts'])
      assert.equal(visibleText(text), text);
  });
});

describe('withVisibleText', () => {
  it('reaches every text of an answer, and leaves addresses as they are', () => {
    const name = 'st\u202egnp.ts';
    const data = { items: [{ file: { path: name, uri: name }, url: name, offsetMs: 5 }], missing: [name], gone: null };
    assert.deepEqual(withVisibleText(data), {
      items: [{ file: { path: 'st\ufffdgnp.ts', uri: name }, url: name, offsetMs: 5 }],
      missing: ['st\ufffdgnp.ts'],
      gone: null,
    });
  });
});
