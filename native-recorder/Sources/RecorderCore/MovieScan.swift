// Owns reading a take back, as far as it is whole: fragments, durations, and where a torn tail begins.

/// What lies in a fragmented movie.
struct MovieScan {
  struct Fragment {
    let offset: Int
    let bytes: Int
    let startTicks: Int
    let endTicks: Int
    let frames: Int
    /// Presentation times of keyframes.
    let keyframes: [Int]
    let beginsWithKeyframe: Bool
  }

  let front: MovieFront
  let fragments: [Fragment]
  /// The end of the last whole fragment; what follows is an mfra box or torn.
  let wholeBytes: Int
  let hasRandomAccessIndex: Bool
  let fileBytes: Int

  var frames: Int { fragments.reduce(0) { $0 + $1.frames } }
  var endTicks: Int { fragments.last?.endTicks ?? 0 }
  var durationMs: Double { min(Double(endTicks) * 1000 / Double(max(1, front.timescale)), MediaTime.latestMs) }
  /// The room for the index is a take's mark: other fragmented movies have none of this size.
  var isTake: Bool { front.indexRoom?.size == MovieHeader.indexRoom }
  var isTorn: Bool { fileBytes > wholeBytes && !hasRandomAccessIndex }

  /// Nil when the file's front is not that of a fragmented movie.
  static func read(_ file: any MediaFile) throws(RecorderError) -> MovieScan? {
    guard let front = try MovieFront.read(file) else { return nil }
    var fragments: [Fragment] = []
    var offset = front.end
    var hasIndex = false
    while let moof = try BoxHeader.read(file, at: offset) {
      if moof.type == "mfra" {
        hasIndex = moof.end == file.size
        break
      }
      guard moof.type == "moof", moof.size < 64 << 20, moof.end <= file.size,
        let mdat = try BoxHeader.read(file, at: moof.end), mdat.type == "mdat", mdat.end <= file.size
      else { break }
      let reader = ByteReader(bytes: try file.read(at: offset, count: moof.size))
      guard
        let fragment = parse(
          reader, offset: offset, bytes: moof.size + mdat.size, expected: fragments.last?.endTicks ?? 0,
          payload: mdat.size - 8)
      else { break }
      fragments.append(fragment)
      offset = mdat.end
    }
    return MovieScan(
      front: front, fragments: fragments, wholeBytes: offset, hasRandomAccessIndex: hasIndex, fileBytes: file.size)
  }

  /// How long a torn fragment would have been, if its moof box at least is whole.
  static func declaredTicks(_ file: any MediaFile, at offset: Int) throws(RecorderError) -> Int? {
    guard let moof = try BoxHeader.read(file, at: offset), moof.type == "moof", moof.size < 64 << 20,
      moof.end <= file.size
    else { return nil }
    let reader = ByteReader(bytes: try file.read(at: offset, count: moof.size))
    return parse(reader, offset: offset, bytes: 0, expected: 0, payload: nil).map { $0.endTicks - $0.startTicks }
  }

  /// The latest time that is believed; a fragment's durations cannot bring a later one to overflow.
  private static let mostTicks = Int(MediaTime.latestMs) / 1000 * MovieHeader.timescale

  /// moof holds mfhd, then traf with tfhd, tfdt and trun, as `FragmentedMovieWriter` writes them.
  private static func parse(_ reader: ByteReader, offset: Int, bytes: Int, expected: Int, payload: Int?) -> Fragment? {
    var at = 8
    var start: Int?
    var run: Int?
    while let size = reader.u32(at), size >= 8, at + size <= reader.bytes.count {
      switch String(decoding: reader.bytes[at + 4..<at + 8], as: UTF8.self) {
      case "traf":
        at += 8
        continue
      case "tfdt":
        start = reader.u8(at + 8) == 1 ? reader.u64(at + 12) : reader.u32(at + 12)
      case "trun":
        run = at
      default:
        break
      }
      at += size
    }
    guard let start, start <= mostTicks, let run, start >= expected, let count = reader.u32(run + 12), count > 0,
      reader.u32(run + 8).map({ $0 & 0xffffff }) == 0x701, run + 20 + count * 12 <= reader.bytes.count
    else { return nil }
    var ticks = start
    var sampleBytes = 0
    var keyframes: [Int] = []
    for sample in 0..<count {
      let entry = run + 20 + sample * 12
      guard let duration = reader.u32(entry), let size = reader.u32(entry + 4), let flags = reader.u32(entry + 8)
      else { return nil }
      if flags & 0x10000 == 0 { keyframes.append(ticks) }
      ticks += duration
      sampleBytes += size
    }
    if let payload, sampleBytes != payload { return nil }
    guard ticks <= mostTicks else { return nil }
    return Fragment(
      offset: offset, bytes: bytes, startTicks: start, endTicks: ticks, frames: count, keyframes: keyframes,
      beginsWithKeyframe: keyframes.first == start)
  }
}
