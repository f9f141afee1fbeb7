// Owns picture memory and the rectangles in it: BGRA as captured, NV12 as encoded.

import CPixels

public struct PictureSize: Sendable, Equatable {
  public let width: Int
  public let height: Int

  public init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  public var area: Int { width * height }

  /// The size of the video for a picture of this size: at most `maxWidth` wide, same shape, even numbers
  /// (4:2:0 has one chroma sample for 2x2 pixels). An odd last column or row is cropped.
  public func fitted(maxWidth: Int) -> PictureSize {
    guard width > maxWidth else { return PictureSize(width: max(2, width & ~1), height: max(2, height & ~1)) }
    let scaled = (height * maxWidth + width / 2) / width
    return PictureSize(width: max(2, maxWidth & ~1), height: max(2, scaled & ~1))
  }
}

/// A rectangle in pixels, top left first.
public struct PixelRect: Sendable, Equatable {
  public var x: Int
  public var y: Int
  public var width: Int
  public var height: Int

  public init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  public init(_ size: PictureSize) {
    self.init(x: 0, y: 0, width: size.width, height: size.height)
  }

  public var isEmpty: Bool { width <= 0 || height <= 0 }
  public var area: Int { isEmpty ? 0 : width * height }

  public func clipped(to size: PictureSize) -> PixelRect {
    let left = min(max(x, 0), size.width)
    let top = min(max(y, 0), size.height)
    let right = min(max(x + width, 0), size.width)
    let bottom = min(max(y + height, 0), size.height)
    return PixelRect(x: left, y: top, width: right - left, height: bottom - top)
  }

  public func union(_ other: PixelRect) -> PixelRect {
    if isEmpty { return other }
    if other.isEmpty { return self }
    let left = min(x, other.x)
    let top = min(y, other.y)
    return PixelRect(
      x: left, y: top, width: max(x + width, other.x + other.width) - left,
      height: max(y + height, other.y + other.height) - top)
  }

  /// Grown to even edges, because chroma is shared by 2x2 pixels.
  public func evenAligned(in size: PictureSize) -> PixelRect {
    let left = x & ~1
    let top = y & ~1
    return PixelRect(x: left, y: top, width: ((x + width + 1) & ~1) - left, height: ((y + height + 1) & ~1) - top)
      .clipped(to: PictureSize(width: size.width & ~1, height: size.height & ~1))
  }

  /// Where this rectangle lands when `from` is scaled to `to`, grown by the pixels that share in the average.
  public func scaled(from: PictureSize, to: PictureSize) -> PixelRect {
    let left = x * to.width / from.width - 1
    let top = y * to.height / from.height - 1
    let right = ((x + width) * to.width + from.width - 1) / from.width + 1
    let bottom = ((y + height) * to.height + from.height - 1) / from.height + 1
    return PixelRect(x: left, y: top, width: right - left, height: bottom - top).clipped(to: to)
  }
}

/// BGRX pixels, 8 bits each, rows without padding.
public final class BgraPicture {
  public let size: PictureSize
  public let base: UnsafeMutableRawPointer
  public var stride: Int { size.width * 4 }
  public var byteCount: Int { stride * size.height }
  private let owned: Bool
  /// Keeps memory that lives elsewhere.
  private let owner: (any Sendable)?

  public init(size: PictureSize) {
    self.size = size
    base = .allocate(byteCount: max(4, size.width * 4 * size.height), alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: max(4, size.width * 4 * size.height))
    owned = true
    owner = nil
  }

  /// Looks at memory that lives elsewhere (shared with the display server): as long as `owner`, or the caller sees to it.
  public init(size: PictureSize, over memory: UnsafeMutableRawPointer, owner: (any Sendable)? = nil) {
    self.size = size
    base = memory
    owned = false
    self.owner = owner
  }

  deinit {
    if owned { base.deallocate() }
  }

  var bytes: UnsafeMutablePointer<UInt8> { base.assumingMemoryBound(to: UInt8.self) }

  /// Fills `rect` (in this picture's pixels) from a larger picture by averaging.
  public func shrink(_ source: BgraPicture, into rect: PixelRect) {
    let part = rect.clipped(to: size)
    guard !part.isEmpty else { return }
    px_shrink_bgrx(
      source.bytes, source.stride, Int32(source.size.width), Int32(source.size.height), bytes, stride,
      Int32(size.width), Int32(size.height), Int32(part.x), Int32(part.y), Int32(part.width), Int32(part.height))
  }
}

/// NV12 in BT.709 limited range: a luma plane, then interleaved chroma at half resolution.
public final class Nv12Picture {
  public let size: PictureSize
  public let lumaStride: Int
  public let memory: UnsafeMutableRawPointer
  public let byteCount: Int
  public let blocksPerRow: Int
  public let blockRows: Int
  /// 1 for every 16x16 block, row by row, in which a sample differs from what it was at the last `forgetChanges`.
  public private(set) var changed: [UInt8]
  public private(set) var hasChanges = false

  public init(size: PictureSize) {
    self.size = size
    lumaStride = (size.width + 63) & ~63
    byteCount = lumaStride * (size.height + (size.height + 1) / 2) + 64
    memory = .allocate(byteCount: byteCount, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 128, count: byteCount)
    blocksPerRow = (size.width + 15) / 16
    blockRows = (size.height + 15) / 16
    changed = Array(repeating: 0, count: blocksPerRow * blockRows)
  }

  deinit {
    memory.deallocate()
  }

  public var luma: UnsafeMutablePointer<UInt8> { memory.assumingMemoryBound(to: UInt8.self) }
  public var chroma: UnsafeMutablePointer<UInt8> { luma + lumaStride * size.height }

  /// Share of the blocks that are marked in `changed`, 0…1.
  public var changedShare: Double {
    hasChanges ? Double(changed.reduce(0) { $0 + Int($1) }) / Double(changed.count) : 0
  }

  /// The picture as it is now has been encoded.
  public func forgetChanges() {
    guard hasChanges else { return }
    for block in changed.indices { changed[block] = 0 }
    hasChanges = false
  }

  /// Takes over the given rectangles of a BGRA picture of at least this size.
  /// Returns the share of blocks, 0…1, that differ from what was encoded; 0 when this update brought nothing new.
  public func update(from picture: BgraPicture, in rects: [PixelRect]) -> Double {
    var any = false
    let blocks = blocksPerRow
    changed.withUnsafeMutableBufferPointer { marks in
      for rect in rects {
        let part = rect.evenAligned(in: size)
        guard !part.isEmpty, let first = marks.baseAddress else { continue }
        let differs = px_bgrx_to_nv12(
          picture.bytes, picture.stride, luma, lumaStride, chroma, lumaStride, Int32(part.x), Int32(part.y),
          Int32(part.width), Int32(part.height), first, Int32(blocks))
        if differs != 0 { any = true }
      }
    }
    guard any else { return 0 }
    hasChanges = true
    return changedShare
  }
}

extension BgraPicture {
  /// Three bytes a pixel, rows without padding.
  func packedRgb() -> [UInt8] {
    let count = size.area * 3
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let target = buffer.baseAddress {
        px_bgrx_to_rgb(bytes, stride, target, size.width * 3, Int32(size.width), Int32(size.height))
      }
      initialized = count
    }
  }
}
