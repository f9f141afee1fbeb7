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

extension RecordingSessionTests {
  @Test func aRecordingIsEndedWithEverythingKeptBeforeTheDiskIsFull() async throws {
    let platform = FakePlatform()
    let config = #"{"sessionId":"s","outputDirectory":"/memory","video":{}}"#
    let session = try RecordingSession(try Json.decode(RecorderConfig.self, from: config), platform: platform)
    _ = try await session.start()
    platform.folder.free.withLock { $0 = 90_000_000 }
    try await eventually("the recorder ends by itself") { await session.status().state == .stopped }
    var low: RecorderEvent?
    while true {
      let event = session.events.next(timeoutMs: 0)
      if event.type == "none" { break }
      if event.type == "diskLow" { low = event }
    }
    #expect(low?.stopping == true && low?.freeBytes == 90_000_000)
    let manifest = try await session.stop()
    #expect(manifest.state == .finished && manifest.takes.count == 1 && manifest.takes[0].frames > 0)
  }
}
