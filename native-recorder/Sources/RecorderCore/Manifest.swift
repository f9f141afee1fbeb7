// Owns what a session's folder says about itself: takes, segments, screenshots, pauses and gaps, all in media time.

public struct Manifest: Codable, Sendable, Equatable {
  public enum State: String, Codable, Sendable { case recording, finished, recovered }

  public struct Take: Codable, Sendable, Equatable {
    public var index: Int
    /// File name in the session's folder.
    public var path: String
    /// Media time of the take's first frame.
    public var offsetMs: Double
    public var durationMs: Double
    public var frames: Int
    public var width: Int
    public var height: Int
    public var bytes: Int
    public var codec: String
    public var encoder: String
  }

  public struct Segment: Codable, Sendable, Equatable {
    public var index: Int
    public var path: String
    public var offsetMs: Double
    public var durationMs: Double
    public var sampleRate: Int
    public var channels: Int
    public var bytes: Int
    /// 0…1.
    public var peak: Double
    /// 0…1. Nil in manifests of before this was measured, like `noiseLevel`.
    public var rms: Double?
    /// dBFS: the 10th percentile of the power in windows of 20 ms. Nil for less than 20 ms.
    public var noiseLevel: Double?
    /// No sound above `AudioLevels.silencePeak`.
    public var isEmpty: Bool
  }

  public struct Screenshot: Codable, Sendable, Equatable {
    public var path: String
    public var offsetMs: Double
    public var sha256: String
    public var perceptualHash: String
    public var bytes: Int
    public var width: Int
    public var height: Int
  }

  public struct Pause: Codable, Sendable, Equatable {
    public var offsetMs: Double
    public var durationMs: Double
  }

  public struct Gap: Codable, Sendable, Equatable {
    public var service: ServiceKind
    /// The one source that is missing; nil when it is the whole service.
    public var sourceId: String?
    public var fromMs: Double
    /// Equal to `fromMs` while the gap lasts.
    public var toMs: Double
    public var reason: String
  }

  public static let fileName = "manifest.json"
  /// The longest manifest that is read.
  static let mostBytes = 64 << 20
  static let newestVersion = 1

  public var schemaVersion = newestVersion
  public var sessionId: String
  public var startedAt: String
  public var startedAtMonotonicMs: Double
  public var durationMs: Double = 0
  public var state: State = .recording
  public var takes: [Take] = []
  public var segments: [Segment] = []
  public var screenshots: [Screenshot] = []
  public var pauses: [Pause] = []
  public var gaps: [Gap] = []
  /// Frames left out, by cause.
  public var droppedFrames: [String: Int] = [:]
  /// Only after a recovery: what was recorded and could not be kept, as far as it can be told.
  public var lostMs: Double?

  public init(sessionId: String, startedAt: String, startedAtMonotonicMs: Double) {
    self.sessionId = sessionId
    self.startedAt = startedAt
    self.startedAtMonotonicMs = startedAtMonotonicMs
  }

  /// Puts a take in, or in the place of the one with its index; the session is at least as long as its parts.
  mutating func put(_ take: Take) {
    if let at = takes.lastIndex(where: { $0.index == take.index }) { takes[at] = take } else { takes.append(take) }
    durationMs = max(durationMs, take.offsetMs + take.durationMs)
  }

  mutating func put(_ segment: Segment) {
    if let at = segments.lastIndex(where: { $0.index == segment.index }) {
      segments[at] = segment
    } else {
      segments.append(segment)
    }
    durationMs = max(durationMs, segment.offsetMs + segment.durationMs)
  }
}

extension Manifest {
  /// Notes that a service, or one source of it, records nothing from here on. A gap that is open stays as it is.
  mutating func openGap(_ service: ServiceKind, sourceId: String? = nil, fromMs: Double, reason: String) {
    guard indexOfOpenGap(service, sourceId) == nil else { return }
    gaps.append(
      Gap(service: service, sourceId: sourceId, fromMs: fromMs.roundedMs, toMs: fromMs.roundedMs, reason: reason))
  }

  /// A gap of no length (in a pause) is none.
  mutating func closeGap(_ service: ServiceKind, sourceId: String? = nil, toMs: Double) {
    guard let last = indexOfOpenGap(service, sourceId) else { return }
    gaps[last].toMs = toMs.roundedMs
    if gaps[last].toMs <= gaps[last].fromMs { gaps.remove(at: last) }
  }

  private func indexOfOpenGap(_ service: ServiceKind, _ sourceId: String?) -> Int? {
    gaps.lastIndex { $0.service == service && $0.sourceId == sourceId && $0.toMs == $0.fromMs }
  }

  /// The recording is over: what is still missing is missing until its end.
  mutating func finish(durationMs: Double) {
    state = .finished
    self.durationMs = durationMs
    closeGaps(toMs: durationMs)
  }

  /// Closes what is still open, of services and of single sources.
  mutating func closeGaps(toMs: Double) {
    for gap in gaps where gap.toMs == gap.fromMs { closeGap(gap.service, sourceId: gap.sourceId, toMs: toMs) }
  }
}

/// File names in a session's folder.
public enum MediaName {
  public static func take(_ index: Int) -> String { "video-" + padded(index, 4) + ".mp4" }
  public static func segment(_ index: Int) -> String { "audio-" + padded(index, 4) + ".wav" }
  public static func screenshot(_ index: Int) -> String { "screenshot-" + padded(index, 6) + ".png" }

  /// The number in a name of the given kind; nil when it is no such name.
  public static func index(of name: String, prefix: String, suffix: String) -> Int? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix), name.count > prefix.count + suffix.count else { return nil }
    let digits = name.dropFirst(prefix.count).dropLast(suffix.count)
    guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(digits), number > 0 else { return nil }
    return number
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

public enum MediaTime {
  /// The latest moment and the longest time, in milliseconds, that is believed: a bit over ten years.
  public static let latestMs = 400_000_000_000.0
}

extension Double {
  /// Milliseconds with microsecond digits: enough for every use, and short in JSON.
  var roundedMs: Double { (self * 1000).rounded() / 1000 }
}
