// Owns what is promised of sound samples: their place in time, their pitch, the mix, and what is measured of them.

import Testing

@testable import RecorderCore

@Suite struct SoundTests {
  private func place(_ timeline: inout AudioTimeline, _ value: Float, frames: Int, atMs: Double) {
    [Float](repeating: value, count: frames * 2).withUnsafeBufferPointer { timeline.place($0, offsetMs: atMs) }
  }

  @Test func soundLandsWhereItWasHeardAndGapsAreSilent() {
    var timeline = AudioTimeline(sampleRate: 1000)
    place(&timeline, 0.5, frames: 10, atMs: 20)
    timeline.breakOff()
    place(&timeline, 0.25, frames: 10, atMs: 50)
    timeline.breakOff()
    let left = timeline.take(frames: 70).enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    let parts: [(Float, Int)] = [(0, 20), (0.5, 10), (0, 20), (0.25, 10), (0, 10)]
    #expect(left == parts.flatMap { [Float](repeating: $0.0, count: $0.1) })
  }

  @Test func samplesOfADeviceInStepAreNotTouched() {
    var timeline = AudioTimeline(sampleRate: 48_000)
    let noise = (0..<96_000).map { Float(($0 * 7919) % 65_536 - 32_768) / 32_768 }
    noise.withUnsafeBufferPointer { all in
      for run in 0..<50 {
        let part = UnsafeBufferPointer(rebasing: all[(run * 1920)..<((run + 1) * 1920)])
        timeline.place(part, offsetMs: Double(run) * 20 + (run % 2 == 0 ? 0.4 : -0.4))
      }
    }
    // 0.4 ms, to the nearest frame.
    #expect(Array(timeline.take(frames: 47_000)[38...]) == Array(noise[0..<93_962]))
  }

