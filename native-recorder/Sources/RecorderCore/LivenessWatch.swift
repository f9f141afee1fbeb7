// Owns the thread that looks once a second whether the recording goes on. It shares nothing with the threads it watches
// that could hold it up.

import Locks

/// Looks, and tells by itself what it finds. Never blocks.
protocol LivenessCheck: Sendable {
  func look(atMs nowMs: Double)
}

final class LivenessWatch: Sendable {
  static let intervalMs = 1_000.0

  private let checks: [any LivenessCheck]
  private let signal: any Signal
  private let isStopped = Mutex(false)

  init(_ checks: [any LivenessCheck], platform: any RecorderPlatform) {
    self.checks = checks
    signal = platform.makeSignal()
    platform.spawnThread("ws-liveness") { [self] in
      while true {
        let dueMs = platform.nowMs() + Self.intervalMs
        while !isStopped.withLock(\.self), platform.nowMs() < dueMs { signal.wait(untilMs: dueMs) }
        if isStopped.withLock(\.self) { return }
        for check in self.checks { check.look(atMs: platform.nowMs()) }
      }
    }
  }

  func stop() {
    isStopped.withLock { $0 = true }
    signal.raise()
  }
}

/// What a service has to do and when it last did something; written by its thread and by those that give it work.
final class ServicePulse: Sendable {
  private struct State {
    var waitingSinceMs: Double?
    var progressMs = -Double.infinity
    var isClosed = false
  }

  private let state = Mutex(State())

  /// There is something to do since `atMs`.
  func want(atMs: Double) {
    state.withLock { if $0.waitingSinceMs == nil, !$0.isClosed { $0.waitingSinceMs = atMs } }
  }

  /// The service has ended: nothing waits any more.
  func close() {
    state.withLock { state in
      state.waitingSinceMs = nil
      state.isClosed = true
    }
  }

  /// What is still to be done, as the service's own thread sees it.
  func setWaiting(sinceMs: Double?) {
    state.withLock { $0.waitingSinceMs = sinceMs }
  }

  func progress(atMs: Double) {
    state.withLock { $0.progressMs = atMs }
  }

  /// Since when there is something to do and nothing is done.
  var idleSinceMs: Double? {
    state.withLock { state in state.waitingSinceMs.map { max($0, state.progressMs) } }
  }
}

/// Says `stalled` when a service has had something to do for three seconds and did nothing, and `resumed` when it goes on.
final class StallCheck: LivenessCheck {
  static let limitMs = 3_000.0

  private let service: ServiceKind
  private let message: String
  private let pulse: ServicePulse
  private let monitor: ServiceMonitor
  private let clock: SessionClock
  private let events: EventQueue
  private let isStalled = Mutex(false)

  init(_ pulse: ServicePulse, _ message: String, context: VideoContext) {
    service = context.monitor.kind
    self.message = message
    self.pulse = pulse
    monitor = context.monitor
    clock = context.clock
    events = context.events
  }

  func look(atMs nowMs: Double) {
    let stalls = pulse.idleSinceMs.map { nowMs - $0 > Self.limitMs } ?? false
    let hasChanged = isStalled.withLock { was in
      defer { was = stalls }
      return was != stalls
    }
    guard hasChanged else { return }
    let offsetMs = clock.offsetMs(atMs: nowMs)
    monitor.update { $0.note("stalled", stalls ? RecorderError(.timeout, message) : nil) }
    events.post(
      stalls ? .stalled(service, offsetMs: offsetMs, message) : .resumed(service, offsetMs: offsetMs))
  }
}
