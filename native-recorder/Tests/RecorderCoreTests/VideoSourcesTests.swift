// Owns what is promised of several sources at once: layouts, adding and removing, stalls, losses and coming back.

import Testing

@testable import RecorderCore

@Suite struct VideoSourcesTests {
  /// A recording of fake sources and what it told.
  private final class Recording {
    let platform: FakePlatform
    let session: RecordingSession
    private(set) var events: [RecorderEvent] = []

    init(
      _ sources: [String], layout: String = "grid", display: FakePlatform.Display = .busy, recordsVideo: Bool = true
    ) throws {
      platform = FakePlatform(display: display)
      let list = sources.map { #"{"id":"\#($0)","type":"display"}"# }.joined(separator: ",")
      let look = #""fps":50,"fragmentMs":250,"maxWidth":256,"layout":"\#(layout)""#
      let video = #"{"enabled":\#(recordsVideo),\#(look),"sources":[\#(list)]}"#
      let config = #"{"sessionId":"s","outputDirectory":"/memory","video":\#(video),"screenshots":{}}"#
      session = try RecordingSession(try Json.decode(RecorderConfig.self, from: config), platform: platform)
    }

    /// Waits for a condition, however busy the machine is; a condition that never holds is a failure.
    func eventually(_ what: String, _ holds: () async -> Bool) async throws {
      for _ in 0..<3_000 {
        if await holds() { return }
        try await Task.sleep(for: .milliseconds(10))
      }
      Issue.record("It never came to this: \(what)")
    }

    /// Whether an event of this type has ever come; for this source where one is named.
    func told(_ type: String, _ sourceId: String? = nil) -> Bool {
      while true {
        let event = session.events.next(timeoutMs: 0)
        if event.type == "none" { break }
        events.append(event)
      }
      return events.contains { $0.type == type && (sourceId == nil || $0.sourceId == sourceId) }
    }

    func forget() {
      _ = told("")
      events = []
    }

    func source(_ id: String) async -> SourceStatus? {
      await session.status().sources.first { $0.id == id }
    }

    func video() async -> ServiceStatus? { await session.status().services["video"] }

    /// Whether the screenshot that was written last shows this source there.
    func wrote(_ id: String, x: Double, y: Double) -> Bool { platform.png.grey(x: x, y: y) == FakeSource.grey(id) }

    /// Whether the picture that was encoded last shows this source, or nothing, in the middle of a part of it.
    func shows(_ id: String?, x: Double, y: Double) -> Bool {
      let size = platform.encoded.size
      let grey = platform.encoded.grey(Int(Double(size.width) * x), Int(Double(size.height) * y))
      return grey.map { abs($0 - (id.map(FakeSource.grey) ?? 0)) <= 3 } ?? false
    }
  }

  private func code(_ call: () async throws -> Void) async -> ErrorCode? {
    do { try await call() } catch { return (error as? RecorderError)?.code }
    return nil
  }

  private func haveNoGap(_ takes: [Manifest.Take]) -> Bool {
    zip(takes, takes.dropFirst()).allSatisfy { abs($0.offsetMs + $0.durationMs - $1.offsetMs) < 1 }
  }

  @Test func layoutsChangeWhileRecordingAndKeepTheTakeWhereTheSizeStays() async throws {
    let recording = try Recording(["a", "b"])
    let session = recording.session
    _ = try await session.start()
    try await recording.eventually("a left, b right") {
      recording.shows("a", x: 0.25, y: 0.5) && recording.shows("b", x: 0.75, y: 0.5)
    }
    #expect(recording.shows(nil, x: 0.5, y: 0.1))
    try await session.setLayout(LayoutConfig(.pictureInPicture, corner: .topLeft, size: 0.3))
    try await recording.eventually("b small in a") {
      recording.shows("a", x: 0.7, y: 0.7) && recording.shows("b", x: 0.15, y: 0.15)
    }
    try await session.setLayout(LayoutConfig(.single))
    try await recording.eventually("a alone") {
      recording.shows("a", x: 0.75, y: 0.5) && recording.shows("a", x: 0.15, y: 0.15)
    }
    let status = await session.status()
    #expect(status.layout.kind == .single && status.sources.map(\.isShown) == [true, false])
    let manifest = try await session.stop()
    #expect(manifest.takes.count == 1 && manifest.takes[0].width == 64)
  }

