// Owns one input's samples in media time: they go where they were heard, gaps are silence, and an input whose clock
// runs fast or slow is resampled a little, so that it stays in step without a click.

import CSamples

/// Interleaved stereo floats, placed by frame (sample pair) of media time.
struct AudioTimeline {
  /// Differences below this stay: samples of a device in step are copied unchanged.
  static let toleranceMs = 1.0
  /// How long it takes to make up for a difference.
  static let pullMs = 1_000.0
  /// The most that the pitch is changed for it: 3.5 cents. Trained listeners notice from about 5 cents (0.3 %) in single
  /// tones (E. Zwicker, H. Fastl, "Psychoacoustics", 7.2); a clock that drifts needs a tenth of it at most.
  static let largestPull = 0.002

  let sampleRate: Int
  /// The frame that the first buffered sample belongs to.
  private(set) var baseFrame: Int
  private var samples: [Float] = []
  /// Samples of the running stretch that the resampler still needs, and where in them the next frame comes from.
  private var pending: [Float] = []
  private var position = 0.0
  /// The frame of media time that comes out next; nil between stretches.
  private var nextFrame: Int?
  private var isPulling = false

  init(sampleRate: Int, baseFrame: Int = 0) {
    self.sampleRate = sampleRate
    self.baseFrame = baseFrame
  }

  /// Places a run of samples whose first was heard at media time `offsetMs`; after `breakOff` exactly there, otherwise
  /// right behind the run before, drawn out or together a little where the two disagree.
  mutating func place(_ run: UnsafeBufferPointer<Float>, offsetMs: Double) {
    guard run.count >= 2 else { return }
    let wanted = offsetMs * Double(sampleRate) / 1000
    let step: Double
    if let nextFrame {
      let ratio = ratio(wanted - (Double(nextFrame) + Double(pending.count / 2) - position))
      step = 1 / ratio
    } else {
      nextFrame = Int(wanted.rounded())
      pending = [Float](repeating: 0, count: Int(WS_RESAMPLE_BEFORE) * 2)
      position = Double(WS_RESAMPLE_BEFORE)
      step = 1
    }
    pending.append(contentsOf: run)
    resample(step: step)
  }

  /// The sound stops here; the next run is placed by its own time.
  mutating func breakOff() {
    guard nextFrame != nil else { return }
    pending.append(contentsOf: repeatElement(0, count: Int(WS_RESAMPLE_AFTER) * 2))
    resample(step: 1)
    nextFrame = nil
    isPulling = false
  }

  /// Takes `count` frames from the front; what never came is silence.
  mutating func take(frames count: Int) -> [Float] {
    let wanted = count * 2
    var out = Array(samples.prefix(wanted))
    samples.removeFirst(out.count)
    out.append(contentsOf: repeatElement(0, count: wanted - out.count))
    baseFrame += count
    return out
  }

  /// Output frames for each input frame; `error` in frames, positive when the sound lies too early.
  private mutating func ratio(_ error: Double) -> Double {
    let tolerance = Self.toleranceMs * Double(sampleRate) / 1000
    // Once it pulls, it pulls until the difference is gone, not until it is just bearable.
    isPulling = abs(error) > (isPulling ? tolerance / 10 : tolerance)
    guard isPulling else { return 1 }
    let pull = error / (Self.pullMs * Double(sampleRate) / 1000)
    return 1 + min(max(pull, -Self.largestPull), Self.largestPull)
  }

  private mutating func resample(step: Double) {
    guard let frame = nextFrame else { return }
    let have = pending.count / 2
    let most = max(0, Int(Double(have) / step) + 2)
    var at = position
    let fresh = [Float](unsafeUninitializedCapacity: most * 2) { out, count in
      guard let target = out.baseAddress else { return }
      count = pending.withUnsafeBufferPointer { source in
        guard let base = source.baseAddress else { return 0 }
        return ws_resample(base, have, &at, step, target, most) * 2
      }
    }
    fresh.withUnsafeBufferPointer { put($0, at: frame) }
    nextFrame = frame + fresh.count / 2
    let used = max(0, Int(at) - Int(WS_RESAMPLE_BEFORE))
    pending.removeFirst(min(used * 2, pending.count))
    position = at - Double(used)
  }

  private mutating func put(_ run: UnsafeBufferPointer<Float>, at frame: Int) {
    // What comes too late for the file is left out.
    let skip = max(0, baseFrame - frame)
    guard skip * 2 < run.count else { return }
    let position = (frame + skip - baseFrame) * 2
    // An hour's worth would be a broken clock, not sound.
    guard position < sampleRate * 2 * 60 else { return }
    if samples.count < position {
      samples.append(contentsOf: repeatElement(0, count: position - samples.count))
    }
    let fresh = UnsafeBufferPointer(rebasing: run[(skip * 2)...])
    let overlap = min(samples.count - position, fresh.count)
    for index in 0..<overlap { samples[position + index] = fresh[index] }
    samples.append(contentsOf: fresh[overlap...])
  }
}
