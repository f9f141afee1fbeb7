// Owns what is promised of the way from start codes to length prefixes.

import Testing

@testable import RecorderCore

@Suite struct H264Tests {
  @Test func startCodesBecomeLengths() {
    let bytes: [UInt8] = [0, 0, 0, 1, 0x65, 1, 2, 0, 0, 1, 0x41, 3, 0, 0, 3, 1, 0, 0, 0, 1, 0x67, 9, 9, 9]
    let out = bytes.withUnsafeBufferPointer { H264.lengthPrefixed($0) }
    #expect(out == [0, 0, 0, 3, 0x65, 1, 2, 0, 0, 0, 6, 0x41, 3, 0, 0, 3, 1])
  }

  @Test func parameterSetsBecomeAnAvccRecord() {
    let bytes: [UInt8] = [0, 0, 0, 1, 0x67, 100, 0, 40, 5, 0, 0, 1, 0x68, 6, 7]
    let out = bytes.withUnsafeBufferPointer { H264.decoderConfiguration($0) }
    #expect(out == [1, 100, 0, 40, 0xff, 0xe1, 0, 5, 0x67, 100, 0, 40, 5, 1, 0, 3, 0x68, 6, 7, 0xfd, 0xf8, 0xf8, 0])
  }

  @Test func nothingIsFoundInNothing() {
    for bytes in [[], [0], [0, 0, 1], [0, 0, 0, 1], [1, 2, 3, 4]] as [[UInt8]] {
      #expect(bytes.withUnsafeBufferPointer { H264.lengthPrefixed($0) }.isEmpty)
      #expect(bytes.withUnsafeBufferPointer { H264.decoderConfiguration($0) } == nil)
    }
  }

  @Test func keyframesComeWithinTenSecondsAndAtLoneLargeChanges() {
    var policy = KeyframePolicy()
    var keys: [Double] = []
    for frame in 0..<900 {
      let ms = Double(frame) * 1000 / 15
      // Scrolling from 20 s to 24 s, a file opened at 5 s.
      let share = frame == 75 || (300..<360).contains(frame) ? 0.9 : 0.01
      if policy.wantsKeyframe(atMs: ms, changedShare: share, reserveMs: 1000 / 15) { keys.append(ms) }
    }
    #expect(keys.first == 0 && keys.contains(5000))
    for (left, right) in zip(keys, keys.dropFirst()) { #expect(right - left <= 10_000) }
    #expect(keys.filter { (20_000..<24_000).contains($0) }.count <= 2)
  }

  @Test func aKeyframeComesBeforeASlowDiskCouldMakeItLate() {
    var policy = KeyframePolicy()
    let keys = [0.0, 9_400, 9_500].filter { policy.wantsKeyframe(atMs: $0, changedShare: 0, reserveMs: 1000 / 60) }
    #expect(keys == [0, 9_500])
  }

  @Test func onlyAPictureThatKeepsMovingIsCodedCoarsely() {
    var motion = MotionQuantizer()
    var steps: [Int] = []
    for frame in 0..<60 {
      // Five steps of scrolling from 1 s on; a film from 2 s to 3 s; typing else.
      let share = (15..<20).contains(frame) ? 0.3 : (30..<45).contains(frame) ? 1 : 0.001
      steps.append(motion.extraSteps(share: share, atMs: Double(frame) * 1000 / 15))
    }
    #expect(steps[..<30].allSatisfy { $0 <= 1 })
    #expect(steps[44] == MotionQuantizer.mostSteps && steps[59] == 0)
  }
}
