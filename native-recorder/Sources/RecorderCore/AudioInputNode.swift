// Owns one sound input of the graph: level meter, silence, the following of its clock, its place in media time.

/// What `status` says of an input.
public struct AudioInputStatus: Codable, Sendable, Equatable {
  public enum State: String, Codable, Sendable {
    case active
    /// A microphone that gives exact zeros, or nothing at all, for five seconds or more.
    case silent
    /// The device is missing or gone; its part is silence until it comes back.
    case lost
  }

  public var state: State
  /// Peak of the last second, 0…1.
  public var level: Double
  /// Root mean square of the last second, 0…1; 0.707 is a full-scale sine.
  public var rms: Double
}

struct AudioInputNode {
  /// An input that gave nothing for that long is not waited for until it gives something again.
  static let dormantMs = 300.0

  /// Nil while the device can be recorded.
  var failure: RecorderError?
  /// Media time up to which the input has given its sound; nil before the first.
  private(set) var arrivedMs: Double?
  private(set) var isDormant = false

  private let input: AudioInput
  private let sampleRate: Int
  private var follower = AudioClockFollower()
  private var timeline: AudioTimeline
  private var meter = LevelMeter()
  private var silence = SilenceDetector()
  private var heardAtMs: Double?
  private var isDeaf = false

  init(_ input: AudioInput, sampleRate: Int) {
    self.input = input
    self.sampleRate = sampleRate
    timeline = AudioTimeline(sampleRate: sampleRate)
  }

  /// Takes a run of interleaved stereo whose first sample was heard at the monotonic moment `reportedMs`. What was heard
  /// while nothing was recorded is left out. Returns whether a microphone has just been found to give nothing but zeros.
  mutating func receive(
    _ samples: UnsafeBufferPointer<Float>, reportedMs: Double, clock: SessionClock
  ) -> Bool {
    heardAtMs = clock.nowMs
    isDeaf = false
    let frames = samples.count / 2
    let perMs = Double(sampleRate) / 1000
    let (startMs, isBreak) = follower.follow(reportedMs: reportedMs, durationMs: Double(frames) / perMs)
    if isBreak { timeline.breakOff() }
    let endMs = startMs + Double(frames) / perMs
    let spans = clock.spans(fromMs: startMs, toMs: endMs)
    var isNewSilence = false
    for span in spans {
      let from = min(frames, max(0, Int(((span.fromMs - startMs) * perMs).rounded())))
      let to = min(frames, Int(((span.toMs - startMs) * perMs).rounded()))
      guard from < to else { continue }
      if from > 0 { timeline.breakOff() }
      let part = UnsafeBufferPointer(rebasing: samples[(from * 2)..<(to * 2)])
      let power = SoundPower(part)
      meter.add(power, atMs: clock.nowMs)
      // What the computer plays may well be nothing.
      if input == .microphone, silence.add(power, durationMs: Double(to - from) / perMs) { isNewSilence = true }
      timeline.place(part, offsetMs: span.offsetMs)
    }
    if let last = spans.last {
      arrivedMs = max(arrivedMs ?? 0, last.offsetMs + last.toMs - last.fromMs)
      isDormant = false
    }
    if spans.isEmpty || (spans.last?.toMs ?? endMs) < endMs { timeline.breakOff() }
    return isNewSilence
  }

  /// The device is gone or another one takes its place: nothing that was learnt of the old one holds.
  mutating func breakOff() {
    timeline.breakOff()
    follower = AudioClockFollower()
    silence = SilenceDetector()
    heardAtMs = nil
    isDeaf = false
  }

  /// True once when a microphone that can be recorded has given nothing at all for five seconds: a device that sleeps is
  /// no error of the sound server's.
  mutating func goesDeaf(nowMs: Double) -> Bool {
    guard input == .microphone, failure == nil, !isDeaf else { return false }
    let sinceMs = heardAtMs ?? nowMs
    heardAtMs = sinceMs
    isDeaf = nowMs - sinceMs >= SilenceDetector.limitMs
    return isDeaf
  }

  /// Media time up to which the mix need not wait for this input: what has arrived, or has had its chance.
  mutating func readyMs(nowMs: Double, patienceMs: Double, clock: SessionClock) -> Double {
    guard failure == nil else { return .infinity }
    // Monotonic, not media time: patience also ends while paused.
    let chanceMs = clock.offsetMs(atMs: nowMs - patienceMs)
    let arrivedMs = arrivedMs ?? 0
    if arrivedMs < chanceMs { isDormant = true }
    return max(arrivedMs, isDormant ? clock.offsetMs(atMs: nowMs - Self.dormantMs) : chanceMs)
  }

  mutating func take(frames: Int) -> [Float] { timeline.take(frames: frames) }

  mutating func status(nowMs: Double) -> AudioInputStatus {
    let power = meter.level(nowMs: nowMs)
    let state: AudioInputStatus.State = failure != nil ? .lost : silence.isSilent || isDeaf ? .silent : .active
    return AudioInputStatus(state: state, level: power.peak.rounded4, rms: power.rms.rounded4)
  }
}

/// The sound inputs of a recording and what happens between them and the file:
///
///     microphone ─ meter ─ clock ─ resampler ─ gain ┐
///                                                   ├ sum ─ limiter ─ 16 bits
///     system sound ─ meter ─ clock ─ resampler ─ gain ┘
struct AudioGraph {
  /// Only inputs that were asked for.
  var nodes: [AudioInput: AudioInputNode] = [:]
  /// Frames of media time that have been mixed; the limiter still holds the last few milliseconds of them.
  private(set) var mixedFrames = 0

  private var mixer: AudioMixer
  private var limiter: AudioLimiter

  init(_ request: AudioRequest) {
    let choices: [AudioInput: AudioChoice] = [.microphone: request.microphone, .systemAudio: request.systemAudio]
    for (input, choice) in choices where choice != .none {
      nodes[input] = AudioInputNode(input, sampleRate: request.sampleRate)
    }
    mixer = AudioMixer(sampleRate: request.sampleRate)
    limiter = AudioLimiter(sampleRate: request.sampleRate)
  }

  /// Mixes the next frames; gives what the limiter has settled, interleaved stereo.
  mutating func render(frames: Int, balance: Double) -> [Int16] {
    var parts: [AudioInput: [Float]] = [:]
    for input in nodes.keys { parts[input] = nodes[input]?.take(frames: frames) }
    mixedFrames += frames
    return AudioMixer.pcm(limiter.process(mixer.mix(parts, frames: frames, balance: balance)))
  }

  /// The frames that the limiter still holds.
  mutating func finish() -> [Int16] { AudioMixer.pcm(limiter.finish()) }

  mutating func status(nowMs: Double) -> [String: AudioInputStatus] {
    var all: [String: AudioInputStatus] = [:]
    for input in nodes.keys { all[input.rawValue] = nodes[input]?.status(nowMs: nowMs) }
    return all
  }
}

extension Double {
  /// Levels of the moment need no more digits.
  var rounded4: Double { (self * 10_000).rounded() / 10_000 }
  /// One step of 16 bits is 0.00003.
  var rounded6: Double { (self * 1_000_000).rounded() / 1_000_000 }
}
