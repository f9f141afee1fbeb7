// Owns the video thread: asks changed sources for their pictures, composes what came, encodes, cuts fragments.
// A still screen wakes it once for each fragment.

final class VideoLoop {
  static let openLimitMs = 2_500.0
  static let firstFrameLimitMs = 4_000.0
  static let closeLimitMs = 500.0

  let context: VideoContext
  let mailbox: Mailbox<VideoCommand>
  var sources = VideoSources()
  var layout: LayoutConfig
  var synchronizer: FrameSynchronizer
  var isPaused = false
  /// Opening is over: from now on losses are told.
  var hasBegun = false
  /// No source was left; the video goes on when one comes back.
  var hasFailed = false

  let pulse: ServicePulse
  private let publishView: (VideoView) -> Void
  let compositor: any FrameCompositor
  private let intervalMs: Double
  private var geometry = LayoutGeometry(LayoutConfig(), sources: [], maxWidth: 2)
  /// In the order of the geometry.
  private(set) var laidOut: [VideoSource] = []
  /// The compositor does not know the geometry yet.
  private(set) var mustArrange = true
  /// A frame comes at the latest at `dueMs`, whether or not anything has changed; nil when nothing but changes counts.
  /// It belongs to `atMs`, or to the moment it comes.
  private var forced: (dueMs: Double, atMs: Double?)?
  private var take: TakeRecorder?
  private var takes = 0
  /// Until a hardware encoder fails.
  private var allowsHardware = true
  private var encoderName: String?
  private(set) var composedAtMs: Double?
  var pictures: [Reply<Result<CapturedPicture, RecorderError>>] = []
  private var isDone = false

  init(
    _ context: VideoContext, mailbox: Mailbox<VideoCommand>, pulse: ServicePulse,
    publish: @escaping (VideoView) -> Void
  ) {
    self.context = context
    self.mailbox = mailbox
    self.pulse = pulse
    publishView = publish
    layout = context.config.video.layout
    compositor = context.platform.makeCompositor()
    intervalMs = 1000 / context.config.video.fps
    synchronizer = FrameSynchronizer(intervalMs: intervalMs, startMs: context.clock.nowMs)
  }

  /// Opens the sources and puts the first frame into the encoder. Sources that do not open leave the others.
  /// - Throws: the first source's error when none opens.
  func begin() throws(RecorderError) {
    let wanted = context.config.video.sources
    for config in wanted.isEmpty ? [SourceConfig(id: "display", type: .display)] : wanted { add(config) }
    let begunMs = context.clock.nowMs
    while sources.all.contains(where: { $0.status.state == .opening }),
      context.clock.nowMs < begunMs + Self.openLimitMs
    {
      try handleCommands()
      if sources.all.contains(where: { $0.status.state == .opening }) {
        mailbox.waker.wait(untilMs: begunMs + Self.openLimitMs)
      }
    }
    guard sources.areLive else {
      throw sources.all.compactMap(\.status.error).first
        ?? RecorderError(.timeout, "The display server does not answer.")
    }
    rearrange()
    forced = nil
    while composedAtMs == nil {
      try handleCommands()
      guard sources.areLive, context.clock.nowMs < begunMs + Self.firstFrameLimitMs else {
        throw sources.all.compactMap(\.status.error).first
          ?? RecorderError(.timeout, "The display gives no picture.")
      }
      try step(until: begunMs + Self.firstFrameLimitMs)
    }
    hasBegun = true
    for source in sources.all where source.status.state != .active { tellMissing(source, sinceMs: 0) }
    // One may have opened meanwhile.
    rearrange()
  }

  /// Runs until stopped. Throws what ended it before that; the take is finished in either case.
  func run() throws(RecorderError) {
    while !isDone {
      try handleCommands()
      if !isDone { try step(until: .infinity) }
    }
  }

  /// Closes everything that is open; what hangs is broken off. Whoever waits for something is told `failure`.
  func end(_ failure: RecorderError?) {
    try? take?.finish(endMs: context.clock.offsetMs)
    take = nil
    refusePictures(failure)
    for source in sources.all {
      if let reply = source.adding { VideoCommand.add(source.config, reply).refuse(failure) }
    }
    sources.removeAll()
    for limitMs in [Self.closeLimitMs, 4 * Self.closeLimitMs] {
      let untilMs = context.clock.nowMs + limitMs
      while !sources.haveEnded, context.clock.nowMs < untilMs {
        for command in mailbox.drain() { refuse(command, failure) }
        if !sources.haveEnded { mailbox.waker.wait(untilMs: untilMs) }
      }
      sources.interruptLeaving()
    }
  }

  // MARK: - Steps

