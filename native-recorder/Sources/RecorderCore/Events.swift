// Owns what the recorder tells without being asked, and the bounded queue it waits in.

import Locks

/// One event; only the fields of its type are set. The header documents each type.
public struct RecorderEvent: Encodable, Sendable, Equatable {
  public var type: String
  public var offsetMs: Double?
  public var monotonicMs: Double?
  public var index: Int?
  public var path: String?
  public var width: Int?
  public var height: Int?
  public var take: Int?
  public var bytes: Int?
  public var durationMs: Double?
  public var peak: Double?
  public var isEmpty: Bool?
  public var rms: Double?
  public var noiseLevel: Double?
  public var service: ServiceKind?
  public var sourceId: String?
  public var message: String?
  public var error: RecorderError?
  public var freeBytes: Int?
  public var stopping: Bool?

  init(_ type: String, offsetMs: Double? = nil) {
    self.type = type
    self.offsetMs = offsetMs?.roundedMs
  }

  public static let none = RecorderEvent("none")

  static func sourceLost(_ service: ServiceKind, _ sourceId: String, offsetMs: Double, _ message: String) -> Self {
    var event = RecorderEvent("sourceLost", offsetMs: offsetMs)
    event.service = service
    event.sourceId = sourceId
    event.message = message
    return event
  }

  static func sourceRecovered(_ service: ServiceKind, _ sourceId: String, offsetMs: Double) -> Self {
    var event = RecorderEvent("sourceRecovered", offsetMs: offsetMs)
    event.service = service
    event.sourceId = sourceId
    return event
  }

  /// A service that should advance does not; `resumed` follows when it does again.
  static func stalled(_ service: ServiceKind, offsetMs: Double, _ message: String) -> Self {
    var event = RecorderEvent("stalled", offsetMs: offsetMs)
    event.service = service
    event.message = message
    return event
  }

  static func resumed(_ service: ServiceKind, offsetMs: Double) -> Self {
    var event = RecorderEvent("resumed", offsetMs: offsetMs)
    event.service = service
    return event
  }

  static func diskLow(freeBytes: Int, stopping: Bool, offsetMs: Double) -> Self {
    var event = RecorderEvent("diskLow", offsetMs: offsetMs)
    event.freeBytes = freeBytes
    event.stopping = stopping
    let left = "\(freeBytes / 1_000_000) MB are left on the disk of the recording"
    event.message =
      stopping
      ? "The recording was ended, because only \(left). Everything recorded is kept; free some space."
      : "The disk is almost full: \(left). Below \(DiskWatch.stopBytes / 1_000_000) MB the recording ends; free some space."
    return event
  }

  static func silence(_ service: ServiceKind, _ sourceId: String, offsetMs: Double, _ message: String) -> Self {
    var event = RecorderEvent("silence", offsetMs: offsetMs)
    event.service = service
    event.sourceId = sourceId
    event.message = message
    return event
  }

  static func serviceFailed(_ service: ServiceKind, offsetMs: Double, _ error: RecorderError) -> Self {
    var event = RecorderEvent("serviceFailed", offsetMs: offsetMs)
    event.service = service
    event.error = error
    return event
  }
}

/// Holds at most `capacity` events; the oldest progress report goes first when it is full, then the oldest event.
public final class EventQueue: Sendable {
  private struct State {
    var events: [RecorderEvent] = []
    var isClosed = false
  }

  public static let capacity = 512
  private let state = Mutex(State())
  private let signal: any Signal
  private let nowMs: @Sendable () -> Double

  public init(platform: any RecorderPlatform) {
    signal = platform.makeSignal()
    nowMs = platform.nowMs
  }

  public func post(_ event: RecorderEvent) {
    state.withLock { state in
      if state.events.count >= Self.capacity {
        state.events.remove(at: state.events.firstIndex { $0.type == "fragmentWritten" } ?? 0)
      }
      state.events.append(event)
    }
    signal.raise()
  }

  /// Blocks the calling thread until an event comes, `timeoutMs` pass or the queue is closed.
  public func next(timeoutMs: Double) -> RecorderEvent {
    let until = nowMs() + timeoutMs
    while true {
      let (event, isClosed, more) = state.withLock { state -> (RecorderEvent?, Bool, Bool) in
        let event = state.events.isEmpty ? nil : state.events.removeFirst()
        return (event, state.isClosed, !state.events.isEmpty)
      }
      // A signal wakes one waiter: pass it on where there is something left to wake up for.
      if more || isClosed { signal.raise() }
      if let event { return event }
      if isClosed || nowMs() >= until { return .none }
      signal.wait(untilMs: until)
    }
  }

  /// Wakes everyone who waits; what is queued can still be read.
  public func close() {
    state.withLock { $0.isClosed = true }
    signal.raise()
  }
}
