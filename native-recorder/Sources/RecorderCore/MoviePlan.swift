// Owns how takes become one video track: order, overlaps, which of them are copied and which are encoded again, and what
// the chapters come to.

/// A take as its file describes it.
public struct TakeInfo: Sendable, Equatable {
  public let path: String
  public let offsetMs: Double
  public let durationMs: Double
  public let size: PictureSize
  /// The avcC record; nil for what is no H.264 or has reordered frames, which cannot be copied.
  public let configuration: [UInt8]?

  public init(path: String, offsetMs: Double, durationMs: Double, size: PictureSize, configuration: [UInt8]?) {
    self.path = path
    self.offsetMs = offsetMs
    self.durationMs = durationMs
    self.size = size
    self.configuration = configuration
  }
}

/// One track has one picture size, and players outside the standard's letter know one sample description: so the takes
/// of the size and parameter sets that last longest are copied, all others are encoded again into that size.
public struct MoviePlan: Sendable, Equatable {
  public struct Part: Sendable, Equatable {
    public let path: String
    /// What is added to the take's own times.
    public let offsetTicks: Int
    /// Nothing of this take is shown from here on.
    public let endTicks: Int
    public let isCopied: Bool
  }

  /// Ticks a second.
  public static let timescale = 90_000

  public let size: PictureSize
  /// The avcC record of what is copied; nil when everything is encoded.
  public let configuration: [UInt8]?
  public let parts: [Part]
  public var endTicks: Int { parts.last?.endTicks ?? 0 }

  /// - Parameter encodesAll: copy nothing.
  /// - Throws: `ioError` when no take holds a picture.
  public init(_ takes: [TakeInfo], encodesAll: Bool) throws(RecorderError) {
    let shown = takes.filter { $0.durationMs > 0 }.enumerated()
      .sorted { ($0.element.offsetMs, $0.offset) < ($1.element.offsetMs, $1.offset) }.map(\.element)
    guard !shown.isEmpty else { throw RecorderError(.ioError, "The takes hold no picture; call media_recover first.") }
    let copyable = encodesAll ? [] : shown.filter { $0.configuration != nil }
    let model = Self.longest(copyable) { $0.size == $1.size && $0.configuration == $1.configuration }
    let size = (model ?? Self.longest(shown) { $0.size == $1.size } ?? shown[0]).size
    var parts: [Part] = []
    for (index, take) in shown.enumerated() {
      let offset = Self.ticks(take.offsetMs)
      // The later take wins: the end of the earlier one can be left out, its beginning could not.
      let next = index + 1 < shown.count ? Self.ticks(shown[index + 1].offsetMs) : Int.max
      let end = min(next, Self.ticks(take.offsetMs + take.durationMs))
      guard end > offset else { continue }
      let isCopied = model.map { $0.size == take.size && $0.configuration == take.configuration } ?? false
      parts.append(Part(path: take.path, offsetTicks: offset, endTicks: end, isCopied: isCopied))
    }
    self.size = size
    configuration = model?.configuration
    self.parts = parts
  }

  /// Chapters in order, within `durationMs`, none reaching into the next; titles as long as the format holds (255 bytes).
  public static func chapters(_ wanted: [MediaChapter], durationMs: Double) -> [MediaChapter] {
    let sorted = wanted.filter { $0.startMs < durationMs }.sorted { $0.startMs < $1.startMs }
    return sorted.enumerated().compactMap { index, chapter in
      let next = index + 1 < sorted.count ? sorted[index + 1].startMs : durationMs
      let end = min(next, chapter.endMs ?? next)
      guard end > chapter.startMs else { return nil }
      return MediaChapter(title: fitted(chapter.title), startMs: chapter.startMs, endMs: end)
    }
  }

  private static func fitted(_ title: String) -> String {
    var title = title
    while title.utf8.count > 255 { title.removeLast() }
    return title
  }

  /// The take whose likes last longest together; the earliest of equals.
  private static func longest(_ takes: [TakeInfo], _ isLike: (TakeInfo, TakeInfo) -> Bool) -> TakeInfo? {
    var best: (take: TakeInfo, durationMs: Double)?
    for take in takes {
      let durationMs = takes.reduce(0) { $0 + (isLike($1, take) ? $1.durationMs : 0) }
      if durationMs > best?.durationMs ?? 0 { best = (take, durationMs) }
    }
    return best?.take
  }

  private static func ticks(_ ms: Double) -> Int { Int((ms * Double(timescale) / 1000).rounded()) }
}

/// An avcC record (ISO/IEC 14496-15, 5.3.3.1), as far as joining two of them takes.
public struct AvcConfiguration {
  public let parameterSets: [[UInt8]]
  public let pictureSets: [[UInt8]]
  public let record: [UInt8]
  private let head: [UInt8]
  private let tail: [UInt8]

  /// Nil for what is no avcC record.
  public init?(_ record: [UInt8]) {
    guard record.count >= 7, record[0] == 1 else { return nil }
    let reader = ByteReader(bytes: record)
    var at = 6
    func sets(_ count: Int) -> [[UInt8]]? {
      var found: [[UInt8]] = []
      for _ in 0..<count {
        guard let size = reader.u16(at), size > 0, at + 2 + size <= record.count else { return nil }
        found.append(Array(record[at + 2..<at + 2 + size]))
        at += 2 + size
      }
      return found
    }
    guard let sps = sets(Int(record[5] & 31)), let count = reader.u8(at) else { return nil }
    at += 1
    guard let pps = sets(count) else { return nil }
    self.record = record
    head = Array(record[0..<5])
    parameterSets = sps
    pictureSets = pps
    tail = Array(record[at...])
  }

  /// One more than the largest id of a sequence parameter set: free for another encoder's.
  public var freeId: Int { (parameterSets.compactMap(Self.id).max() ?? -1) + 1 }

  /// Both encoders' parameter sets in one record; their ids have to differ.
  public func joined(with other: AvcConfiguration) -> [UInt8] {
    var writer = ByteWriter()
    // Version, profile, compatibility, then the level: the higher one covers both.
    writer.raw(head[0..<3] + [max(head[3], other.head[3]), head[4]])
    let sps = parameterSets + other.parameterSets
    let pps = pictureSets + other.pictureSets
    writer.u8(0xe0 | UInt8(sps.count & 31))
    for set in sps {
      writer.u16(set.count)
      writer.raw(set)
    }
    writer.u8(UInt8(truncatingIfNeeded: pps.count))
    for set in pps {
      writer.u16(set.count)
      writer.raw(set)
    }
    writer.raw(tail)
    return writer.bytes
  }

  /// seq_parameter_set_id (ITU-T H.264, 7.3.2.1.1): an Exp-Golomb number behind the header, profile and level.
  static func id(_ sps: [UInt8]) -> Int? {
    guard sps.count > 4 else { return nil }
    let bits = (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(4 + $1 < sps.count ? sps[4 + $1] : 0) }
    let zeros = bits.leadingZeroBitCount
    guard zeros <= 5 else { return nil }
    return Int((bits << UInt32(zeros)) >> UInt32(31 - zeros)) - 1
  }
}