  @Test func reportsThatJitterDoNotTearTheSound() {
    var follower = AudioClockFollower()
    var breaks = 0
    for run in 0..<500 {
      // Late by up to 20 ms; now and then a report is early.
      let lateMs = run % 40 == 39 ? -15 : Double((run * 7919) % 21)
      let (startMs, isBreak) = follower.follow(reportedMs: Double(run) * 20 + lateMs, durationMs: 20)
      if isBreak { breaks += 1 }
      if run > 40 { #expect(abs(startMs - Double(run) * 20) < 3) }
    }
    #expect(breaks == 1)
  }

  @Test func samplesThatWentMissingAreABreakAndALateReportIsNone() {
    var follower = AudioClockFollower()
    for run in 0..<100 { _ = follower.follow(reportedMs: Double(run) * 20, durationMs: 20) }
    #expect(follower.follow(reportedMs: 2_060, durationMs: 20).isBreak == false)
    #expect(follower.follow(reportedMs: 2_020, durationMs: 20) == (2_020, false))
    // Half a second is missing; then, for more than a second, 80 ms are.
    #expect(follower.follow(reportedMs: 2_540, durationMs: 20) == (2_540, true))
    for run in 0..<100 { _ = follower.follow(reportedMs: 2_560 + Double(run) * 20, durationMs: 20) }
    let later = (0..<100).map { follower.follow(reportedMs: 4_640 + Double($0) * 20, durationMs: 20).isBreak }
    #expect(later.filter { $0 }.count == 1 && later[0] == false)
  }

  /// Two hours of a device whose seconds are a little shorter or longer than the clock's, with reports that are up to
  /// 5 ms late; a click every ten seconds says where its sound came to lie.
  @Test(arguments: [200.0, -200.0])
  func aClockThatDriftsIsFollowed(_ partsPerMillion: Double) async {
    let rate = 8000
    let perMs = Double(rate) / 1000
    var follower = AudioClockFollower()
    var timeline = AudioTimeline(sampleRate: rate)
    let quiet = [Float](repeating: 0, count: 1600)
    var click = quiet
    click[0] = 0.9
    var worstMs = 0.0
    var largestPull = 0.0
    var lastMs: Double?
    var clicks = 0
    for run in 0..<72_000 {
      let trueMs = 1_000 + Double(run) * 100 * (1 + partsPerMillion / 1_000_000)
      let lateMs = Double((run * 7919) % 500) / 100
      let (startMs, _) = follower.follow(reportedMs: trueMs + lateMs, durationMs: 100)
      (run % 100 == 0 ? click : quiet).withUnsafeBufferPointer { timeline.place($0, offsetMs: startMs) }
      guard run % 100 == 2 else { continue }
      // Other tests wait for the same few threads.
      await Task.yield()
      let base = timeline.baseFrame
      let out = timeline.take(frames: Int(trueMs * perMs) - base)
      let clickMs = trueMs - 200 * (1 + partsPerMillion / 1_000_000)
      let near = max(0, Int((clickMs - 30) * perMs) - base) * 2
      let loudest = out.indices.dropFirst(near).prefix(960).max { out[$0] < out[$1] } ?? 0
      let foundMs = (Double(base) + Double(loudest / 2)) / perMs
      worstMs = max(worstMs, abs(foundMs - clickMs))
      if let lastMs { largestPull = max(largestPull, abs((foundMs - lastMs) / 10_000 - 1)) }
      lastMs = foundMs
      clicks += out[loudest] > 0.2 ? 1 : 0
    }
    #expect(clicks == 720)
    #expect(worstMs < 10)
    // 0.3 % are 5 cents, which trained listeners just notice.
    #expect(largestPull < 0.003)
  }

  @Test func aToneThatIsPulledKeepsItsShape() {
    var timeline = AudioTimeline(sampleRate: 48_000)
    func sine(_ at: Double) -> Float { Float(sineOf(turns: at * 1000 / 48_000)) }
    for run in 0..<100 {
      // The device runs 0.1 % slow: 960 of its frames take 20.02 ms.
      let samples = (0..<960).flatMap { frame -> [Float] in
        let value = sine(Double(run * 960 + frame))
        return [value, value]
      }
      samples.withUnsafeBufferPointer { timeline.place($0, offsetMs: Double(run) * 20.02) }
    }
    let out = timeline.take(frames: 90_000)
    // A click would be a step; a sine of 1 kHz moves by at most 0.131 between two frames.
    for frame in 100..<89_000 { #expect(abs(out[frame * 2] - out[frame * 2 - 2]) < 0.135) }
    let power = out[9_600..<172_800].reduce(0) { $0 + Double($1) * Double($1) } / Double(172_800 - 9_600)
    #expect(abs(power - 0.5) < 0.002)
  }

  /// By its Taylor series around the nearest zero: the core's tests import no platform's mathematics either.
  private func sineOf(turns: Double) -> Double {
    var phase = turns - turns.rounded(.down)
    phase = phase > 0.75 ? phase - 1 : phase > 0.25 ? 0.5 - phase : phase
    let x = phase * 2 * .pi
    let y = x * x
    return x * (1 - y / 6 * (1 - y / 20 * (1 - y / 42 * (1 - y / 72 * (1 - y / 110)))))
  }

  @Test func balanceKeepsThePowerAndOneInputAloneIsTakenAtFull() {
    for balance in stride(from: 0.0, through: 1, by: 0.1) {
      let gains = AudioInput.allCases.map { AudioMixer.gain(of: $0, balance: balance, among: Set(AudioInput.allCases)) }
      #expect(abs(gains[0] * gains[0] + gains[1] * gains[1] - 1) < 0.0001)
      #expect(AudioMixer.gain(of: .microphone, balance: balance, among: [.microphone]) == 1)
    }
  }

  @Test func aBalanceThatIsMovedDoesNotClick() {
    var mixer = AudioMixer(sampleRate: 8000)
    let loud: [AudioInput: [Float]] = [
      .microphone: [Float](repeating: 0.5, count: 800), .systemAudio: [Float](repeating: 0, count: 800),
    ]
    _ = mixer.mix(loud, frames: 400, balance: 0)
    let moved = mixer.mix(loud, frames: 400, balance: 1)
    #expect(moved[0] > 0.49 && moved[799] == 0)
    for at in stride(from: 2, to: 800, by: 2) { #expect(abs(moved[at] - moved[at - 2]) < 0.01) }
  }

  @Test func belowFullScaleTheLimiterTouchesNothing() {
    var limiter = AudioLimiter(sampleRate: 8000)
    let samples = (0..<4000).map { Float(($0 * 7919) % 65_535 - 32_767) / 32_768 }
    var out = limiter.process(Array(samples[0..<1000]))
    out += limiter.process(Array(samples[1000...]))
    #expect(out.count == 4000 - 80)
    #expect(out + limiter.finish() == samples)
  }

  @Test func whatIsTooLoudIsTurnedDownWithoutClippingOrClicks() {
    var limiter = AudioLimiter(sampleRate: 8000)
    // Half of full scale, then twice of it, then half again.
    let samples = (0..<24_000).map { at -> Float in (8_000..<16_000).contains(at) ? 2 : 0.5 }
    var out: [Float] = []
    for at in stride(from: 0, to: samples.count, by: 240) { out += limiter.process(Array(samples[at..<(at + 240)])) }
    out += limiter.finish()
    #expect(out.count == samples.count && out.allSatisfy { $0 <= 1 })
    #expect(out[7_000] == 0.5 && out[12_000] > 0.99 && out[23_998] == 0.5)
    let gains = zip(out, samples).map { $0 / $1 }
    for at in stride(from: 2, to: gains.count, by: 2) { #expect(abs(gains[at] - gains[at - 2]) < 0.02) }
    #expect(AudioMixer.pcm([.nan, 9, -9, 0.5]) == [0, 32767, -32768, 16384])
  }

  @Test func levelsAreThoseOfTheLastSecond() {
    var meter = LevelMeter()
    let power = [Float](arrayLiteral: 0.5, -0.5).withUnsafeBufferPointer { SoundPower($0) }
    meter.add(power, atMs: 0)
    #expect(meter.level(nowMs: 900).peak == 0.5 && meter.level(nowMs: 900).rms == 0.5)
    #expect(meter.level(nowMs: 1_100).peak == 0)
  }

  @Test func silenceIsToldOnceForEachStretch() {
    var detector = SilenceDetector()
    let zero = [Float](repeating: 0, count: 8).withUnsafeBufferPointer { SoundPower($0) }
    let faint = [Float](arrayLiteral: 0.000001, 0).withUnsafeBufferPointer { SoundPower($0) }
    func told(_ ms: Int) -> Int { (0..<(ms / 20)).filter { _ in detector.add(zero, durationMs: 20) }.count }
    #expect(told(4_980) == 0 && told(20) == 1 && told(60_000) == 0 && detector.isSilent)
    #expect(detector.add(faint, durationMs: 20) == false && detector.isSilent == false)
    #expect(told(4_980) == 0 && told(20) == 1)
  }

  @Test func theNoiseLevelIsWhatLiesUnderTheSpeech() throws {
    var meter = SegmentMeter(sampleRate: 8000, channels: 1)
    #expect(meter.noiseLevel == nil && meter.isEmpty)
    // 40 % of the time "speech" at −6 dB, in between a hum at −60 dB.
    for window in 0..<100 {
      let value: Int16 = window % 5 < 2 ? 16_422 : 33
      meter.add((0..<160).map { $0 % 2 == 0 ? value : -value })
    }
    #expect(meter.noiseLevel == -60 && abs(meter.peak - 0.5012) < 0.001 && abs(meter.rms - 0.317) < 0.001)
    var silent = SegmentMeter(sampleRate: 8000, channels: 2)
    silent.add([Int16](repeating: 0, count: 16_000))
    #expect(silent.noiseLevel == -120 && silent.isEmpty && silent.rms == 0)
  }
}
