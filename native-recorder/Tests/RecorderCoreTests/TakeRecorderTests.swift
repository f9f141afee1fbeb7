// Owns what is promised of a take's times: what is shown reaches the disk by time, keyframes come, pauses leave no trace.

import Testing

@testable import RecorderCore

@Suite struct TakeRecorderTests {
  private let picture = BgraPicture(size: PictureSize(width: 64, height: 48))

  private func take(_ platform: FakePlatform) throws -> TakeRecorder {
    let config = try Json.decode(
      RecorderConfig.self, from: #"{"sessionId":"s","outputDirectory":"/memory","video":{}}"#)
    let manifest = Manifest(sessionId: "s", startedAt: "", startedAtMonotonicMs: 0)
    let context = VideoContext(
      platform: platform, config: config, clock: SessionClock(nowMs: platform.nowMs), folder: platform.folder,
      manifest: ManifestKeeper(manifest, folder: platform.folder, platform: platform),
      events: EventQueue(platform: platform), monitor: ServiceMonitor(.video))
    return try TakeRecorder(index: 1, size: picture.size, context: context, allowsHardware: true)
  }

  private func change(_ take: TakeRecorder, _ number: Int) -> Double {
    picture.base.storeBytes(of: number % 2 == 0 ? 0xffffff : 0, toByteOffset: 0, as: UInt32.self)
    return take.planes.update(from: picture, in: [PixelRect(x: 0, y: 0, width: 16, height: 16)])
  }

  private func scan(_ platform: FakePlatform) throws -> MovieScan {
    try #require(try MovieScan.read(MemoryFile(platform.folder.bytes("video-0001.mp4") ?? [])))
  }

  private func keyframesMs(_ scan: MovieScan) -> [Double] {
    scan.fragments.flatMap(\.keyframes).map { Double($0) / 90 }
  }

  @Test func aStillScreenHasAKeyframeEveryTenSecondsAndIsOnDiskEveryTwo() throws {
    let platform = FakePlatform()
    let take = try take(platform)
    try take.encode(atMs: 0, changedShare: change(take, 0))
    var atMs = 0.0
    while atMs < 65_000 {
      let dueMs = take.dueMs
      #expect(dueMs > atMs && dueMs <= atMs + 2_000)
      try take.encode(atMs: dueMs, changedShare: 0)
      atMs = dueMs
      // Everything up to the moment before is on the disk, a frame that has just come at most excepted.
      #expect(try scan(platform).durationMs > atMs - 1)
    }
    try take.finish(endMs: 66_000)
    let movie = try scan(platform)
    let keys = keyframesMs(movie)
    #expect(movie.frames == 7 && keys.count == 7 && abs(movie.durationMs - 66_000) < 1)
    #expect(zip(keys, keys.dropFirst()).allSatisfy { $1 - $0 <= 10_000 })
  }

  @Test func framesThatComeAsTheyComeLeaveNoGapAndAreCutByTime() throws {
    let platform = FakePlatform()
    let take = try take(platform)
    try take.encode(atMs: 300, changedShare: change(take, 0))
    var atMs = 300.0
    var frames = 1
    for number in 1..<200 {
      let nextMs = atMs + Double([67, 67, 133, 3_100, 467][number % 5])
      while take.dueMs < nextMs { try take.encode(atMs: take.dueMs, changedShare: 0) }
      atMs = nextMs
      try take.encode(atMs: atMs, changedShare: change(take, number))
      frames += 1
    }
    try take.finish(endMs: atMs + 40)
    let movie = try scan(platform)
    #expect(abs(movie.durationMs - (atMs + 40 - 300)) < 1 && movie.frames >= frames)
    for (left, right) in zip(movie.fragments, movie.fragments.dropFirst()) {
      #expect(left.endTicks == right.startTicks)
    }
    let keys = keyframesMs(movie)
    #expect(zip(keys, keys.dropFirst()).allSatisfy { $1 - $0 <= 10_000 })
  }

  @Test func aTakeWithoutAFrameLeavesNoFile() throws {
    let platform = FakePlatform()
    platform.board["encoder"] = .lost
    let take = try take(platform)
    let share = change(take, 0)
    #expect(throws: RecorderError(.encoderFailed, "broken")) { try take.encode(atMs: 0, changedShare: share) }
    try take.finish(endMs: 1)
    #expect(platform.folder.contents.isEmpty)
  }

  @Test func pausesLeaveNoGapAndNoDrift() throws {
    let platform = FakePlatform()
    let take = try take(platform)
    try take.encode(atMs: 0, changedShare: change(take, 0))
    for pause in 1...3 {
      // Media time stands during a pause: it ends at the moment at which it began.
      let atMs = Double(pause) * 1_234.5
      try take.cut(endMs: atMs)
      #expect(abs(try scan(platform).durationMs - atMs) < 1)
      try take.encode(atMs: atMs, changedShare: pause == 2 ? 0 : change(take, (pause + 1) / 2))
    }
    try take.finish(endMs: 5_000)
    let movie = try scan(platform)
    #expect(abs(movie.durationMs - 5_000) < 1)
    let starts = movie.fragments.map { Double($0.startTicks) / 90 }
    #expect(starts.count == 3 && abs(starts[1] - 1_234.5) < 1 && abs(starts[2] - 3_703.5) < 1)
  }
}
