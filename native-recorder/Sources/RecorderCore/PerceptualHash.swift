// Owns how screenshots are compared: by a 64-bit hash of how they look, and block by block.

import CPixels

/// Difference hash: luma averaged over 9x8 cells, one bit for each pair of horizontal neighbours (1 where the left one
/// is darker), top left first. After Neal Krawetz, “Kind of Like That”, hackerfactor.com, 2013.
public struct PerceptualHash: Sendable, Equatable {
  public let bits: UInt64

  public init(bits: UInt64) {
    self.bits = bits
  }

  public init(_ picture: BgraPicture) {
    var cells = [UInt32](repeating: 0, count: 72)
    px_luma_grid(
      picture.bytes, picture.stride, Int32(picture.size.width), Int32(picture.size.height), 9, 8, &cells)
    var value: UInt64 = 0
    for row in 0..<8 {
      for column in 0..<8 {
        value = value << 1 | (cells[row * 9 + column] < cells[row * 9 + column + 1] ? 1 : 0)
      }
    }
    bits = value
  }

  /// 16 lowercase hex digits.
  public var text: String {
    let digits = String(bits, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Bits that differ, 0…64; up to 4 usually means the same screen.
  public func distance(to other: PerceptualHash) -> Int {
    (bits ^ other.bits).nonzeroBitCount
  }
}

/// What tells a screen that stands still from one on which a word was typed, which no hash of the whole can tell.
struct BlockPrint: Sendable, Equatable {
  /// A caret that blinks, or one digit of a clock, touches no more blocks of 16x16 pixels than this.
  static let mostOfTheSame = 6

  private let size: PictureSize
  private let hashes: [UInt64]

  init(_ picture: BgraPicture) {
    size = picture.size
    let count = (size.width + 15) / 16 * ((size.height + 15) / 16)
    hashes = [UInt64](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let first = buffer.baseAddress {
        px_block_hashes(picture.bytes, picture.stride, Int32(picture.size.width), Int32(picture.size.height), first)
      }
      initialized = count
    }
  }

  func isSame(as other: BlockPrint) -> Bool {
    size == other.size && zip(hashes, other.hashes).count { $0 != $1 } <= Self.mostOfTheSame
  }
}
