// Owns how the video thread deals with its sources: adding, removing, losing, getting back; and how it tells of them.

extension VideoLoop {
  /// With a reply the source is added while recording: it counts when it has opened, and leaves no trace when it has not.
  func add(_ config: SourceConfig, _ reply: Reply<RecorderError?>? = nil) {
    if let reply, let refusal = refusal(of: config) {
      reply.complete(refusal)
      return
    }
    sources.add(config, context: context, adding: reply) { [mailbox, pulse] key, message in
      // Noted here, because the video thread may be the one that hangs.
      if case .changed(let atMs) = message { pulse.want(atMs: atMs) }
      _ = mailbox.post(.source(key, message))
    }
    publish()
  }

  private func refusal(of config: SourceConfig) -> RecorderError? {
    if sources.all.contains(where: { $0.config.id == config.id }) {
      return RecorderError(.invalidConfig, "There is a source with the id “\(config.id)” already; choose another id.")
    }
    guard sources.all.count >= VideoSources.most else { return nil }
    return RecorderError(
      .invalidState, "\(VideoSources.most) sources are recorded already, which is the most; remove one first.")
  }

  func remove(_ id: String, _ reply: Reply<RecorderError?>) {
    guard let source = sources.all.first(where: { $0.config.id == id && $0.adding == nil }) else {
      reply.complete(RecorderError(.sourceNotFound, "No source with the id “\(id)” is being recorded."))
      return
    }
    guard sources.all.contains(where: { $0 !== source && $0.adding == nil }) else {
      reply.complete(
        RecorderError(.invalidState, "This is the only source; add another one first, or stop the recording."))
      return
    }
    let wasLive = source.status.state == .active
    context.monitor.update { $0.note("source " + id, nil) }
    closeGap(source)
    drop(source)
    rearrange()
    if wasLive, !sources.areLive {
      fail(RecorderError(.sourceLost, "None of the sources that are left gives a picture."))
    }
    reply.complete(nil)
  }

  private func drop(_ source: VideoSource) {
    synchronizer.leave(source.key, atMs: context.clock.nowMs)
    sources.remove(source)
  }

  func handle(_ message: SourceMessage, of key: Int) throws(RecorderError) {
    if case .ended = message { sources.ended(key) }
    // A source that was removed may still say something.
    guard let source = sources[key] else { return }
    switch message {
    case .opened(let size, let hasOwnClock): opened(source, size, hasOwnClock: hasOwnClock)
    case .changed(let atMs): synchronizer.changed(key, atMs: atMs)
    case .captured(let handed):
      let nowMs = context.clock.nowMs
      source.take(handed.frame, atMs: nowMs)
      let presentationMs = handed.frame.presentationMs
      // What was grabbed during a pause is grabbed again before it is shown.
      let isShowable = synchronizer.arrived(key, presentationMs: presentationMs, atMs: nowMs)
      if !isShowable || isPaused || context.clock.isPaused { source.picture = nil }
    case .lost(let error, let isFinal): try lost(source, error, isFinal: isFinal)
    case .ended: break
    }
  }

  private func opened(_ source: VideoSource, _ size: PictureSize, hasOwnClock: Bool) {
    if let reply = source.adding {
      source.adding = nil
      // An addition that was given up must not record behind the caller's back.
      guard reply.complete(nil) else {
        drop(source)
        return
      }
    }
    let isBack = hasBegun && source.status.error != nil
    source.size = size
    source.hasOwnClock = hasOwnClock
    source.damage = nil
    source.status.state = .active
    source.status.error = nil
    source.status.width = size.width
    source.status.height = size.height
    guard hasBegun else { return }
    if isBack {
      context.events.post(
        .sourceRecovered(context.monitor.kind, source.config.id, offsetMs: context.clock.offsetMs))
      noteTrouble(source)
      closeGap(source)
    }
    rearrange()
  }

  private func lost(_ source: VideoSource, _ error: RecorderError, isFinal: Bool) throws(RecorderError) {
    if let reply = source.adding {
      reply.complete(error)
      drop(source)
      return
    }
    let wasLive = source.status.state == .active
    source.lose(error, isFinal: isFinal)
    synchronizer.leave(source.key, atMs: context.clock.nowMs)
    guard hasBegun else { return }
    if wasLive { tellMissing(source, sinceMs: context.clock.offsetMs) }
    rearrange()
    guard wasLive else { return }
    if sources.areLive { try blacken(source) } else { fail(error) }
  }

  /// It has given no picture since media time `sinceMs`.
  func tellMissing(_ source: VideoSource, sinceMs: Double) {
    if source.status.error == nil {
      source.status.error = RecorderError(.timeout, "It does not answer; it joins in when it does.")
    }
    noteTrouble(source)
    // Without any source it is the whole service that records nothing.
    if sources.areLive { openGap(source, fromMs: sinceMs) }
    context.events.post(
      .sourceLost(
        context.monitor.kind, source.config.id, offsetMs: context.clock.offsetMs, source.status.error?.message ?? ""))
  }

  func noteTrouble(_ source: VideoSource) {
    let error = source.status.error?.about("Source “\(source.config.id)”")
    context.monitor.update { $0.note("source " + source.config.id, error) }
  }

  func openGap(_ source: VideoSource, fromMs: Double) {
    let kind = context.monitor.kind
    let reason = (source.status.error?.code ?? .sourceLost).rawValue
    context.manifest.update { $0.openGap(kind, sourceId: source.config.id, fromMs: fromMs, reason: reason) }
  }

  private func closeGap(_ source: VideoSource) {
    let kind = context.monitor.kind
    let offsetMs = context.clock.offsetMs
    context.manifest.update { $0.closeGap(kind, sourceId: source.config.id, toMs: offsetMs) }
  }

  /// The service records nothing from here on.
  func report(_ error: RecorderError) {
    let offsetMs = context.clock.offsetMs
    let kind = context.monitor.kind
    context.monitor.update { $0.fail(error) }
    context.manifest.update { manifest in
      // Screenshots are of moments: they have no end up to which they reach.
      let keptMs = kind == .video ? manifest.takes.last.map { $0.offsetMs + $0.durationMs } ?? 0 : offsetMs
      manifest.openGap(kind, fromMs: min(keptMs, offsetMs), reason: error.code.rawValue)
    }
    context.events.post(.serviceFailed(kind, offsetMs: offsetMs, error))
  }
}
