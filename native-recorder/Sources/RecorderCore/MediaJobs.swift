// Owns long work on media that runs beside the caller: a number for each job, its progress, its one outcome, its end.
// A job is forgotten when its outcome has been read.

import Locks

/// What a job tells; only the fields of its type are set. The header documents each type.
public struct MediaEvent: Encodable, Sendable, Equatable {
  public var type: String
  /// 0…1.
  public var fraction: Double?
  public var path: String?
  public var durationMs: Double?
  public var bytes: Int?
  /// Takes whose packets were copied, and takes that were encoded again.
  public var copiedTakes: Int?
  public var encodedTakes: Int?
  public var error: RecorderError?

  public init(_ type: String) {
    self.type = type
  }
}

/// One running piece of work. Used by its own thread and, for `cancel` and `next`, by any other.
public final class MediaJob: Sendable {
  /// Progress is told at most ten times a second.
  static let progressEveryMs = 100.0

  private struct State {
    var fraction: Double?
    var toldAtMs = -Double.infinity
    var isCancelled = false
    var outcome: MediaEvent?
  }

  private let state = Mutex(State())
  private let signal: any Signal
  private let nowMs: @Sendable () -> Double

  init(platform: any RecorderPlatform, nowMs: (@Sendable () -> Double)? = nil) {
    signal = platform.makeSignal()
    self.nowMs = nowMs ?? platform.nowMs
  }

  public var isCancelled: Bool { state.withLock { $0.isCancelled } }

  /// Called often by the work: notes how far it is.
  /// - Throws: what ends the work when the job was cancelled.
  public func proceed(_ fraction: Double) throws(RecorderError) {
    let now = nowMs()
    let (isCancelled, tells) = state.withLock { state -> (Bool, Bool) in
      guard !state.isCancelled, now - state.toldAtMs >= Self.progressEveryMs else { return (state.isCancelled, false) }
      state.toldAtMs = now
      state.fraction = max(0, min(1, fraction))
      return (false, true)
    }
    if tells { signal.raise() }
    if isCancelled { throw RecorderError(.invalidState, "The job was cancelled.") }
  }

  public func cancel() {
    state.withLock { $0.isCancelled = true }
  }

  func finish(_ result: Result<MediaEvent, RecorderError>) {
    state.withLock { state in
      switch result {
      case .success(let event): state.outcome = event
      // Whatever a cancelled work stumbled over, it ended because it was told to.
      case .failure where state.isCancelled: state.outcome = MediaEvent("cancelled")
      case .failure(let error):
        var event = MediaEvent("failed")
        event.error = error
        state.outcome = event
      }
    }
    signal.raise()
  }

  var isOver: Bool { state.withLock { $0.outcome != nil } }

  /// Blocks until there is something to tell, at most `timeoutMs`. The outcome stays readable.
  func next(timeoutMs: Double) -> MediaEvent {
    let until = nowMs() + timeoutMs
    while true {
      let event = state.withLock { state -> MediaEvent? in
        if let outcome = state.outcome { return outcome }
        guard let fraction = state.fraction else { return nil }
        state.fraction = nil
        var event = MediaEvent("progress")
        event.fraction = fraction
        return event
      }
      if let event {
        // A signal wakes one waiter; an outcome concerns all of them.
        if event.type != "progress" { signal.raise() }
        return event
      }
      if nowMs() >= until { return MediaEvent("none") }
      signal.wait(untilMs: until)
    }
  }
}

/// The table of jobs: numbers, never pointers, never used twice.
public final class MediaJobs: Sendable {
  /// More at once would only take the machine from the recording.
  static let mostRunning = 8
  /// Outcomes that nobody reads are kept up to this number; the oldest go first.
  static let mostUnread = 64

  private struct State {
    var next: UInt64 = 1
    var jobs: [UInt64: MediaJob] = [:]
  }

  private let state = Mutex(State())
  private let platform: any RecorderPlatform

  public init(platform: any RecorderPlatform) {
    self.platform = platform
  }

  /// Runs `work` on a thread of its own and answers the job's number at once.
  /// - Throws: `invalidState` when too many jobs run.
  public func start(
    _ work: @escaping @Sendable (MediaJob) throws(RecorderError) -> MediaEvent
  ) throws(RecorderError) -> UInt64 {
    let job = MediaJob(platform: platform)
    let number = state.withLock { state -> UInt64? in
      let over = state.jobs.filter { $0.value.isOver }.keys.sorted()
      guard state.jobs.count - over.count < Self.mostRunning else { return nil }
      for forgotten in over.dropLast(Self.mostUnread) { state.jobs[forgotten] = nil }
      defer { state.next += 1 }
      state.jobs[state.next] = job
      return state.next
    }
    guard let number else {
      throw RecorderError(.invalidState, "\(Self.mostRunning) media jobs are running already; wait for one to end.")
    }
    platform.spawnThread("ws-media") { job.finish(Result { () throws(RecorderError) in try work(job) }) }
    return number
  }

  /// The job's next event; after its outcome the number is unknown.
  /// - Throws: `invalidHandle` for a number that was never given out or whose outcome has been read.
  public func next(_ number: UInt64, timeoutMs: Double) throws(RecorderError) -> MediaEvent {
    let event = try job(number).next(timeoutMs: timeoutMs)
    if event.type != "none", event.type != "progress" { state.withLock { $0.jobs[number] = nil } }
    return event
  }

  /// Returns at once; the job ends soon with the outcome `cancelled`, unless it was over already.
  public func cancel(_ number: UInt64) throws(RecorderError) {
    try job(number).cancel()
  }

  private func job(_ number: UInt64) throws(RecorderError) -> MediaJob {
    guard let job = state.withLock({ $0.jobs[number] }) else {
      throw RecorderError(.invalidHandle, "There is no media job \(number), or its outcome has been read.")
    }
    return job
  }
}
