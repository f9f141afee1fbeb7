// Owns the video thread's book of its sources: which there are, what each is doing, and whose hands its picture is in.

/// What status says of one source.
public struct SourceStatus: Encodable, Sendable, Equatable {
  public enum State: String, Codable, Sendable {
    case opening, active
    /// It has not answered for three seconds.
    case stalled
    /// Opened again every second.
    case lost
    /// It will not come back: its window was closed.
    case gone
  }

  public let id: String
  public let type: SourceKind
  public let targetId: String?
  public var state = State.opening
  /// Whether the layout shows it.
  public var isShown = false
  public var width: Int?
  public var height: Int?
  public var frames = 0
  /// Monotonic milliseconds of its last frame; null before the first.
  public var lastFrameMonotonicMs: Double?
  public var error: RecorderError?
  /// Since when it has been asked for its picture and has not answered; for `asOf`.
  var askedAtMs: Double?

  private enum CodingKeys: String, CodingKey {
    case id, type, targetId, state
    case isShown = "shown"
    case width, height, frames, lastFrameMonotonicMs, error
  }

  func asOf(_ nowMs: Double) -> SourceStatus {
    guard state == .active, let askedAtMs, nowMs - askedAtMs > StallCheck.limitMs else { return self }
    var status = self
    status.state = .stalled
    return status
  }
}

/// What the video thread shows of itself.
struct VideoView: Sendable {
  var layout = LayoutConfig()
  var sources: [SourceStatus] = []
  /// Of the last take.
  var encoderName: String?
}

final class VideoSource {
  let config: SourceConfig
  let runner: SourceRunner
  /// Never used twice, so that a removed source's last words are not taken for another's.
  let key: Int
  var status: SourceStatus
  /// Waits for the source to open; nil once that is answered.
  var adding: Reply<RecorderError?>?
  var size: PictureSize?
  var hasOwnClock = false
  /// The picture while it is in the video thread's hands.
  var picture: BgraPicture?
  /// What changed in it since it was composed last; nil means all of it.
  var damage: [PixelRect]?
  var hasEnded = false
  /// It has been asked for its picture and has not answered.
  var isAsked: Bool { status.askedAtMs != nil }

  init(_ config: SourceConfig, key: Int, runner: SourceRunner, adding: Reply<RecorderError?>? = nil) {
    self.config = config
    self.key = key
    self.runner = runner
    self.adding = adding
    status = SourceStatus(id: config.id, type: config.type, targetId: config.targetId)
  }

  func ask(atMs nowMs: Double) {
    guard !isAsked else { return }
    status.askedAtMs = nowMs
    picture = nil
    runner.capture()
  }

  func take(_ frame: SourcedFrame, atMs nowMs: Double) {
    status.askedAtMs = nil
    let isResized = size != frame.picture.size
    size = frame.picture.size
    picture = frame.picture
    damage = isResized ? nil : damage.map { $0 + frame.damage }
    status.width = frame.picture.size.width
    status.height = frame.picture.size.height
    status.frames += 1
    status.lastFrameMonotonicMs = nowMs.roundedMs
  }

  func lose(_ error: RecorderError, isFinal: Bool) {
    status.state = isFinal ? .gone : .lost
    status.error = error
    status.askedAtMs = nil
    picture = nil
    damage = nil
    runner.letGo()
  }

  /// Its thread ends as soon as it can; a call that hangs is broken off.
  func close() {
    picture = nil
    runner.close()
    if isAsked { runner.interrupt() }
  }
}

/// In the order in which they were added, which is the order of the layout.
struct VideoSources {
  static let most = VideoConfig.mostSources

  private(set) var all: [VideoSource] = []
  /// Removed ones whose threads have not ended.
  private var leaving: [VideoSource] = []
  private var nextKey = 0

  subscript(key: Int) -> VideoSource? { all.first { $0.key == key } }

  /// Sources that give pictures.
  var areLive: Bool { all.contains { $0.status.state == .active } }
  /// Those that take part in the layout: all but the ones that are still to be opened for the first time.
  var laidOut: [VideoSource] { all.filter { $0.adding == nil && $0.status.state != .gone } }

  mutating func add(
    _ config: SourceConfig, context: VideoContext, adding: Reply<RecorderError?>? = nil,
    tell: @escaping @Sendable (Int, SourceMessage) -> Void
  ) {
    let key = nextKey
    nextKey += 1
    let runner = SourceRunner(config, context: context) { tell(key, $0) }
    all.append(VideoSource(config, key: key, runner: runner, adding: adding))
    runner.start()
  }

  mutating func remove(_ source: VideoSource) {
    all.removeAll { $0 === source }
    source.close()
    if !source.hasEnded { leaving.append(source) }
  }

  /// A thread has ended; it may be one of a source that was removed before.
  mutating func ended(_ key: Int) {
    self[key]?.hasEnded = true
    leaving.removeAll { $0.key == key }
  }

  mutating func removeAll() {
    for source in all { remove(source) }
  }

  var haveEnded: Bool { all.isEmpty && leaving.isEmpty }

  /// Breaks off what hangs in the sources that were removed.
  func interruptLeaving() {
    for source in leaving { source.runner.interrupt() }
  }
}