  @Test func sourcesAreAddedAndRemovedWhileRecordingAndWhilePaused() async throws {
    let recording = try Recording(["a"], layout: "single")
    let session = recording.session
    _ = try await session.start()
    try await session.addSource(SourceConfig(id: "b", type: .display, targetId: "128x96"))
    try await recording.eventually("b is captured no more than it is shown") {
      await recording.source("b")?.isShown == false
    }
    try await session.setLayout(LayoutConfig(.sideBySide))
    try await recording.eventually("b on the right") { recording.shows("b", x: 0.75, y: 0.5) }
    _ = try await session.pause()
    try await session.addSource(SourceConfig(id: "c", type: .display, targetId: nil))
    try await session.removeSource(id: "a")
    _ = try await session.resume()
    // The first display is now a larger one: the picture has another size, and a new take begins.
    try await recording.eventually("b and c") {
      recording.shows("b", x: 0.25, y: 0.5) && recording.shows("c", x: 0.75, y: 0.5)
    }
    #expect(await code { try await session.addSource(SourceConfig(id: "b", type: .display)) } == .invalidConfig)
    #expect(await code { try await session.removeSource(id: "x") } == .sourceNotFound)
    #expect(await code { try await session.addSource(SourceConfig(id: "", type: .display)) } == .invalidConfig)
    try await session.removeSource(id: "b")
    #expect(await code { try await session.removeSource(id: "c") } == .invalidState)
    let manifest = try await session.stop()
    #expect(manifest.takes.map(\.width) == [64, 128, 64] || manifest.takes.map(\.width) == [64, 128])
    #expect(haveNoGap(manifest.takes) && manifest.gaps.isEmpty)
    #expect(await code { try await session.removeSource(id: "c") } == .invalidState)
  }

  @Test func aSourceThatCannotBeOpenedChangesNothing() async throws {
    let recording = try Recording(["a"])
    let session = recording.session
    recording.platform.board["b"] = .missing
    _ = try await session.start()
    #expect(await code { try await session.addSource(SourceConfig(id: "b", type: .display)) } == .sourceNotFound)
    #expect(await session.status().sources.map(\.id) == ["a"])
    recording.platform.board["b"] = .busy
    try await session.addSource(SourceConfig(id: "b", type: .display))
    for index in 3...9 { try await session.addSource(SourceConfig(id: "more \(index)", type: .display)) }
    #expect(await code { try await session.addSource(SourceConfig(id: "ten", type: .display)) } == .invalidState)
    #expect(await session.status().sources.count == 9)
    _ = try await session.stop()
    #expect(!recording.told("sourceLost"))
  }

  @Test func whatCannotBeOpenedAtTheStartJoinsLater() async throws {
    let recording = try Recording(["a", "b"])
    recording.platform.board["b"] = .missing
    _ = try await recording.session.start()
    #expect(recording.told("sourceLost", "b"))
    #expect(await recording.video()?.health == .degraded)
    recording.platform.board["b"] = .busy
    try await recording.eventually("b joins") {
      recording.told("sourceRecovered", "b") && recording.shows("b", x: 0.75, y: 0.5)
    }
    #expect(await recording.video()?.health == .healthy)
    _ = try await recording.session.stop()
  }

  @Test func aSourceThatHangsHoldsUpNoOther() async throws {
    let recording = try Recording(["a", "b"])
    _ = try await recording.session.start()
    try await recording.eventually("both") { await recording.source("b")?.frames ?? 0 > 2 }
    recording.platform.board["b"] = .hangs
    try await recording.eventually("b says that it hangs") { await recording.source("b")?.state == .stalled }
    let (left, right) = (await recording.source("a")?.frames ?? 0, await recording.source("b")?.frames ?? 0)
    try await recording.eventually("a goes on") { await recording.source("a")?.frames ?? 0 > left + 20 }
    #expect(await recording.source("b")?.frames == right)
    // Its tile stays as it was.
    #expect(recording.shows("b", x: 0.75, y: 0.5) && !recording.told("stalled"))
    recording.platform.board["b"] = .busy
    try await recording.eventually("b goes on") { await recording.source("b")?.frames ?? 0 > right }
    let manifest = try await recording.session.stop()
    #expect(manifest.takes.count == 1 && manifest.droppedFrames["sourceLate"] ?? 0 > 0)
  }

  @Test(arguments: ["a", "encoder"])
  func whenNothingAdvancesItIsSaid(_ who: String) async throws {
    let recording = try Recording(["a"])
    _ = try await recording.session.start()
    recording.platform.board[who] = .hangs
    try await recording.eventually("stalled") { recording.told("stalled") }
    #expect(await recording.video()?.health == .degraded)
    recording.platform.board[who] = .busy
    try await recording.eventually("resumed") { recording.told("resumed") }
    #expect(await recording.video()?.health == .healthy)
    let manifest = try await recording.session.stop()
    #expect(manifest.takes.count == 1)
  }

