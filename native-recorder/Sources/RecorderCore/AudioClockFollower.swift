// Owns when an input's samples were heard, in monotonic time: reports of the sound server jitter, its clock drifts, and
// now and then there is a real break.

/// Runs follow each other; each comes with a report of when its first sample was heard. The mean of many reports is
/// better than any one of them, so a new report moves what is believed only a little.
struct AudioClockFollower {
  /// How long a report counts. A clock that is 200 parts per million off is followed 0.4 ms behind.
  static let memoryMs = 2_000.0
  /// A report so far off is a break in the sound: samples are missing, or the device was replaced.
  static let breakMs = 120.0
  /// Reports so far off for so long are a break too; a single one is a server that was late to answer.
  static let offMs = 30.0
  static let offLastsMs = 1_000.0

  /// When the next sample is believed to be heard; nil before the first run and after a break.
  private var nextMs: Double?
  private var followedMs = 0.0
  private var offSinceMs: Double?

  /// Takes a run's report. Returns when its first sample was heard, and whether the sound broke off before it.
  mutating func follow(reportedMs: Double, durationMs: Double) -> (startMs: Double, isBreak: Bool) {
    guard let believedMs = nextMs else { return (begin(reportedMs, durationMs), true) }
    let error = reportedMs - believedMs
    guard abs(error) > Self.offMs else {
      offSinceMs = nil
      return (advance(believedMs, error, durationMs), false)
    }
    let since = offSinceMs ?? reportedMs
    offSinceMs = since
    if abs(error) > Self.breakMs || reportedMs - since > Self.offLastsMs {
      return (begin(reportedMs, durationMs), true)
    }
    return (advance(believedMs, error, durationMs), false)
  }

  private mutating func begin(_ reportedMs: Double, _ durationMs: Double) -> Double {
    followedMs = durationMs
    offSinceMs = nil
    nextMs = reportedMs + durationMs
    return reportedMs
  }

  /// The plain mean of all reports at first, then of the last ones.
  private mutating func advance(_ believedMs: Double, _ error: Double, _ durationMs: Double) -> Double {
    followedMs = min(followedMs + durationMs, Self.memoryMs)
    let startMs = believedMs + error * min(1, durationMs / followedMs)
    nextMs = startMs + durationMs
    return startMs
  }
}
