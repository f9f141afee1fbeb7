// Owns what is promised of the video thread when things come at the same moment: what it was told in one go is handed to
// it in one go here.

import Testing

@testable import RecorderCore

@Suite struct VideoLoopTests {
  /// A video thread that the test itself runs, with two sources that do not change.
  private struct Rig {
    let platform: FakePlatform
    let context: VideoContext
    let mailbox: Mailbox<VideoCommand>
    let loop: VideoLoop

    init(hasGraphicsCard: Bool = false) throws {
      platform = FakePlatform(display: .still, hasGraphicsCard: hasGraphicsCard, cardFrames: 1)
      let sources = #"[{"id":"a","type":"display"},{"id":"b","type":"display"}]"#
      let config = try Json.decode(
        RecorderConfig.self,
        from: #"{"sessionId":"s","outputDirectory":"/memory","video":{"fps":1,"layout":"grid","sources":\#(sources)}}"#)
      let clock = SessionClock(nowMs: platform.nowMs)
      clock.start()
      let manifest = Manifest(sessionId: "s", startedAt: "", startedAtMonotonicMs: 0)
      context = VideoContext(
        platform: platform, config: config, clock: clock, folder: platform.folder,
        manifest: ManifestKeeper(manifest, folder: platform.folder, platform: platform),
        events: EventQueue(platform: platform), monitor: ServiceMonitor(.video))
      mailbox = Mailbox(waker: platform.makeSignal())
      loop = VideoLoop(context, mailbox: mailbox, pulse: ServicePulse()) { _ in }
    }

    func end() {
      loop.end(nil)
      context.manifest.close()
    }
  }

  private let late = RecorderError(.timeout, "not answered")

  @Test func whatWasAskedOfAVideoThatFailsIsAnswered() async throws {
    let rig = try Rig()
    try rig.loop.begin()
    rig.platform.board["encoder"] = .lost
    let (layout, picture) = (Reply<RecorderError?>(), Reply<Result<CapturedPicture, RecorderError>>())
    _ = rig.mailbox.post(.source(0, .lost(RecorderError(.sourceLost, "lost"), isFinal: false)))
    _ = rig.mailbox.post(.setLayout(LayoutConfig(.single), layout))
    _ = rig.mailbox.post(.picture(picture))
    let broken = RecorderError(.encoderFailed, "broken")
    #expect(throws: broken) { try rig.loop.run() }
    #expect(await layout.value(withinMs: 0, or: late) == broken)
    #expect(await picture.value(withinMs: 0, or: .failure(late)).failure == broken)
    rig.end()
  }

  @Test func aScreenshotThatAPauseOvertakesIsRefused() async throws {
    let rig = try Rig()
    try rig.loop.begin()
    let (picture, pause, stop) = (
      Reply<Result<CapturedPicture, RecorderError>>(), Reply<RecorderError?>(), Reply<RecorderError?>()
    )
    _ = rig.mailbox.post(.picture(picture))
    _ = rig.mailbox.post(.pause(offsetMs: rig.context.clock.offsetMs, pause))
    _ = rig.mailbox.post(.stop(offsetMs: rig.context.clock.offsetMs, stop))
    try rig.loop.run()
    #expect(await picture.value(withinMs: 0, or: .failure(late)).failure?.code == .invalidState)
    rig.end()
  }

  @Test func whatIsGrabbedDuringAPauseIsNotKept() throws {
    let rig = try Rig()
    try rig.loop.begin()
    _ = rig.context.clock.pause()
    let picture = BgraPicture(size: PictureSize(width: 64, height: 48))
    let frame = SourcedFrame(picture: picture, sourceId: "a", presentationMs: wallMs(), sequence: 9, damage: [])
    try rig.loop.handle(.captured(HandedFrame(frame: frame)), of: 0)
    #expect(rig.loop.sources[0]?.picture == nil)
    rig.end()
  }

  @Test func aPictureOfAnotherSizeIsLaidOutBeforeItIsPainted() throws {
    let rig = try Rig(hasGraphicsCard: true)
    try rig.loop.begin()
    let picture = BgraPicture(size: PictureSize(width: 8, height: 8))
    picture.fill(PixelRect(picture.size), 0x808080)
    let frame = SourcedFrame(picture: picture, sourceId: "b", presentationMs: wallMs(), sequence: 9, damage: [])
    try rig.loop.handle(.captured(HandedFrame(frame: frame)), of: 1)
    // The card fails at this frame, and all tiles are painted anew before the picture's own turn comes.
    rig.loop.sources[0]?.picture = nil
    try rig.loop.compose([0], atMs: wallMs())
    let shown = rig.platform.encoded
    #expect(abs((shown.grey(48, 24) ?? 0) - 0x80) <= 3 && shown.grey(36, 24) == 0)
    rig.end()
  }

  @Test func theEndWaitsForAScreenshotThatIsBeingWritten() async throws {
    let rig = try Rig()
    let video = VideoService(rig.context)
    #expect(await video.start() == nil)
    let screenshots = ScreenshotService(rig.context, video: video)
    rig.platform.board["png"] = .hangs
    let taking = Task { await screenshots.take(name: nil) }
    while !rig.platform.board.isHeld("png") { try await Task.sleep(for: .milliseconds(2)) }
    let manifest = rig.context.manifest
    let stopping = Task {
      await screenshots.stop()
      return manifest.current.screenshots.count
    }
    try await Task.sleep(for: .milliseconds(10))
    rig.platform.board["png"] = .busy
    #expect(await stopping.value == 1)
    #expect(await taking.value.failure == nil)
    #expect(await screenshots.take(name: nil).failure?.code == .invalidState)
    await video.stop(offsetMs: rig.context.clock.offsetMs)
    rig.end()
  }
}

extension Result {
  fileprivate var failure: Failure? {
    if case .failure(let error) = self { return error }
    return nil
  }
}