  @Test func aLostSourceIsBlackUntilItComesBack() async throws {
    let recording = try Recording(["a", "b"])
    _ = try await recording.session.start()
    try await recording.eventually("both") { recording.shows("b", x: 0.75, y: 0.5) }
    recording.platform.board["b"] = .lost
    try await recording.eventually("black") {
      recording.told("sourceLost", "b") && recording.shows(nil, x: 0.75, y: 0.5)
    }
    #expect(recording.shows("a", x: 0.25, y: 0.5))
    let status = await recording.video()
    #expect(status?.state == .active && status?.health == .degraded && status?.error?.code == .sourceLost)
    #expect(await recording.source("b")?.state == .lost)
    recording.platform.board["b"] = .busy
    try await recording.eventually("back") {
      recording.told("sourceRecovered", "b") && recording.shows("b", x: 0.75, y: 0.5)
    }
    #expect(await recording.video()?.health == .healthy)
    let manifest = try await recording.session.stop()
    #expect(manifest.takes.count == 1)
    #expect(manifest.gaps.map(\.sourceId) == ["b"] && manifest.gaps.allSatisfy { $0.toMs > $0.fromMs })
    #expect(recording.events.filter { $0.type == "sourceLost" }.count == 1, "told without noise")
  }

  @Test func eachSourceThatIsMissingIsAGapOfItsOwn() async throws {
    let recording = try Recording(["a", "b"])
    _ = try await recording.session.start()
    recording.platform.board["a"] = .lost
    try await recording.eventually("a is lost") { recording.told("sourceLost", "a") }
    recording.platform.board["b"] = .lost
    try await recording.eventually("failed") { await recording.video()?.health == .failed }
    recording.platform.board["a"] = .busy
    try await recording.eventually("a is back") { await recording.video()?.state == .active }
    let gaps = try await recording.session.stop().gaps
    let durationMs = await recording.session.status().offsetMs
    try #require(gaps.map(\.sourceId) == ["a", nil, "b"])
    // While nothing was recorded at all, that alone is said.
    #expect(gaps[2].fromMs == gaps[1].toMs && abs(gaps[2].toMs - durationMs) < 1)
  }

  @Test func aScreenshotOfALostSourceSaysSo() async throws {
    let recording = try Recording(["a", "b"], layout: "single")
    _ = try await recording.session.start()
    recording.platform.board["a"] = .lost
    try await recording.eventually("a is lost") { await recording.source("a")?.state == .lost }
    #expect(await code { _ = try await recording.session.takeScreenshot(name: nil) } == .sourceLost)
    #expect(await recording.video()?.state == .active)
    _ = try await recording.session.stop()
  }

  @Test(arguments: [true, false])
  func aScreenshotShowsTheLayoutThatWasSetBefore(_ recordsVideo: Bool) async throws {
    let recording = try Recording(["a", "b"], layout: "side-by-side", recordsVideo: recordsVideo)
    let session = recording.session
    _ = try await session.start()
    for _ in 0..<3 {
      try await session.setLayout(LayoutConfig(.pictureInPicture, corner: .topLeft, size: 0.3))
      // Without video a frame that would be due comes no more: it is the screenshot that asks for one.
      if !recordsVideo { try await Task.sleep(for: .milliseconds(30)) }
      _ = try await session.takeScreenshot(name: nil)
      #expect(recording.wrote("a", x: 0.7, y: 0.7) && recording.wrote("b", x: 0.15, y: 0.15))
      try await session.setLayout(LayoutConfig(.sideBySide))
      _ = try await session.takeScreenshot(name: nil)
      #expect(recording.wrote("a", x: 0.25, y: 0.5) && recording.wrote("b", x: 0.75, y: 0.5))
    }
    _ = try await session.stop()
  }

  @Test func whoAddsASourceIsToldWhenTheVideoFails() async throws {
    let recording = try Recording(["a"])
    let session = recording.session
    _ = try await session.start()
    recording.platform.board["open b"] = .hangs
    async let added = code { try await session.addSource(SourceConfig(id: "b", type: .display)) }
    try await recording.eventually("b is being opened") { recording.platform.board.isHeld("open b") }
    recording.platform.board["encoder"] = .lost
    #expect(await added == .encoderFailed)
    recording.platform.board["open b"] = .busy
    _ = try await session.stop()
  }

