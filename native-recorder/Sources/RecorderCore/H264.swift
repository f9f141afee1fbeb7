// Owns the difference between H.264 as an encoder gives it (start codes, ITU-T H.264 annex B) and as MP4 holds it
// (length prefixes and an avcC record, ISO/IEC 14496-15).

public enum H264 {
  /// The NAL units between start codes 00 00 01, without them and without trailing zero bytes.
  public static func nalUnits(_ bytes: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    var units: [Range<Int>] = []
    var begin: Int?
    var index = 0
    while index + 2 < bytes.count {
      // Most bytes rule out a start code at three places at once.
      if bytes[index + 2] > 1 {
        index += 3
      } else if bytes[index] == 0, bytes[index + 1] == 0, bytes[index + 2] == 1 {
        if let begin { units.append(begin..<trimmed(bytes, from: begin, to: index)) }
        begin = index + 3
        index += 3
      } else {
        index += 1
      }
    }
    if let begin { units.append(begin..<trimmed(bytes, from: begin, to: bytes.count)) }
    return units.filter { !$0.isEmpty }
  }

  /// One access unit with start codes → the same with 4-byte lengths; parameter sets and delimiters are left out,
  /// because the avcC record and the sample table say them.
  public static func lengthPrefixed(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count + 16)
    for unit in nalUnits(bytes) {
      let type = bytes[unit.lowerBound] & 31
      if type == 7 || type == 8 || type == 9 { continue }
      withUnsafeBytes(of: UInt32(truncatingIfNeeded: unit.count).bigEndian) { out.append(contentsOf: $0) }
      out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[unit]))
    }
    return out
  }

  /// The avcC contents for parameter sets given with start codes; nil when they hold no SPS or no PPS.
  public static func decoderConfiguration(_ parameterSets: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    let units = nalUnits(parameterSets).map { Array(parameterSets[$0]) }
    guard let sps = units.first(where: { $0[0] & 31 == 7 }), sps.count >= 4,
      let pps = units.first(where: { $0[0] & 31 == 8 })
    else { return nil }
    var writer = ByteWriter()
    writer.raw([1, sps[1], sps[2], sps[3], 0xff, 0xe1])
    writer.u16(sps.count)
    writer.raw(sps)
    writer.u8(1)
    writer.u16(pps.count)
    writer.raw(pps)
    // From profile 100 (High) on the record ends with chroma format and bit depths.
    if [100, 110, 122, 144].contains(sps[1]) { writer.raw([0xfd, 0xf8, 0xf8, 0]) }
    return writer.bytes
  }

  private static func trimmed(_ bytes: UnsafeBufferPointer<UInt8>, from: Int, to: Int) -> Int {
    var end = to
    while end > from, bytes[end - 1] == 0 { end -= 1 }
    return end
  }
}
