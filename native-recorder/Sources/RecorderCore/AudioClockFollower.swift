// Owns when an input's samples were heard, in monotonic time: reports of the sound server jitter, its clock drifts, and
// now and then there is a real break.

/// Runs follow each other; each comes with a report of when its first sample was heard. A report is late when the server
/// was interrupted between looking at its buffers and at the clock (measured on a busy machine: up to 4.3 ms, and never
/// early), so the early ones among the last are believed.
struct AudioClockFollower {
  /// How long a report counts. A clock that is 200 parts per million off is followed 0.6 ms behind at most.
  static let memoryMs = 3_000.0
  /// Which of them is believed: not the very first, so that a single mistake does no harm.
  static let quantile = 0.1
  /// A report so far off is a break in the sound: samples are missing, or the device was replaced.
  static let breakMs = 120.0
  /// Reports so far off for so long are a break too; a single one is a server that was very late to answer.
  static let offMs = 30.0
  static let offLastsMs = 1_000.0

  /// How much sound there was since the last break.
  private var lengthMs = 0.0
  /// When that began, by each report of the last seconds.
  private var origins: [(atMs: Double, originMs: Double)] = []
  private var offSinceMs: Double?

  /// Takes a run's report. Returns when its first sample was heard, and whether the sound broke off before it.
  mutating func follow(reportedMs: Double, durationMs: Double) -> (startMs: Double, isBreak: Bool) {
    defer { lengthMs += durationMs }
    guard let believedMs else { return begin(reportedMs) }
    let error = abs(reportedMs - lengthMs - believedMs)
    if error > Self.offMs {
      let since = offSinceMs ?? lengthMs
      offSinceMs = since
      if error > Self.breakMs || lengthMs - since > Self.offLastsMs { return begin(reportedMs) }
      return (believedMs + lengthMs, false)
    }
    offSinceMs = nil
    origins.removeAll { $0.atMs < lengthMs - Self.memoryMs }
    origins.append((lengthMs, reportedMs - lengthMs))
    return ((self.believedMs ?? believedMs) + lengthMs, false)
  }

  private var believedMs: Double? {
    guard !origins.isEmpty else { return nil }
    return origins.map(\.originMs).sorted()[Int(Double(origins.count) * Self.quantile)]
  }

  private mutating func begin(_ reportedMs: Double) -> (startMs: Double, isBreak: Bool) {
    lengthMs = 0
    offSinceMs = nil
    origins = [(0, reportedMs)]
    return (reportedMs, true)
  }
}
