// Owns big-endian byte assembly, boxes of the ISO base media file format included.

struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  mutating func u8(_ value: UInt8) { bytes.append(value) }
  mutating func u16(_ value: Int) { integer(UInt16(truncatingIfNeeded: value)) }
  mutating func u32(_ value: Int) { integer(UInt32(truncatingIfNeeded: value)) }
  mutating func u64(_ value: Int) { integer(UInt64(truncatingIfNeeded: value)) }
  mutating func raw(_ more: [UInt8]) { bytes.append(contentsOf: more) }
  mutating func zeros(_ count: Int) { bytes.append(contentsOf: repeatElement(0, count: count)) }
  mutating func text(_ four: StaticString) { four.withUTF8Buffer { bytes.append(contentsOf: $0) } }

  /// A box (ISO/IEC 14496-12, 4.2): its size is filled in when `body` is done.
  mutating func box(_ type: StaticString, _ body: (inout ByteWriter) -> Void) {
    let start = bytes.count
    u32(0)
    text(type)
    body(&self)
    replace(UInt32(truncatingIfNeeded: bytes.count - start), at: start)
  }

  /// A box with version and flags.
  mutating func fullBox(_ type: StaticString, version: UInt8, flags: Int, _ body: (inout ByteWriter) -> Void) {
    box(type) { writer in
      writer.u32(Int(version) << 24 | flags)
      body(&writer)
    }
  }

  mutating func replace(_ value: UInt32, at offset: Int) {
    withUnsafeBytes(of: value.bigEndian) { raw in
      for (index, byte) in raw.enumerated() { bytes[offset + index] = byte }
    }
  }

  private mutating func integer<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }
}

/// Reads big-endian numbers; outside the bytes every number is nil.
struct ByteReader {
  let bytes: [UInt8]

  func u8(_ at: Int) -> Int? { integer(at, UInt8.self).map(Int.init) }
  func u16(_ at: Int) -> Int? { integer(at, UInt16.self).map(Int.init) }
  func u32(_ at: Int) -> Int? { integer(at, UInt32.self).map(Int.init) }
  func u64(_ at: Int) -> Int? { integer(at, UInt64.self).flatMap { Int(exactly: $0) } }

  private func integer<T: FixedWidthInteger>(_ at: Int, _ type: T.Type) -> T? {
    let size = MemoryLayout<T>.size
    guard at >= 0, at <= bytes.count - size else { return nil }
    var value: T = 0
    for index in at..<at + size { value = (size > 1 ? value << 8 : 0) | T(truncatingIfNeeded: bytes[index]) }
    return value
  }
}
