// Owns what is promised of a disk that fills: one warning, then an end, each said once.

import Testing

@testable import RecorderCore

@Suite struct DiskWatchTests {
  @Test func aDiskThatFillsIsWarnedOfOnceAndThenEndsTheRecordingOnce() {
    var watch = DiskWatch()
    let megabytes = [900, 500, 499, 480, 499, 101, 100, 99, 50, 0]
    #expect(
      megabytes.map { watch.judge(freeBytes: $0 * 1_000_000) } == [
        .fine, .fine, .warn, .fine, .fine, .fine, .fine, .stop, .fine, .fine,
      ])
  }

  @Test func aDiskThatWasClearedCanWarnAgainButNotForHoveringAboutTheLimit() {
    var watch = DiskWatch()
    let megabytes = [499, 510, 499, 600, 499]
    #expect(megabytes.map { watch.judge(freeBytes: $0 * 1_000_000) } == [.warn, .fine, .fine, .fine, .warn])
  }

  @Test func aRecordingThatBeginsOnAFullDiskEndsAtOnce() {
    var watch = DiskWatch()
    #expect(watch.judge(freeBytes: 0) == .stop)
  }
}