  private func step(until limitMs: Double) throws(RecorderError) {
    servePictures()
    let nowMs = context.clock.nowMs
    // After a failure a frame shows that all is well again, whether or not it is recorded.
    let wantsFrames = context.config.video.enabled || composedAtMs == nil || hasFailed || !pictures.isEmpty
    // The clock stands before the command to pause arrives.
    guard sources.areLive, wantsFrames, !isPaused, !context.clock.isPaused else {
      pulse.setWaiting(sinceMs: nil)
      mailbox.waker.wait(untilMs: min(limitMs, nowMs + 60_000))
      return
    }
    let decision = synchronizer.decide(atMs: nowMs)
    countDrops()
    switch decision {
    case .request(let keys):
      for key in keys { sources[key]?.ask(atMs: nowMs) }
      publish()
    case .compose(let composition):
      try compose(composition.sources, atMs: composition.atMs)
    case .wait(let untilMs):
      if let forced, nowMs >= forced.dueMs { return try compose([], atMs: forced.atMs ?? nowMs) }
      var wakeMs = min(untilMs, forced?.dueMs ?? .infinity, limitMs)
      if let take {
        let offsetMs = context.clock.offsetMs(atMs: nowMs)
        if offsetMs >= take.dueMs {
          // Nothing new: what is shown reaches the disk all the same.
          synchronizer.shown(atMs: nowMs)
          return try encode(take, atMs: nowMs, changedShare: 0)
        }
        wakeMs = min(wakeMs, nowMs + take.dueMs - offsetMs)
      }
      pulse.setWaiting(sinceMs: synchronizer.waitingSinceMs)
      mailbox.waker.wait(untilMs: min(wakeMs, nowMs + 60_000))
    }
  }

  /// Makes a frame of what these sources brought, in a new take where the picture has another size.
  func compose(_ keys: [Int], atMs: Double) throws(RecorderError) {
    let beganMs = context.clock.nowMs
    // Another size may have come with a picture that is not composed yet.
    if laidOut.contains(where: { $0.damage == nil }) { rearrange() }
    synchronizer.shown(atMs: atMs)
    let isForced = forced != nil
    forced = nil
    let old = take
    defer { if old !== take { try? old?.finish(endMs: take?.offsetMs ?? context.clock.offsetMs) } }
    if context.config.video.enabled, take?.size != geometry.canvas { try beginTake() }
    let isAll = mustArrange || old !== take
    if mustArrange { compositor.arrange(geometry) }
    mustArrange = false
    var updates: [TileUpdate] = []
    for (index, tile) in geometry.tiles.enumerated() {
      let source = laidOut[tile.source]
      guard isAll || keys.contains(source.key) else { continue }
      // A picture that is in its source's hands just now is painted whole when it comes.
      updates.append(TileUpdate(tile: index, picture: source.picture, damage: isAll ? nil : source.damage))
      source.damage = source.picture == nil ? nil : []
    }
    let share = try compositor.compose(updates, into: take?.planes)
    composedAtMs = atMs
    // Programs often draw what is already there; that is no frame.
    if let take, share > 0 || isForced || take.offsetMs == nil {
      try encode(take, atMs: atMs, changedShare: share)
    }
    noteFrame(beganMs: beganMs, atMs: atMs, counts: share > 0 || old !== take)
    servePictures(isFresh: true)
  }

  /// Encodes what the take's planes hold. When a graphics card fails, the recording does not: software goes on with the
  /// same picture in a new take.
  private func encode(_ old: TakeRecorder, atMs: Double, changedShare: Double) throws(RecorderError) {
    do {
      try old.encode(atMs: context.clock.offsetMs(atMs: atMs), changedShare: changedShare)
    } catch {
      guard old.usesHardware, error.code == .encoderFailed else { throw error }
      allowsHardware = false
      take = nil
      // It left no file, so that its number is free.
      if old.offsetMs == nil { takes -= 1 }
      defer { try? old.finish(endMs: take?.offsetMs ?? context.clock.offsetMs(atMs: atMs)) }
      try compose([], atMs: atMs)
    }
  }

  private func noteFrame(beganMs: Double, atMs: Double, counts: Bool) {
    let doneMs = context.clock.nowMs
    synchronizer.wasBusy(doneMs - beganMs)
    pulse.progress(atMs: doneMs)
    pulse.setWaiting(sinceMs: synchronizer.waitingSinceMs)
    if hasFailed { recover() }
    if counts, context.config.video.enabled {
      context.monitor.update { status in
        status.metrics.itemsRecorded += 1
        status.noteLatency(doneMs - atMs)
      }
    }
    publish()
  }

  private func countDrops() {
    let drops = synchronizer.takeDrops()
    guard !drops.isEmpty, context.config.video.enabled else { return }
    context.monitor.update { $0.metrics.droppedItems += drops.values.reduce(0, +) }
    context.manifest.update { manifest in
      for (cause, count) in drops { manifest.droppedFrames[cause.rawValue, default: 0] += count }
    }
  }

