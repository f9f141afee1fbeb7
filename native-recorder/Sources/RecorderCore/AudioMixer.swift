// Owns how two sound inputs become one: gains by balance, without a click when they change.

public enum AudioLevels {
  /// A segment whose largest magnitude stays below this (−78 dB) counts as empty.
  public static let silencePeak = 4.0 / 32768
}

struct AudioMixer {
  /// A gain that changes reaches its new value within this.
  static let rampMs = 20

  private let rampFrames: Int
  private var current: [AudioInput: Float] = [:]

  init(sampleRate: Int) {
    rampFrames = max(1, sampleRate * Self.rampMs / 1000)
  }

  /// Equal power: the squares of the gains add up to one, so that moving the balance does not change the loudness of
  /// unrelated sounds. An input that alone was asked for is taken at full; one that is missing for a while leaves the
  /// other as it was.
  static func gain(of input: AudioInput, balance: Double, among inputs: Set<AudioInput>) -> Float {
    guard inputs.count > 1 else { return 1 }
    let balance = min(max(balance, 0), 1)
    return Float((input == .microphone ? 1 - balance : balance).squareRoot())
  }

  /// Sums interleaved stereo of equal length.
  mutating func mix(_ parts: [AudioInput: [Float]], frames: Int, balance: Double) -> [Float] {
    var out = [Float](repeating: 0, count: frames * 2)
    let inputs = Set(parts.keys)
    for (input, samples) in parts {
      let wanted = Self.gain(of: input, balance: balance, among: inputs)
      var gain = current[input] ?? wanted
      let step = (wanted - gain) / Float(rampFrames)
      for frame in 0..<frames {
        gain = step == 0 || frame >= rampFrames ? wanted : gain + step
        out[frame * 2] += samples[frame * 2] * gain
        out[frame * 2 + 1] += samples[frame * 2 + 1] * gain
      }
      current[input] = gain
    }
    return out
  }

  /// 16 bits; what is no number is silence.
  static func pcm(_ samples: [Float]) -> [Int16] {
    samples.map { $0 == $0 ? Int16(max(-32768, min(32767, ($0 * 32768).rounded()))) : 0 }
  }
}
