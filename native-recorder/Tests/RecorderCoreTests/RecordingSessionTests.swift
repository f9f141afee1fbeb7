// Owns what is promised of a recording as a whole, with a display that does what the test says.

import Testing

@testable import RecorderCore

@Suite struct RecordingSessionTests {
  private func config(_ more: String = #","video":{"fps":50,"fragmentMs":250},"screenshots":{}"#) throws
    -> RecorderConfig
  {
    try Json.decode(RecorderConfig.self, from: #"{"sessionId":"s","outputDirectory":"/memory""# + more + "}")
  }

  /// Waits for a condition, however busy the machine is; a condition that never holds is a failure.
  func eventually(_ what: String, _ holds: () async -> Bool) async throws {
    for _ in 0..<2_000 {
      if await holds() { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("It never came to this: \(what)")
  }

  private func frames(_ session: RecordingSession) async -> Int {
    await session.status().services["video"]?.metrics.itemsRecorded ?? 0
  }

  private func types(_ session: RecordingSession) -> [String] {
    var types: [String] = []
    while true {
      let event = session.events.next(timeoutMs: 0)
      if event.type == "none" { return types }
      types.append(event.type)
    }
  }

  @Test func aSessionRecordsPausesResumesAndStops() async throws {
    let platform = FakePlatform()
    let session = try RecordingSession(try config(), platform: platform)
    _ = try await session.start()
    try await eventually("ten frames") { await frames(session) >= 10 }
    let pause = try await session.pause()
    let resume = try await session.resume()
    #expect(pause.offsetMs == resume.offsetMs)
    try await eventually("ten more frames") { await frames(session) >= 20 }
    let manifest = try await session.stop()
    #expect(manifest.state == .finished && manifest.takes.count == 1 && manifest.pauses.count == 1)
    #expect(manifest.durationMs > pause.offsetMs && manifest.pauses[0].durationMs > 0)
    #expect(abs(manifest.pauses[0].offsetMs - pause.offsetMs) < 0.01)
    let take = try #require(manifest.takes.first)
    #expect(abs(take.offsetMs + take.durationMs - manifest.durationMs) < 1)
    let scan = try #require(try MovieScan.read(MemoryFile(platform.folder.bytes("video-0001.mp4") ?? [])))
    #expect(scan.hasRandomAccessIndex && scan.frames == take.frames && scan.frames > 15)
    let written = try Json.decode(Manifest.self, from: platform.folder.bytes(Manifest.fileName) ?? [])
    #expect(written == manifest)
    let seen = types(session)
    #expect(seen.prefix(2) == ["takeStarted", "firstFrame"] && seen.contains("fragmentWritten"))
    #expect(try await session.stop() == manifest)
  }

  @Test func aStillScreenReachesTheDiskWithoutFrames() async throws {
    let platform = FakePlatform(display: .still)
    let session = try RecordingSession(try config(), platform: platform)
    _ = try await session.start()
    var seen: Set<Double> = []
    try await eventually("four moments of progress, without an event for each") {
      if let atMs = await session.status().services["video"]?.lastActivityMonotonicMs, atMs > 0 { seen.insert(atMs) }
      return seen.count >= 4
    }
    #expect(types(session).filter { $0 == "fragmentWritten" }.count == 1)
    let manifest = try await session.stop()
    let take = try #require(manifest.takes.first)
    // The first frame and a keyframe every ten seconds.
    #expect(Double(take.frames) <= manifest.durationMs / 9_900 + 1)
    #expect(abs(take.offsetMs + take.durationMs - manifest.durationMs) < 1)
  }

  @Test func aDisplayThatDiesKeepsWhatWasRecorded() async throws {
    let platform = FakePlatform(display: .dies)
    let session = try RecordingSession(try config(), platform: platform)
    _ = try await session.start()
    try await eventually("a failed video") { await session.status().services["video"]?.state == .error }
    let status = await session.status()
    #expect(status.services["video"]?.state == .error && status.services["video"]?.error?.code == .sourceLost)
    let seen = types(session)
    #expect(seen.contains("sourceLost") && seen.contains("serviceFailed"))
    let manifest = try await session.stop()
    #expect(manifest.takes.first?.frames ?? 0 > 0 && manifest.gaps.first?.reason == "sourceLost")
  }

  @Test func aDisplayOfAnotherSizeBeginsAnotherTakeWithoutAGap() async throws {
    let platform = FakePlatform(display: .resizes)
    let session = try RecordingSession(try config(), platform: platform)
    _ = try await session.start()
    var takes = 0
    try await eventually("a second take") {
      takes += types(session).filter { $0 == "takeStarted" }.count
      return takes == 2
    }
    let manifest = try await session.stop()
    #expect(manifest.takes.map(\.width) == [64, 32] && manifest.takes.map(\.height) == [48, 32])
    let (first, second) = (manifest.takes[0], manifest.takes[1])
    #expect(abs(first.offsetMs + first.durationMs - second.offsetMs) < 1)
    #expect(platform.folder.bytes("video-0002.mp4") != nil)
  }

  @Test func aGraphicsCardThatFailsLeavesANewTakeInSoftwareWithoutAGap() async throws {
    let platform = FakePlatform(hasGraphicsCard: true)
    let session = try RecordingSession(try config(), platform: platform)
    _ = try await session.start()
    try await eventually("twenty frames") { await frames(session) >= 20 }
    #expect(await session.status().encoder == "fake")
    let manifest = try await session.stop()
    #expect(manifest.takes.map(\.encoder) == ["fake card", "fake"] && manifest.gaps.isEmpty)
    let (first, second) = (manifest.takes[0], manifest.takes[1])
    #expect(first.frames == 5 && abs(first.offsetMs + first.durationMs - second.offsetMs) < 1)
    let scan = try #require(try MovieScan.read(MemoryFile(platform.folder.bytes("video-0001.mp4") ?? [])))
    #expect(scan.frames == 5 && scan.hasRandomAccessIndex)
  }

  @Test func aRecorderThatIsDestroyedWhileItStartsOrPausesDoesNotRecordOn() async throws {
    for round in 0..<20 {
      let session = try RecordingSession(try config(), platform: FakePlatform())
      if round % 2 == 1 { _ = try await session.start() }
      let call = Task { if round % 2 == 1 { _ = try? await session.pause() } else { _ = try? await session.start() } }
      await session.destroy()
      await call.value
      let state = await session.status().state
      #expect(state == .stopped || state == .failed, "round \(round)")
      await #expect(throws: RecorderError.self) { _ = try await session.resume() }
    }
  }

  @Test func aGraphicsCardThatFailsAtOnceLeavesNoTrace() async throws {
    let platform = FakePlatform(hasGraphicsCard: true, cardFrames: 0)
    let session = try RecordingSession(try config(), platform: platform)
    _ = try await session.start()
    let manifest = try await session.stop()
    #expect(manifest.takes.map(\.path) == ["video-0001.mp4"] && manifest.takes.map(\.encoder) == ["fake"])
    #expect(platform.folder.contents.keys.filter { $0.hasSuffix(".mp4") } == ["video-0001.mp4"])
    #expect(types(session).prefix(2) == ["takeStarted", "firstFrame"])
  }

  @Test func whenTheEncoderFailsTheGapBeginsWhereTheTakeEnds() async throws {
    let platform = FakePlatform()
    let session = try RecordingSession(try config(), platform: platform)
    _ = try await session.start()
    try await eventually("ten frames") { await frames(session) >= 10 }
    platform.board["encoder"] = .lost
    try await eventually("a failed video") { await session.status().services["video"]?.state == .error }
    let manifest = try await session.stop()
    let (take, gap) = (try #require(manifest.takes.first), try #require(manifest.gaps.first))
    #expect(manifest.gaps.count == 1 && gap.reason == "encoderFailed")
    #expect(abs(gap.fromMs - take.offsetMs - take.durationMs) < 1)
  }

  @Test func aStartThatIsGivenUpIsToldOnce() async throws {
    let platform = FakePlatform(sound: FakeSoundServer())
    platform.board["encoder"] = .hangs
    let session = try RecordingSession(
      try config(#","video":{},"audio":{"systemAudio":true}"#), platform: platform)
    #expect(try await session.start().services["video"]?.error?.code == .timeout)
    // It fails only now, when nobody waits for it any more.
    platform.board["encoder"] = .lost
    await #expect(throws: RecorderError(.encoderFailed, "broken")) { try await session.setLayout(LayoutConfig(.grid)) }
    let manifest = try await session.stop()
    #expect(manifest.gaps.filter { $0.service == .video }.map(\.reason) == ["timeout"])
    #expect(types(session).filter { $0 == "serviceFailed" }.count == 1)
  }

  @Test func withoutVideoALostDisplayIsTheScreenshotsLoss() async throws {
    let platform = FakePlatform()
    let session = try RecordingSession(try config(#","screenshots":{}"#), platform: platform)
    func screenshots() async -> ServiceStatus? { await session.status().services["screenshots"] }
    _ = try await session.start()
    #expect(await screenshots()?.state == .active)
    try await eventually("some time") { await session.status().offsetMs > 200 }
    let beforeMs = await session.status().offsetMs
    platform.board["display"] = .lost
    try await eventually("failed") { await screenshots()?.health == .failed }
    #expect(await session.status().services["video"]?.state == .idle)
    platform.board["display"] = .busy
    try await eventually("back") { await screenshots()?.health == .healthy }
    _ = try await session.takeScreenshot(name: nil)
    let manifest = try await session.stop()
    #expect(await screenshots()?.state == .stopped)
    let gap = try #require(manifest.gaps.first)
    #expect(manifest.gaps.count == 1 && gap.service == .screenshots && gap.sourceId == nil)
    #expect(gap.fromMs >= beforeMs && gap.toMs > gap.fromMs && gap.toMs < manifest.durationMs)
  }

  @Test func whenNothingCanStartTheCallSaysWhy() async throws {
    let session = try RecordingSession(try config(), platform: FakePlatform(display: .missing))
    await #expect(throws: RecorderError(.sourceNotFound, "no display")) { _ = try await session.start() }
    #expect(await session.status().state == .failed)
  }

  @Test func aMissingSoundServerLeavesThePicture() async throws {
    let session = try RecordingSession(
      try config(#","video":{},"audio":{"systemAudio":true}"#), platform: FakePlatform())
    let answer = try await session.start()
    #expect(answer.services["audio"]?.state == .error && answer.services["audio"]?.error?.code == .sourceNotFound)
    #expect(answer.services["video"]?.state == .active)
    _ = try await session.stop()
  }

  @Test func callsInTheWrongOrderAreRefused() async throws {
    let session = try RecordingSession(try config(), platform: FakePlatform())
    func code(_ call: () async throws -> Void) async -> ErrorCode? {
      do { try await call() } catch { return (error as? RecorderError)?.code }
      return nil
    }
    #expect(await code { _ = try await session.pause() } == .invalidState)
    #expect(await code { _ = try await session.stop() } == .invalidState)
    #expect(await code { _ = try await session.takeScreenshot(name: nil) } == .invalidState)
    _ = try await session.start()
    #expect(await code { _ = try await session.start() } == .invalidState)
    #expect(await code { _ = try await session.resume() } == .invalidState)
    #expect(await code { _ = try await session.takeScreenshot(name: nil) } == nil)
    _ = try await session.pause()
    #expect(await code { _ = try await session.pause() } == .invalidState)
    #expect(await code { _ = try await session.takeScreenshot(name: nil) } == .invalidState)
    #expect(await code { try await session.setBalance(.nan) } == .invalidConfig)
    await session.destroy()
    #expect(await code { _ = try await session.start() } == .invalidState)
  }

  @Test func destroyEndsAWaitForEvents() async throws {
    let session = try RecordingSession(try config(), platform: FakePlatform())
    let waiting = Reply<String>()
    FakePlatform().spawnThread("waiter") { waiting.complete(session.events.next(timeoutMs: 20_000).type) }
    try await Task.sleep(for: .milliseconds(50))
    await session.destroy()
    #expect(await waiting.value(withinMs: 5_000, or: "late") == "none")
  }

  @Test func theEventQueueIsBoundedAndDropsProgressFirst() {
    let queue = EventQueue(platform: FakePlatform())
    queue.post(.sourceLost(.video, "a", offsetMs: 1, "gone"))
    for _ in 0..<(EventQueue.capacity * 2) { queue.post(RecorderEvent("fragmentWritten")) }
    #expect(queue.next(timeoutMs: 0).type == "sourceLost")
    var count = 0
    while queue.next(timeoutMs: 0).type != "none" { count += 1 }
    #expect(count == EventQueue.capacity - 1)
  }
}