  @Test(arguments: [false, true])
  func whenTheLastSourceIsLostTheTakeEndsAndAnotherFollows(_ pauses: Bool) async throws {
    let recording = try Recording(["a"])
    let session = recording.session
    _ = try await session.start()
    try await recording.eventually("frames") { await recording.source("a")?.frames ?? 0 > 5 }
    recording.platform.board["a"] = .lost
    try await recording.eventually("failed") { await recording.video()?.health == .failed }
    #expect(recording.told("sourceLost", "a") && recording.told("serviceFailed"))
    let take = try #require(recording.platform.folder.bytes("video-0001.mp4"))
    #expect(try MovieScan.read(MemoryFile(take))?.hasRandomAccessIndex == true)
    #expect(await code { _ = try await session.takeScreenshot(name: nil) } == .sourceLost)
    if pauses { _ = try await session.pause() }
    recording.platform.board["a"] = .busy
    try await recording.eventually("back") { recording.told("sourceRecovered", "a") }
    if pauses { _ = try await session.resume() }
    try await recording.eventually("healthy") { await recording.video()?.health == .healthy }
    #expect(await recording.video()?.state == .active)
    let manifest = try await session.stop()
    #expect(manifest.takes.count == 2 && manifest.gaps.count == 1)
    let gap = try #require(manifest.gaps.first)
    #expect(gap.reason == "sourceLost" && abs(gap.toMs - manifest.takes[1].offsetMs) < 1)
    #expect(abs(gap.fromMs - manifest.takes[0].offsetMs - manifest.takes[0].durationMs) < 1)
  }

  @Test func aScreenshotShowsTheLayoutOrTheOneSource() async throws {
    let recording = try Recording(["a", "b"], layout: "single")
    let session = recording.session
    _ = try await session.start()
    try await session.addSource(SourceConfig(id: "c", type: .display, targetId: "400x300"))
    #expect(try await session.takeScreenshot(name: nil).width == 64)
    try await session.setLayout(LayoutConfig(.grid))
    try await recording.eventually("the grid") { recording.shows("b", x: 0.75, y: 0.25) }
    let shot = try await session.takeScreenshot(name: "x")
    #expect(shot.width == 64 && shot.height == 48 && shot.name == "x" && shot.duplicateOf == nil)
    // Of these pictures only the first pixels change from frame to frame, as when a caret blinks.
    let same = try await session.takeScreenshot(name: nil)
    #expect(same.duplicateOf == "screenshot-000002.png" && same.sha256 == shot.sha256 && same.path == shot.path)
    #expect(same.distance == 0 && same.offsetMs >= shot.offsetMs)
    try await session.removeSource(id: "a")
    try await session.removeSource(id: "b")
    try await session.setLayout(LayoutConfig(.single))
    // The video is at most 256 wide, the screenshot is not.
    try await recording.eventually("c alone") { recording.platform.encoded.size.width == 256 }
    #expect(try await session.takeScreenshot(name: nil).width == 400)
    let manifest = try await session.stop()
    #expect(manifest.screenshots.map(\.width) == [64, 64, 400])
  }

  @Test func callsInAnyOrderFromAllSidesLeaveAWholeRecording() async throws {
    for seed in 1...4 {
      let recording = try Recording(["a", "b"])
      let session = recording.session
      _ = try await session.start()
      let board = recording.platform.board
      await withTaskGroup(of: Void.self) { group in
        for caller in 0..<3 {
          group.addTask { await Self.callAtRandom(session, board, seed * 31 + caller) }
        }
      }
      for id in ["a", "b", "c"] { recording.platform.board[id] = .busy }
      let manifest = try await session.stop()
      #expect(manifest.state == .finished)
      for (take, next) in zip(manifest.takes, manifest.takes.dropFirst()) {
        #expect(take.offsetMs + take.durationMs <= next.offsetMs + 1, "seed \(seed)")
      }
      for take in manifest.takes {
        let scan = try MovieScan.read(MemoryFile(recording.platform.folder.bytes(take.path) ?? []))
        #expect(scan?.frames == take.frames, "seed \(seed)")
      }
    }
  }

  private static func callAtRandom(_ session: RecordingSession, _ board: Switchboard, _ seed: Int) async {
    var random = Seeded(state: UInt64(seed))
    for _ in 0..<40 {
      let id = ["a", "b", "c"].randomElement(using: &random) ?? "a"
      let kind = [LayoutConfig.Kind.single, .grid, .sideBySide, .pictureInPicture].randomElement(using: &random)
      switch Int.random(in: 0..<9, using: &random) {
      case 0: _ = try? await session.pause()
      case 1, 2: _ = try? await session.resume()
      case 3: try? await session.addSource(SourceConfig(id: id, type: .display))
      case 4: try? await session.removeSource(id: id)
      case 5: try? await session.setLayout(LayoutConfig(kind ?? .grid))
      case 6: board[id] = [.busy, .lost, .hangs, .missing].randomElement(using: &random)
      case 7: board[id] = .busy
      default: _ = await session.status()
      }
      try? await Task.sleep(for: .milliseconds(Int.random(in: 0...15, using: &random)))
    }
  }
}
