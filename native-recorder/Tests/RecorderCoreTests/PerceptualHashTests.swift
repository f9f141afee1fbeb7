// Owns what is promised of the perceptual hash.

import Testing

@testable import RecorderCore

@Suite struct PerceptualHashTests {
  @Test func aHashIsSixteenHexDigits() {
    #expect(PerceptualHash(bits: 0xff).text == "00000000000000ff")
  }

  @Test func distanceCountsBits() {
    #expect(PerceptualHash(bits: 0b1011).distance(to: PerceptualHash(bits: 0b0001)) == 2)
  }
}

@Suite struct BlockPrintTests {
  @Test func aCaretIsTheSameScreenAndAWordIsNot() {
    let picture = BgraPicture(size: PictureSize(width: 640, height: 400))
    picture.fill(PixelRect(picture.size), 0x1e1e1e)
    let before = BlockPrint(picture)
    picture.fill(PixelRect(x: 31, y: 30, width: 2, height: 20), 0xffffff)
    #expect(BlockPrint(picture) != before && BlockPrint(picture).isSame(as: before))
    picture.fill(PixelRect(x: 100, y: 100, width: 90, height: 3), 0xffffff)
    #expect(!BlockPrint(picture).isSame(as: before))
    #expect(!BlockPrint(BgraPicture(size: PictureSize(width: 640, height: 401))).isSame(as: before))
  }
}
