// Owns media time: milliseconds of CLOCK_MONOTONIC since the start, with pauses left out.

import Locks

/// A stretch of monotonic time in which the session recorded, and the media time at which it begins.
public struct RecordedSpan: Sendable, Equatable {
  public let fromMs: Double
  public let toMs: Double
  public let offsetMs: Double
}

/// The pure part: a start and the pauses after it, all in monotonic milliseconds.
public struct PauseTimeline: Sendable, Equatable {
  public struct Pause: Sendable, Equatable {
    public let fromMs: Double
    public var toMs: Double?
  }

  public let startedAtMs: Double
  public private(set) var pauses: [Pause] = []

  public init(startedAtMs: Double) {
    self.startedAtMs = startedAtMs
  }

  public var isPaused: Bool { pauses.last.map { $0.toMs == nil } ?? false }

  public mutating func pause(atMs: Double) {
    guard !isPaused else { return }
    pauses.append(Pause(fromMs: max(atMs, pauses.last?.toMs ?? startedAtMs), toMs: nil))
  }

  public mutating func resume(atMs: Double) {
    guard let last = pauses.last, last.toMs == nil else { return }
    pauses[pauses.count - 1].toMs = max(atMs, last.fromMs)
  }

  /// Media time at a monotonic moment; inside a pause it is the moment the pause began, before the start it is 0.
  public func offsetMs(atMs: Double) -> Double {
    var paused = 0.0
    for pause in pauses where pause.fromMs < atMs {
      paused += min(pause.toMs ?? atMs, atMs) - pause.fromMs
    }
    return max(0, atMs - startedAtMs - paused)
  }

  /// The recorded parts of a stretch of monotonic time, in order; paused parts and what lies before the start are left out.
  public func spans(fromMs: Double, toMs: Double) -> [RecordedSpan] {
    var spans: [RecordedSpan] = []
    var begin = max(fromMs, startedAtMs)
    for pause in pauses {
      let end = min(toMs, pause.fromMs)
      if begin < end { spans.append(RecordedSpan(fromMs: begin, toMs: end, offsetMs: offsetMs(atMs: begin))) }
      guard let resumed = pause.toMs else { return spans }
      begin = max(begin, resumed)
    }
    if begin < toMs { spans.append(RecordedSpan(fromMs: begin, toMs: toMs, offsetMs: offsetMs(atMs: begin))) }
    return spans
  }
}

/// The one clock of a session, readable from every thread.
public final class SessionClock: Sendable {
  private let readMonotonicMs: @Sendable () -> Double
  private let timeline = Mutex<PauseTimeline?>(nil)

  public init(nowMs: @escaping @Sendable () -> Double) {
    readMonotonicMs = nowMs
  }

  public var nowMs: Double { readMonotonicMs() }
  public var offsetMs: Double { offsetMs(atMs: nowMs) }
  public var isPaused: Bool { timeline.withLock { $0?.isPaused ?? false } }

  @discardableResult public func start() -> Double {
    let now = nowMs
    timeline.withLock { $0 = PauseTimeline(startedAtMs: now) }
    return now
  }

  /// Returns the monotonic moment of the pause.
  public func pause() -> Double {
    let now = nowMs
    timeline.withLock { $0?.pause(atMs: now) }
    return now
  }

  public func resume() -> Double {
    let now = nowMs
    timeline.withLock { $0?.resume(atMs: now) }
    return now
  }

  public func offsetMs(atMs: Double) -> Double {
    timeline.withLock { $0?.offsetMs(atMs: atMs) ?? 0 }
  }

  public func spans(fromMs: Double, toMs: Double) -> [RecordedSpan] {
    timeline.withLock { $0?.spans(fromMs: fromMs, toMs: toMs) ?? [] }
  }
}
