/** When a picture on the page counts as the recorded one. */
import assert from 'node:assert/strict';
import { cellsOf, compare, looksRecorded, pictureArea } from '../../../scripts/editor/shownPicture.ts';

const cells = 64 * 40;
/** Something like an editor: dark, with rows of lighter text of different lengths. */
const recorded = Uint8Array.from({ length: cells }, (_, cell) => {
  const [x, y] = [cell % 64, Math.floor(cell / 64)];
  return y % 3 === 0 && x < (y * 17) % 60 ? 120 + ((x * 31) % 60) : 30;
});
const seen = (change: (value: number, cell: number) => number): Uint8Array => recorded.map(change);

describe('A picture of the player', () => {
  it('is the recorded one, whichever range of brightness the video has', () => {
    assert.ok(looksRecorded(compare(recorded, recorded)));
    assert.ok(
      looksRecorded(
        compare(
          seen((value) => 16 + (value * 219) / 255),
          recorded,
        ),
      ),
    );
  });

  it('is not where it is black, nearly black, another one, or the other way round', () => {
    assert.ok(
      !looksRecorded(
        compare(
          seen(() => 0),
          recorded,
        ),
      ),
    );
    assert.ok(
      !looksRecorded(
        compare(
          seen((value) => value / 10),
          recorded,
        ),
      ),
    );
    assert.ok(!looksRecorded(compare(Uint8Array.from([...recorded].reverse()), recorded)));
    assert.ok(
      !looksRecorded(
        compare(
          seen((value) => 255 - value),
          recorded,
        ),
      ),
    );
  });

  it('is compared beside what lies over it, and that alone never makes it the recorded one', () => {
    const picture = { x: 100, y: 50, width: 640, height: 400 };
    const button = { x: 388, y: 218, width: 64, height: 64 };
    const masked = cellsOf(button, picture);
    assert.equal(masked.size, 8 * 8);
    const withButton = seen((value, cell) => (masked.has(cell) ? 255 : value));
    assert.ok(looksRecorded(compare(withButton, recorded, masked)));
    const blackWithButton = seen((_, cell) => (masked.has(cell) ? 255 : 0));
    assert.ok(!looksRecorded(compare(blackWithButton, recorded, masked)));
    assert.ok(!looksRecorded(compare(blackWithButton, recorded)));
  });

  it('lies in the middle of its element, as large as fits', () => {
    assert.deepEqual(pictureArea({ x: 10, y: 20, width: 900, height: 500 }, { width: 1600, height: 1000 }), {
      x: 60,
      y: 20,
      width: 800,
      height: 500,
    });
    assert.deepEqual(pictureArea({ x: 0, y: 0, width: 400, height: 500 }, { width: 1600, height: 1000 }), {
      x: 0,
      y: 125,
      width: 400,
      height: 250,
    });
  });
});
