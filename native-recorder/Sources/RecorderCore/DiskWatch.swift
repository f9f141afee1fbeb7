// Owns what is done while the disk fills: a warning while there is time to act, and an end while there is room for it.

import Locks

/// Judges the free space of the recording's disk. Pure; asked about once a second.
public struct DiskWatch: Sendable {
  /// Below this the user is warned: with sound some 40 minutes of recording.
  public static let warnBytes = 500_000_000
  /// Below this the recording ends: the last fragments, indexes and the manifest still have to fit.
  public static let stopBytes = 100_000_000
  /// A disk that hovers about the limit warns once; this much more has to be free before it can warn again.
  static let calmBytes = 100_000_000

  public enum Verdict: Sendable, Equatable { case fine, warn, stop }

  private var hasWarned = false
  private var hasStopped = false

  public init() {}

  /// `warn` and `stop` are each said once; a warning again after the disk had recovered.
  public mutating func judge(freeBytes: Int) -> Verdict {
    if hasStopped { return .fine }
    if freeBytes < Self.stopBytes {
      hasStopped = true
      return .stop
    }
    if freeBytes < Self.warnBytes {
      defer { hasWarned = true }
      return hasWarned ? .fine : .warn
    }
    if freeBytes >= Self.warnBytes + Self.calmBytes { hasWarned = false }
    return .fine
  }
}

/// Looks at the recording's disk: warns, and ends the recording by `stop` while its end still fits.
final class DiskCheck: LivenessCheck {
  private let folder: any MediaFolder
  private let clock: SessionClock
  private let events: EventQueue
  private let stop: @Sendable () -> Void
  private let watch = Mutex(DiskWatch())

  init(_ folder: any MediaFolder, clock: SessionClock, events: EventQueue, stop: @escaping @Sendable () -> Void) {
    self.folder = folder
    self.clock = clock
    self.events = events
    self.stop = stop
  }

  func look(atMs nowMs: Double) {
    // A disk that cannot be asked shows itself when it is written to.
    guard let freeBytes = try? folder.freeBytes() else { return }
    let verdict = watch.withLock { $0.judge(freeBytes: freeBytes) }
    guard verdict != .fine else { return }
    let mustStop = verdict == .stop
    events.post(.diskLow(freeBytes: freeBytes, stopping: mustStop, offsetMs: clock.offsetMs(atMs: nowMs)))
    if mustStop { stop() }
  }
}
