// Owns what is measured of sound: levels of the moment, silence that is no silence, and what a segment sounded like.

import CSamples

/// The largest magnitude and the mean power of some samples. Full scale is 1: the RMS of a full-scale sine is 0.707.
struct SoundPower {
  private(set) var peak = 0.0
  private(set) var sumOfSquares = 0.0
  private(set) var count = 0

  init() {}

  init(_ samples: UnsafeBufferPointer<Float>) {
    guard let base = samples.baseAddress else { return }
    var largest: Float = 0
    ws_measure(base, samples.count, &largest, &sumOfSquares)
    peak = Double(largest)
    count = samples.count
  }

  var rms: Double { count == 0 ? 0 : (sumOfSquares / Double(count)).squareRoot() }

  mutating func add(_ other: SoundPower) {
    peak = max(peak, other.peak)
    sumOfSquares += other.sumOfSquares
    count += other.count
  }

  mutating func add(_ sample: Int16) {
    let value = Double(sample) / 32768
    peak = max(peak, abs(value))
    sumOfSquares += value * value
    count += 1
  }
}

/// Peak and RMS of the last second.
struct LevelMeter {
  static let windowMs = 1_000.0

  private var runs: [(atMs: Double, power: SoundPower)] = []

  mutating func add(_ power: SoundPower, atMs: Double) {
    runs.append((atMs, power))
    forget(nowMs: atMs)
  }

  /// Nothing heard for a second is a level of 0.
  mutating func level(nowMs: Double) -> SoundPower {
    forget(nowMs: nowMs)
    return runs.reduce(into: SoundPower()) { $0.add($1.power) }
  }

  private mutating func forget(nowMs: Double) {
    runs.removeAll { $0.atMs <= nowMs - Self.windowMs }
  }
}

/// Notices exact zeros: no room is that quiet, so the microphone is muted, or withheld by the system.
struct SilenceDetector {
  static let limitMs = 5_000.0

  private var zeroMs = 0.0
  private(set) var isSilent = false

  /// Returns true once for each stretch, when it has lasted five seconds.
  mutating func add(_ power: SoundPower, durationMs: Double) -> Bool {
    guard power.peak == 0 else {
      self = SilenceDetector()
      return false
    }
    zeroMs += durationMs
    guard zeroMs >= Self.limitMs, !isSilent else { return false }
    isSilent = true
    return true
  }
}

/// What a segment sounded like: peak, RMS and noise level of 16-bit samples.
///
/// The noise level is the 10th percentile of the power in windows of 20 ms. Speech pauses often enough that the lowest
/// part of the distribution is what lies under it: quantile-based noise estimation (V. Stahl, A. Fischer, R. Bippus,
/// ICASSP 2000), here on the whole band, and with a lower quantile than the median because a segment may be all speech.
struct SegmentMeter {
  static let windowMs = 20
  static let quantile = 0.1
  /// Half decibels from here up to 0 dBFS. Less than the last bit of 16 (−90 dBFS) counts as this.
  static let lowest = -120.0

  private(set) var total = SoundPower()
  private var window = SoundPower()
  private let windowSamples: Int
  private var histogram = [Int](repeating: 0, count: 241)

  init(sampleRate: Int, channels: Int) {
    windowSamples = max(1, sampleRate * Self.windowMs / 1000) * channels
  }

  mutating func add(_ samples: some Sequence<Int16>) {
    for sample in samples {
      window.add(sample)
      if window.count == windowSamples { endWindow() }
    }
  }

  var peak: Double { max(total.peak, window.peak) }

  var rms: Double {
    var whole = total
    whole.add(window)
    return whole.rms
  }

  var isEmpty: Bool { peak < AudioLevels.silencePeak }

  /// In dBFS (0 is a full-scale square wave), to half a decibel; nil before the first 20 ms.
  var noiseLevel: Double? {
    let windows = histogram.reduce(0, +)
    guard windows > 0 else { return nil }
    var left = Int(Double(windows - 1) * Self.quantile)
    for (index, count) in histogram.enumerated() {
      if left < count { return Self.lowest + Double(index) / 2 }
      left -= count
    }
    return 0
  }

  private mutating func endWindow() {
    let decibels = 20 * ws_log10(max(window.rms, 1e-6))
    histogram[min(240, max(0, Int(((decibels - Self.lowest) * 2).rounded())))] += 1
    total.add(window)
    window = SoundPower()
  }
}
