// Owns what is promised of pictures: colours, what counts as changed, scaling, rectangles.

import Testing

@testable import RecorderCore

@Suite struct PictureTests {
  private func fill(_ picture: BgraPicture, _ bgrx: UInt32) {
    let pixels = picture.base.assumingMemoryBound(to: UInt32.self)
    for index in 0..<picture.size.area { pixels[index] = bgrx }
  }

  /// Values of ITU-R BT.709-6 in limited range, one step of rounding allowed.
  @Test(arguments: [
    (UInt32(0xffffff), 235, 128, 128), (0x000000, 16, 128, 128), (0xff0000, 63, 102, 240), (0x00ff00, 173, 42, 26),
    (0x0000ff, 32, 240, 118), (0x808080, 126, 128, 128),
  ])
  func coloursAreBt709Limited(_ rgb: UInt32, y: Int, u: Int, v: Int) {
    let size = PictureSize(width: 34, height: 18)
    let picture = BgraPicture(size: size)
    fill(picture, rgb)
    let planes = Nv12Picture(size: size)
    #expect(planes.update(from: picture, in: [PixelRect(size)]) > 0)
    for (x, row) in [(0, 0), (33, 17), (16, 5)] {
      #expect(abs(Int(planes.luma[row * planes.lumaStride + x]) - y) <= 1)
    }
    #expect(abs(Int(planes.chroma[0]) - u) <= 1 && abs(Int(planes.chroma[1]) - v) <= 1)
    #expect(abs(Int(planes.chroma[8 * planes.lumaStride + 32]) - u) <= 1)
  }

  @Test func onlyWhatReallyDiffersCounts() {
    let size = PictureSize(width: 64, height: 64)
    let picture = BgraPicture(size: size)
    fill(picture, 0x202020)
    let planes = Nv12Picture(size: size)
    #expect(planes.update(from: picture, in: [PixelRect(size)]) == 1)
    #expect(planes.update(from: picture, in: [PixelRect(size)]) == 0)
    planes.forgetChanges()
    #expect(!planes.hasChanges && planes.changedShare == 0)
    picture.base.storeBytes(of: 0xffffff, toByteOffset: (40 * 64 + 20) * 4, as: UInt32.self)
    #expect(planes.update(from: picture, in: [PixelRect(size)]) == 1.0 / 16)
    #expect(planes.update(from: picture, in: []) == 0)
  }

  @Test func changesAddUpUntilTheyAreForgotten() {
    let size = PictureSize(width: 64, height: 32)
    let picture = BgraPicture(size: size)
    let planes = Nv12Picture(size: size)
    _ = planes.update(from: picture, in: [PixelRect(size)])
    planes.forgetChanges()
    for x in [0, 48] {
      picture.base.storeBytes(of: 0xffffff, toByteOffset: (20 * 64 + x) * 4, as: UInt32.self)
      _ = planes.update(from: picture, in: [PixelRect(x: x, y: 16, width: 16, height: 16)])
    }
    #expect(planes.changed == [0, 0, 0, 0, 1, 0, 0, 1] && planes.changedShare == 0.25)
  }

  @Test func shrinkingAPartGivesTheSameAsShrinkingAll() {
    let picture = BgraPicture(size: PictureSize(width: 101, height: 67))
    let pixels = picture.base.assumingMemoryBound(to: UInt32.self)
    for index in 0..<picture.size.area { pixels[index] = UInt32(truncatingIfNeeded: index &* 2_654_435_761) & 0xffffff }
    let whole = BgraPicture(size: PictureSize(width: 40, height: 26))
    whole.shrink(picture, into: PixelRect(whole.size))
    let parts = BgraPicture(size: whole.size)
    parts.shrink(picture, into: PixelRect(x: 0, y: 0, width: 13, height: 26))
    parts.shrink(picture, into: PixelRect(x: 13, y: 0, width: 27, height: 26))
    let same = (0..<whole.byteCount).allSatisfy {
      whole.base.load(fromByteOffset: $0, as: UInt8.self) == parts.base.load(fromByteOffset: $0, as: UInt8.self)
    }
    #expect(same)
  }

  @Test func videoSizesAreEvenAndKeepTheShape() {
    #expect(PictureSize(width: 1365, height: 767).fitted(maxWidth: 1920) == PictureSize(width: 1364, height: 766))
    #expect(PictureSize(width: 3840, height: 2160).fitted(maxWidth: 1920) == PictureSize(width: 1920, height: 1080))
    #expect(PictureSize(width: 1, height: 1).fitted(maxWidth: 64) == PictureSize(width: 2, height: 2))
  }

  @Test func damageIsCoveredByFewRectangles() {
    var region = DamageRegion()
    var all: [PixelRect] = []
    for index in 0..<200 {
      let rect = PixelRect(x: (index * 367) % 1800, y: (index * 251) % 1000, width: 20, height: 13)
      region.add(rect)
      all.append(rect)
    }
    #expect(region.rects.count <= DamageRegion.mostRects)
    for rect in all {
      #expect(region.rects.contains { $0.union(rect) == $0 })
    }
  }

  @Test func farRectanglesStayApart() {
    var region = DamageRegion()
    region.add(PixelRect(x: 0, y: 0, width: 10, height: 10))
    region.add(PixelRect(x: 1900, y: 1000, width: 10, height: 10))
    #expect(region.rects.count == 2)
  }

  @Test func theHashTellsPicturesApartAndForgivesSmallChanges() {
    let picture = BgraPicture(size: PictureSize(width: 640, height: 360))
    let pixels = picture.base.assumingMemoryBound(to: UInt32.self)
    for y in 0..<360 {
      for x in 0..<640 { pixels[y * 640 + x] = UInt32((x * (y % 64 < 32 ? 1 : 3)) & 255) &* 0x010101 }
    }
    let first = PerceptualHash(picture)
    pixels[1000] = 0xffffff
    #expect(first.distance(to: PerceptualHash(picture)) <= 2)
    for y in 0..<360 {
      for x in 0..<640 { pixels[y * 640 + x] = UInt32(((640 - x) * (y % 90 < 45 ? 2 : 1)) & 255) &* 0x010101 }
    }
    #expect(first.distance(to: PerceptualHash(picture)) > 8)
  }
}
