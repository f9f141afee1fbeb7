// Owns what is promised of the perceptual hash.

import Testing

@testable import RecorderCore

@Suite struct PerceptualHashTests {
  @Test func aHashIsSixteenHexDigits() {
    #expect(PerceptualHash(bits: 0xff).text == "00000000000000ff")
  }

  @Test func distanceCountsBits() {
    #expect(PerceptualHash(bits: 0b1011).distance(to: PerceptualHash(bits: 0b0001)) == 2)
  }
}
