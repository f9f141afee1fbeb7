// Owns what is promised of sound: its place in time, the mix, the files.

import Testing

@testable import RecorderCore

@Suite struct SoundTests {
  private func place(_ timeline: inout AudioTimeline, _ value: Float, frames: Int, atMs: Double) {
    [Float](repeating: value, count: frames * 2).withUnsafeBufferPointer { timeline.place($0, offsetMs: atMs) }
  }

  @Test func soundLandsWhereItWasHeardAndGapsAreSilent() {
    var timeline = AudioTimeline(sampleRate: 1000)
    place(&timeline, 0.5, frames: 10, atMs: 20)
    let out = timeline.take(frames: 40)
    #expect(out.count == 80)
    #expect(out[38] == 0 && out[40] == 0.5 && out[59] == 0.5 && out[60] == 0)
  }

  @Test func jitterDoesNotTearTheSound() {
    var timeline = AudioTimeline(sampleRate: 1000)
    for run in 0..<20 { place(&timeline, 0.5, frames: 20, atMs: Double(run * 20) + (run % 2 == 0 ? 3 : -3)) }
    let out = timeline.take(frames: 390)
    #expect(out[10...].allSatisfy { $0 == 0.5 })
  }

  @Test func aLongBreakIsSilenceOfItsLength() {
    var timeline = AudioTimeline(sampleRate: 1000)
    place(&timeline, 0.5, frames: 100, atMs: 0)
    place(&timeline, 0.5, frames: 100, atMs: 1000)
    let out = timeline.take(frames: 1100)
    #expect(out[198] == 0.5 && out[202] == 0 && out[1998] == 0 && out[2000] == 0.5)
  }

  @Test(arguments: [200.0, -200.0])
  func aClockThatDriftsIsFollowed(_ partsPerMillion: Double) {
    var timeline = AudioTimeline(sampleRate: 48_000)
    let frames = 960
    var taken = 0
    var end = 0.0
    // Half an hour; the device's seconds are a little shorter or longer than the clock's.
    for run in 0..<90_000 {
      let atMs = Double(run) * 20 * (1 + partsPerMillion / 1_000_000)
      place(&timeline, 0.25, frames: frames, atMs: atMs)
      end = (atMs + 20) * 48
      let due = Int(end) - 4800
      if due > taken {
        _ = timeline.take(frames: due - taken)
        taken = due
      }
    }
    let rest = timeline.take(frames: 9600)
    let ends = (rest.lastIndex { $0 != 0 } ?? 0) / 2 + taken
    // Within 15 ms of where the clock says the sound ended.
    #expect(abs(Double(ends) - end) < 720)
  }

  @Test func oneInputAloneIsTakenAtFull() {
    #expect(AudioMixer.mix([0.5, -0.5], nil, balance: 1) == [16384, -16384])
    #expect(AudioMixer.mix(nil, [0.5], balance: 0) == [16384])
  }

  @Test func balanceKeepsThePower() {
    for balance in stride(from: 0.0, through: 1, by: 0.1) {
      let gains = AudioMixer.gains(balance: balance, hasMicrophone: true, hasSystemAudio: true)
      #expect(abs(gains.microphone * gains.microphone + gains.system * gains.system - 1) < 0.0001)
    }
  }

  @Test func theMixNeverClips() {
    let loud = AudioMixer.mix([1, -1, .nan], [1, -1, 0], balance: 0.5)
    #expect(loud[0] < 32767 && loud[0] > 30000 && loud[1] > -32768)
    #expect(loud[2] == 0)
    #expect(AudioMixer.mix([9], nil, balance: 0.5) == [32767])
  }

  @Test func theHeaderMatchesTheFileAfterEverySync() throws {
    let file = MemoryFile()
    let wave = try WaveFileWriter(file: file, sampleRate: 8000, channels: 2)
    for round in 1...3 {
      try wave.append([Int16](repeating: Int16(round * 1000), count: 1600))
      try wave.sync()
      let scan = try #require(try WaveScan.read(file))
      #expect(scan.isComplete && scan.frames == round * 800 && scan.durationMs == Double(round) * 100)
    }
    #expect(abs(wave.peak - 3000.0 / 32768) < 0.0001)
  }

  @Test func aFullDiskLeavesTheSoundOfBefore() throws {
    let file = MemoryFile(capacity: 1000)
    let wave = try WaveFileWriter(file: file, sampleRate: 8000, channels: 2)
    try wave.append([Int16](repeating: 1, count: 400))
    #expect(throws: RecorderError.self) { try wave.append([Int16](repeating: 1, count: 400)) }
    #expect(file.size == 844)
  }
}
