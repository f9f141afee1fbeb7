// Owns what each recording service says of itself.

import Locks

public enum ServiceKind: String, Codable, Sendable, CaseIterable {
  case video, audio, screenshots
}

public struct ServiceStatus: Codable, Sendable, Equatable {
  public enum State: String, Codable, Sendable {
    case idle, initializing, active, paused, stopping, stopped, error
  }

  public enum Health: String, Codable, Sendable { case healthy, degraded, failed }

  public struct Metrics: Codable, Sendable, Equatable {
    /// Frames, audio segments or screenshots.
    public var itemsRecorded = 0
    public var droppedItems = 0
    /// Video: from the grab to the encoded frame. Screenshots: from the request to the synced file. Milliseconds.
    public var averageLatencyMs = 0.0
  }

  public var state: State = .idle
  public var health: Health = .healthy
  /// Monotonic milliseconds of the last progress that was synced: bytes, or how long the last frame lasts; 0 before
  /// the first.
  public var lastActivityMonotonicMs = 0.0
  public var errorCount = 0
  public var bytesOnDisk = 0
  public var metrics = Metrics()
  /// Audio: peak of the last second, 0…1, of the louder input.
  public var level: Double?
  /// Audio: each input that was asked for, by name (`microphone`, `systemAudio`).
  public var inputs: [String: AudioInputStatus]?
  public var error: RecorderError?

  /// What goes wrong while the service goes on, by what it is about.
  var troubles: [String: RecorderError] = [:]

  private enum CodingKeys: String, CodingKey {
    case state, health, lastActivityMonotonicMs, errorCount, bytesOnDisk, metrics, level, inputs, error
  }

  mutating func noteLatency(_ ms: Double) {
    let weight = 1 / Double(min(max(1, metrics.itemsRecorded), 100))
    metrics.averageLatencyMs += (ms - metrics.averageLatencyMs) * weight
  }

  mutating func fail(_ error: RecorderError) {
    state = .error
    health = .failed
    self.error = error
    errorCount += 1
  }

  /// Notes that something is wrong, or with nil that it is well again. Health follows.
  mutating func note(_ trouble: String, _ error: RecorderError?) {
    if error != nil, troubles[trouble] == nil { errorCount += 1 }
    troubles[trouble] = error
    guard state != .error else { return }
    self.error = troubles.min { $0.key < $1.key }?.value
    health = self.error == nil ? .healthy : .degraded
  }

  /// The service works again after it had failed.
  mutating func recover(to state: State) {
    self.state = state
    health = .healthy
    error = nil
    troubles = [:]
  }
}

/// One service's status, written by its thread and read by everyone.
final class ServiceMonitor: Sendable {
  let kind: ServiceKind
  private let status: Mutex<ServiceStatus>

  init(_ kind: ServiceKind, level: Double? = nil) {
    self.kind = kind
    var first = ServiceStatus()
    first.level = level
    status = Mutex(first)
  }

  var current: ServiceStatus { status.withLock { $0 } }

  func update(_ change: (inout ServiceStatus) -> Void) {
    status.withLock { change(&$0) }
  }

  /// A failed service stays failed, whatever it is asked to do, until it `recover`s.
  func move(to state: ServiceStatus.State) {
    status.withLock { if $0.state != .error { $0.state = state } }
  }
}