  private func beginTake() throws(RecorderError) {
    takes += 1
    take = try TakeRecorder(
      index: takes, size: geometry.canvas, context: context, allowsHardware: allowsHardware)
  }

  // MARK: - Commands

  /// Where one command fails, the ones after it are refused: nobody carries them out any more.
  private func handleCommands() throws(RecorderError) {
    var failure: RecorderError?
    for command in mailbox.drain() {
      if let failure {
        refuse(command, failure)
        continue
      }
      do throws(RecorderError) { try handle(command) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  private func refuse(_ command: VideoCommand, _ failure: RecorderError?) {
    if case .source(let key, .ended) = command { sources.ended(key) } else { command.refuse(failure) }
  }

  private func handle(_ command: VideoCommand) throws(RecorderError) {
    switch command {
    case .pause(let offsetMs, let reply):
      isPaused = true
      defer { reply.complete(nil) }
      refusePictures(Self.pausedError)
      try take?.cut(endMs: offsetMs)
      context.monitor.move(to: .paused)
    case .resume(let atMs, let reply):
      isPaused = false
      context.monitor.move(to: .active)
      // Every picture anew: it may have changed, and what was grabbed meanwhile is not to be seen.
      synchronizer.restart(atMs: atMs)
      force(dueMs: context.clock.nowMs + intervalMs, atMs: atMs)
      reply.complete(nil)
    case .stop(let offsetMs, let reply):
      isDone = true
      context.monitor.move(to: .stopping)
      do {
        try take?.finish(endMs: offsetMs)
        take = nil
        context.monitor.move(to: .stopped)
        reply.complete(nil)
      } catch {
        take = nil
        context.monitor.update { $0.fail(error) }
        reply.complete(error)
      }
    case .picture(let reply):
      guard !isPaused || !context.clock.isPaused else { return command.refuse(Self.pausedError) }
      pictures.append(reply)
      if !context.config.video.enabled { synchronizer.touch(atMs: context.clock.nowMs) }
    case .add(let config, let reply): add(config, reply)
    case .remove(let id, let reply): remove(id, reply)
    case .setLayout(let wanted, let reply):
      layout = wanted
      rearrange()
      reply.complete(nil)
    case .source(let key, let message): try handle(message, of: key)
    }
  }

  /// Sources, sizes or layout have changed: finds out who is shown where, and whose pictures are wanted for that.
  func rearrange() {
    let nowMs = context.clock.nowMs
    let all = sources.laidOut
    // The first that has ever given a picture.
    let list = layout.kind == .single ? Array(all.filter { $0.size != nil }.prefix(1)) : all
    let fresh = LayoutGeometry(
      layout, sources: list.map { .init($0.config.type, $0.size) }, maxWidth: context.config.video.maxWidth)
    let hasChanged = fresh != geometry || list.map(\.key) != laidOut.map(\.key)
    geometry = fresh
    laidOut = list
    for source in sources.all {
      source.status.isShown = list.contains { $0 === source }
      if source.status.isShown, source.status.state == .active {
        synchronizer.join(source.key, hasOwnClock: source.hasOwnClock, atMs: nowMs)
      } else {
        synchronizer.leave(source.key, atMs: nowMs)
      }
    }
    if hasChanged {
      mustArrange = true
      synchronizer.touch(atMs: nowMs)
      force(dueMs: nowMs + intervalMs, atMs: forced?.atMs)
    }
    publish()
  }

  /// Screenshots alone have no frame that could be late: theirs is made of what the sources give when they are asked.
  private func force(dueMs: Double, atMs: Double?) {
    if context.config.video.enabled { forced = (dueMs, atMs) }
  }

  /// Its tile turns black at once.
  func blacken(_ source: VideoSource) throws(RecorderError) {
    if mustArrange || isPaused || !context.config.video.enabled {
      mustArrange = true
    } else {
      try compose([source.key], atMs: context.clock.nowMs)
    }
  }

  /// Ends the take: there is nothing to show any more. The gap lasts until the next frame.
  func fail(_ error: RecorderError) {
    hasFailed = true
    mustArrange = true
    let offsetMs = context.clock.offsetMs
    try? take?.finish(endMs: offsetMs)
    take = nil
    refusePictures(error)
    pulse.setWaiting(sinceMs: nil)
    report(error)
  }

  private func recover() {
    hasFailed = false
    let toMs = take?.offsetMs ?? context.clock.offsetMs
    let kind = context.monitor.kind
    context.manifest.update { $0.closeGap(kind, toMs: toMs) }
    context.monitor.update { $0.recover(to: .active) }
    for source in sources.all {
      noteTrouble(source)
      if source.status.error != nil { openGap(source, fromMs: toMs) }
    }
  }

  func publish() {
    if let name = take?.encoderName { encoderName = name }
    let statuses = sources.all.filter { $0.adding == nil }.map(\.status)
    publishView(VideoView(layout: layout, sources: statuses, encoderName: encoderName))
  }
}
