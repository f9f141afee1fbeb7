// Owns one recording from create to destroy: its state, its services and the order in which they start and stop.

/// The state machine behind a handle: created → recording ⇄ paused → stopped (or failed). Calls in another order are
/// `invalidState`. Nothing here blocks: services answer from threads of their own, within limits.
public actor RecordingSession {
  public enum State: String, Codable, Sendable { case created, recording, paused, stopped, failed }

  public nonisolated let events: EventQueue

  private let config: RecorderConfig
  private let platform: any RecorderPlatform
  private let folder: any MediaFolder
  private let clock: SessionClock
  private var state = State.created
  /// A call that is under way, as a word for the error message.
  private var busy: String?
  private var services: Services?
  private var stopping: Task<Manifest, Never>?
  private var isDestroyed = false
  private var finalOffsetMs: Double?

  private struct Services {
    let keeper: ManifestKeeper
    let watches: [LivenessWatch]
    let video: VideoService?
    let audio: AudioService?
    let screenshots: ScreenshotService?
  }

  /// - Throws: `ioError` when the folder cannot be made or written; `invalidState` when it holds a recording.
  public init(_ config: RecorderConfig, platform: any RecorderPlatform) throws(RecorderError) {
    self.config = config
    self.platform = platform
    clock = SessionClock(nowMs: platform.nowMs)
    events = EventQueue(platform: platform)
    folder = try platform.openFolder(config.outputDirectory, forRecording: true)
    let taken = try folder.list().contains { name in
      name == Manifest.fileName || MediaName.index(of: name, prefix: "video-", suffix: ".mp4") != nil
        || MediaName.index(of: name, prefix: "audio-", suffix: ".wav") != nil
        || MediaName.index(of: name, prefix: "screenshot-", suffix: ".png") != nil
    }
    if taken {
      folder.close()
      throw RecorderError(
        .invalidState, "The output folder already holds a recording; choose an empty folder, or recover that one.")
    }
  }

  // MARK: - Start

  public func start() async throws(RecorderError) -> StartAnswer {
    try begin("start", in: [.created])
    defer { busy = nil }
    let startedAtMs = clock.start()
    let startedAt = platform.wallClock()
    let manifest = Manifest(
      sessionId: config.sessionId, startedAt: startedAt, startedAtMonotonicMs: startedAtMs.roundedMs)
    let keeper = ManifestKeeper(manifest, folder: folder, platform: platform)
    let made = makeServices(keeper)
    async let videoError = made.video?.start()
    async let audioError = made.audio?.start()
    let errors = (video: await videoError ?? nil, audio: await audioError ?? nil)
    if config.video.enabled {
      made.screenshots?.monitor.update { status in
        status.state = .active
        if let error = errors.video { status.fail(error) }
      }
    }
    let videoWorks = made.video != nil && errors.video == nil
    let audioWorks = made.audio != nil && errors.audio == nil
    guard videoWorks || audioWorks else {
      for watch in made.watches { watch.stop() }
      keeper.close()
      state = .failed
      throw errors.video ?? errors.audio ?? RecorderError(.internal, "No service started.")
    }
    services = made
    state = .recording
    keeper.update { _ in }
    note(errors.video, config.video.enabled ? .video : .screenshots)
    note(errors.audio, .audio)
    return StartAnswer(
      startedAtMonotonicMs: startedAtMs.roundedMs, startedAt: startedAt,
      services: statuses().mapValues(ServiceBrief.init))
  }

  private func makeServices(_ keeper: ManifestKeeper) -> Services {
    func context(_ kind: ServiceKind, _ monitor: ServiceMonitor? = nil) -> VideoContext {
      VideoContext(
        platform: platform, config: config, clock: clock, folder: folder, manifest: keeper, events: events,
        monitor: monitor ?? ServiceMonitor(kind, level: kind == .audio ? 0 : nil))
    }
    // Screenshots alone also need somebody who watches the display.
    let watched = config.video.enabled ? ServiceKind.video : .screenshots
    let video = config.needsDisplay ? VideoService(context(watched)) : nil
    let audio = config.audio.enabled ? AudioService(context(.audio)) : nil
    let screenshots =
      config.screenshots.enabled
      ? video.map { video in
        ScreenshotService(context(.screenshots, watched == .screenshots ? video.monitor : nil), video: video)
      } : nil
    var checks: [any LivenessCheck] = []
    if let video {
      let stalled = "Nothing has been recorded of a changed screen for three seconds."
      checks.append(StallCheck(video.pulse, stalled, context: context(watched, video.monitor)))
    }
    let disk = DiskCheck(folder, clock: clock, events: events) { [weak self] in Task { await self?.stopWhenFree() } }
    // On threads of their own: a disk that does not answer must not keep a stall from being told.
    let watches = [LivenessWatch(checks, platform: platform), LivenessWatch([disk], platform: platform)]
    return Services(keeper: keeper, watches: watches, video: video, audio: audio, screenshots: screenshots)
  }

  private func note(_ error: RecorderError?, _ service: ServiceKind) {
    guard let error else { return }
    events.post(.serviceFailed(service, offsetMs: 0, error))
    services?.keeper.update { $0.openGap(service, fromMs: 0, reason: error.code.rawValue) }
  }

  // MARK: - Pause and resume

  public func pause() async throws(RecorderError) -> PauseAnswer {
    try begin("pause", in: [.recording])
    defer { busy = nil }
    let atMs = clock.pause()
    let offsetMs = clock.offsetMs(atMs: atMs)
    pausedAtMs = atMs
    state = .paused
    services?.audio?.monitor.move(to: .paused)
    services?.screenshots?.monitor.move(to: .paused)
    await services?.video?.pause(offsetMs: offsetMs)
    return PauseAnswer(offsetMs: offsetMs.roundedMs, pausedAtMonotonicMs: atMs.roundedMs, resumedAtMonotonicMs: nil)
  }

  public func resume() async throws(RecorderError) -> PauseAnswer {
    try begin("resume", in: [.paused])
    defer { busy = nil }
    let atMs = clock.resume()
    let offsetMs = clock.offsetMs(atMs: atMs)
    notePause(endedAtMs: atMs)
    state = .recording
    services?.audio?.monitor.move(to: .active)
    services?.screenshots?.monitor.move(to: .active)
    await services?.video?.resume(atMs: atMs)
    return PauseAnswer(offsetMs: offsetMs.roundedMs, pausedAtMonotonicMs: nil, resumedAtMonotonicMs: atMs.roundedMs)
  }

  private var pausedAtMs: Double?

  private func notePause(endedAtMs: Double) {
    guard let from = pausedAtMs else { return }
    pausedAtMs = nil
    let pause = Manifest.Pause(
      offsetMs: clock.offsetMs(atMs: from).roundedMs, durationMs: (endedAtMs - from).roundedMs)
    services?.keeper.update { $0.pauses.append(pause) }
  }

  // MARK: - While recording

  public func takeScreenshot(name: String?) async throws(RecorderError) -> ScreenshotAnswer {
    guard state == .recording else { throw wrongState("take a screenshot") }
    guard let screenshots = services?.screenshots else {
      throw RecorderError(.invalidState, "Screenshots are not enabled in this recording's configuration.")
    }
    return try await screenshots.take(name: name).get()
  }

  public func setBalance(_ balance: Double) throws(RecorderError) {
    guard balance.isFinite, (0...1).contains(balance) else {
      throw RecorderError(.invalidConfig, "balance has to lie between 0 (microphone alone) and 1 (system sound alone).")
    }
    guard state == .recording || state == .paused else { throw wrongState("change the mix") }
    guard let audio = services?.audio else {
      throw RecorderError(.invalidState, "Sound is not enabled in this recording's configuration.")
    }
    audio.setBalance(balance)
  }

  /// - Throws: the source's own error when it does not open; then nothing has changed.
  public func addSource(_ source: SourceConfig) async throws(RecorderError) {
    try source.check()
    let video = try liveVideo("add a source")
    if let error = await video.add(source) { throw error }
  }

  /// - Throws: `sourceNotFound` for an id that is not recorded, `invalidState` for the only source.
  public func removeSource(id: String) async throws(RecorderError) {
    let video = try liveVideo("remove a source")
    if let error = await video.remove(id: id) { throw error }
  }

  public func setLayout(_ layout: LayoutConfig) async throws(RecorderError) {
    let video = try liveVideo("set the layout")
    if let error = await video.setLayout(layout) { throw error }
  }

  private func liveVideo(_ doing: String) throws(RecorderError) -> VideoService {
    guard state == .recording || state == .paused else { throw wrongState(doing) }
    guard let video = services?.video else {
      throw RecorderError(.invalidState, "Neither video nor screenshots are enabled in this recording's configuration.")
    }
    return video
  }

  public func status() -> StatusAnswer {
    let nowMs = clock.nowMs
    let view = services?.video?.view
    return StatusAnswer(
      state: state, offsetMs: (finalOffsetMs ?? clock.offsetMs(atMs: nowMs)).roundedMs, monotonicMs: nowMs.roundedMs,
      encoder: view?.encoderName, layout: view?.layout ?? config.video.layout,
      sources: view?.sources.map { $0.asOf(nowMs) } ?? [], services: statuses())
  }

  private func statuses() -> [String: ServiceStatus] {
    var audio = services?.audio?.monitor.current ?? ServiceStatus()
    if audio.level == nil { audio.level = 0 }
    let video = config.video.enabled ? services?.video?.monitor.current : nil
    return [
      "video": video ?? ServiceStatus(), "audio": audio,
      "screenshots": services?.screenshots?.monitor.current ?? ServiceStatus(),
    ]
  }

  // MARK: - Stop

  /// A second stop gives the same manifest.
  public func stop() async throws(RecorderError) -> Manifest {
    if let stopping { return await stopping.value }
    try begin("stop", in: [.recording, .paused])
    defer { busy = nil }
    // Media time ends here, whatever the services still have to do.
    let atMs = state == .paused ? clock.nowMs : clock.pause()
    notePause(endedAtMs: atMs)
    let offsetMs = clock.offsetMs(atMs: atMs)
    finalOffsetMs = offsetMs
    state = .stopped
    let services = services
    let events = events
    let folder = folder
    let task = Task { () -> Manifest in
      async let video: Void? = services?.video?.stop(offsetMs: offsetMs)
      async let audio: Void? = services?.audio?.stop(offsetMs: offsetMs)
      _ = (await video, await audio)
      for watch in services?.watches ?? [] { watch.stop() }
      await services?.screenshots?.stop()
      services?.keeper.update { manifest in
        manifest.finish(durationMs: offsetMs.roundedMs)
      }
      _ = await services?.keeper.flush(withinMs: 2_000)
      services?.keeper.close()
      events.close()
      folder.close()
      return services?.keeper.current ?? Manifest(sessionId: "", startedAt: "", startedAtMonotonicMs: 0)
    }
    stopping = task
    return await task.value
  }

  /// Stops where needed, wakes whoever waits for events and gives up the folder.
  public func destroy() async {
    isDestroyed = true
    await stopWhenFree()
    state = state == .created ? .failed : state
    events.close()
    folder.close()
  }

  /// A stop that waits for the call under way; each of those has its limit. Otherwise a start or a resume that comes
  /// back later would record behind everybody's back.
  private func stopWhenFree() async {
    while busy != nil, stopping == nil { try? await Task.sleep(for: .milliseconds(20)) }
    if stopping != nil || state == .recording || state == .paused { _ = try? await stop() }
  }

  // MARK: - Order of calls

  private func begin(_ call: String, in states: [State]) throws(RecorderError) {
    guard !isDestroyed || call == "stop" else { throw wrongState(call) }
    if let busy { throw RecorderError(.invalidState, "Cannot \(call) while the recorder is about to \(busy).") }
    guard states.contains(state) else { throw wrongState(call) }
    busy = call
  }

  private func wrongState(_ call: String) -> RecorderError {
    RecorderError(.invalidState, "Cannot \(call): the recorder is \(state.rawValue).")
  }
}
