// Owns how two sound inputs become one: gains, clipping, levels.

public enum AudioLevels {
  /// A segment whose largest magnitude stays below this (−78 dB) counts as empty.
  public static let silencePeak = 4.0 / 32768
}

enum AudioMixer {
  /// Equal power: the squares of the gains add up to one, so that moving the balance does not change the loudness of
  /// unrelated sounds. One input alone is taken at full.
  static func gains(balance: Double, hasMicrophone: Bool, hasSystemAudio: Bool) -> (microphone: Float, system: Float) {
    guard hasMicrophone, hasSystemAudio else { return (1, 1) }
    let balance = min(max(balance, 0), 1)
    return (Float((1 - balance).squareRoot()), Float(balance.squareRoot()))
  }

  /// Mixes to 16 bits. Where two inputs together would clip, the sum bends softly towards full scale.
  static func mix(_ microphone: [Float]?, _ system: [Float]?, balance: Double) -> [Int16] {
    let gains = gains(balance: balance, hasMicrophone: microphone != nil, hasSystemAudio: system != nil)
    switch (microphone, system) {
    case (let voice?, let sound?):
      var out: [Int16] = []
      out.reserveCapacity(voice.count)
      for index in 0..<min(voice.count, sound.count) {
        out.append(pcm(soften(voice[index] * gains.microphone + sound[index] * gains.system)))
      }
      return out
    case (let only?, nil), (nil, let only?):
      return only.map(pcm)
    case (nil, nil):
      return []
    }
  }

  /// Straight up to 0.8, then a curve (x/(1+x)) that reaches 1 at infinity without a corner.
  static func soften(_ value: Float) -> Float {
    let knee: Float = 0.8
    let magnitude = abs(value)
    guard magnitude > knee else { return value }
    let over = (magnitude - knee) / (1 - knee)
    let bent = knee + (1 - knee) * over / (1 + over)
    return value < 0 ? -bent : bent
  }

  private static func pcm(_ value: Float) -> Int16 {
    // A float that is no number is silence.
    guard value == value else { return 0 }
    return Int16(max(-32768, min(32767, (value * 32768).rounded())))
  }
}
