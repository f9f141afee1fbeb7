// Owns that the mix never clips, and that what lies below full scale is not touched.

/// A peak limiter with look-ahead: before a peak beyond full scale the gain comes down within 5 ms, afterwards it comes
/// back within a few tenths of a second. The gain is the mean over the look-ahead of the lowest gain that any sample
/// within reach needs, so it never lies above what a sample needs and never jumps (the sliding minimum and box filter of
/// Dimitrios Giannoulis et al., "Digital Dynamic Range Compressor Design", JAES 2012, section 4, smoothed gain path).
struct AudioLimiter {
  static let lookAheadMs = 5
  static let releaseMs = 200.0
  static let ceiling: Float = 32767 / 32768

  private let lookAhead: Int
  private let release: Float
  /// Frames whose gain is not settled yet, and the gain that each needs.
  private var held: [Float] = []
  private var needed: [Float] = []
  private var current: Float = 1
  /// The last `lookAhead` gains before the mean.
  private var recent: [Float]
  private var recentAt = 0
  private var recentSum: Double
  private var isIdle = true

  init(sampleRate: Int) {
    lookAhead = max(1, sampleRate * Self.lookAheadMs / 1000)
    release = Float(1000 / (Self.releaseMs * Double(sampleRate)))
    recent = [Float](repeating: 1, count: lookAhead)
    recentSum = Double(lookAhead)
  }

  /// Takes interleaved stereo; gives the frames whose gain is settled. They are the same frames in the same order, only
  /// handed over later.
  mutating func process(_ samples: [Float]) -> [Float] {
    let peak = samples.withUnsafeBufferPointer { SoundPower($0).peak }
    if peak <= Double(Self.ceiling) {
      held.append(contentsOf: samples)
      needed.append(contentsOf: repeatElement(1, count: samples.count / 2))
    } else {
      hold(samples)
    }
    return release(max(0, needed.count - lookAhead))
  }

  /// What is still held.
  mutating func finish() -> [Float] { release(needed.count) }

  private mutating func hold(_ samples: [Float]) {
    for at in stride(from: 0, to: samples.count - 1, by: 2) {
      let left = samples[at].isFinite ? samples[at] : 0
      let right = samples[at + 1].isFinite ? samples[at + 1] : 0
      held.append(left)
      held.append(right)
      let peak = max(abs(left), abs(right))
      let gain = peak > Self.ceiling ? Self.ceiling / peak : 1
      needed.append(gain)
      if gain < 1 { reachBack(gain) }
    }
  }

  /// The frames before a peak need its gain too. Where one needs less already, so do all that this one reaches.
  private mutating func reachBack(_ gain: Float) {
    isIdle = false
    var at = needed.count - 2
    let first = max(0, needed.count - 1 - lookAhead)
    while at >= first, needed[at] > gain {
      needed[at] = gain
      at -= 1
    }
  }

  private mutating func release(_ count: Int) -> [Float] {
    var out = Array(held.prefix(count * 2))
    if !isIdle {
      for frame in 0..<count {
        current = min(needed[frame], current + release)
        recentSum += Double(current) - Double(recent[recentAt])
        recent[recentAt] = current
        recentAt = (recentAt + 1) % lookAhead
        let mean = Float(min(1, recentSum / Double(lookAhead)))
        out[frame * 2] *= mean
        out[frame * 2 + 1] *= mean
      }
    }
    held.removeFirst(count * 2)
    needed.removeFirst(count)
    isIdle = current >= 1 && recent.allSatisfy { $0 >= 1 } && needed.allSatisfy { $0 >= 1 }
    return out
  }
}
