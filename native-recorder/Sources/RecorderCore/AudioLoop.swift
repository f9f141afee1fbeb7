// Owns the sound thread: listens to the inputs, tells what becomes of them, and writes the mix. Sound that never comes is
// silence: the file keeps step with the clock, not with the sound server.

enum AudioCommand: Sendable {
  case stop(offsetMs: Double, Reply<RecorderError?>)
}

final class AudioLoop {
  /// How long the mix waits for samples that are on their way: less than the two seconds a crash may cost.
  static let patienceMs = 1_800.0
  /// While the recording ends there is less time to wait.
  static let stopPatienceMs = 500.0
  /// A sound server that says nothing for so long hangs: in health it answers several times a second.
  static let stallMs = 3_000.0
  static let retryMs = 1_000.0
  static let stepMs = 100.0

  private let context: VideoContext
  private let mailbox: Mailbox<AudioCommand>
  private let balance: @Sendable () -> Double
  private let segments: SegmentRecorder
  private let request: AudioRequest
  private var source: (any AudioSource)?
  private var graph: AudioGraph
  private var serverError: RecorderError?
  private var stallError: RecorderError?
  private var retryAtMs = 0.0
  private var stopping: (offsetMs: Double, reply: Reply<RecorderError?>)?

  init(
    _ context: VideoContext, source: any AudioSource, request: AudioRequest, mailbox: Mailbox<AudioCommand>,
    balance: @escaping @Sendable () -> Double
  ) {
    self.context = context
    self.mailbox = mailbox
    self.source = source
    self.request = request
    self.balance = balance
    graph = AudioGraph(request)
    segments = SegmentRecorder(context)
  }

  /// Hears which inputs there are, so that a missing one is known when the start is answered.
  func begin() {
    listen(untilMs: context.clock.nowMs)
  }

  /// Runs until stopped; throws `diskFull` or `ioError` when the sound cannot be written any more.
  func run() throws(RecorderError) {
    do {
      while true {
        for command in mailbox.drain() {
          if case .stop(let offsetMs, let reply) = command { stopping = (offsetMs, reply) }
        }
        listen(untilMs: context.clock.nowMs + Self.stepMs)
        watchServer()
        if try write() { break }
      }
      try segments.append(graph.finish())
      try segments.finishSegment()
      context.monitor.move(to: .stopped)
      stopping?.reply.complete(nil)
    } catch {
      try? segments.finishSegment()
      stopping?.reply.complete(error)
      source?.close()
      throw error
    }
    source?.close()
  }

  // MARK: - Listening

  /// One step of listening, or of waiting for a sound server that went away.
  private func listen(untilMs: Double) {
    let nowMs = context.clock.nowMs
    if source == nil, nowMs >= retryAtMs, stopping == nil { reconnect(nowMs) }
    guard let source else {
      mailbox.waker.wait(untilMs: untilMs)
      return
    }
    do throws(RecorderError) {
      try source.pump(untilMs: untilMs) { hear($0) }
    } catch {
      source.close()
      self.source = nil
      if stallError != nil { resume() }
      retryAtMs = nowMs + Self.retryMs
      for input in graph.nodes.keys { graph.nodes[input]?.breakOff() }
      serverError = error
      lose(sourceId: nil, error)
    }
  }

  private func reconnect(_ nowMs: Double) {
    retryAtMs = nowMs + Self.retryMs
    guard let fresh = try? context.platform.openAudio(request, waker: mailbox.waker) else { return }
    source = fresh
    serverError = nil
    recover(sourceId: nil)
  }

  private func hear(_ delivery: AudioDelivery) {
    switch delivery {
    case .samples(let input, let atMs, let samples):
      if graph.nodes[input]?.receive(samples, reportedMs: atMs, clock: context.clock) == true {
        context.events.post(.silence(.audio, input.rawValue, offsetMs: context.clock.offsetMs, Self.silenceWords))
      }
    case .opened(let input):
      let wasLost = graph.nodes[input]?.failure != nil
      graph.nodes[input]?.breakOff()
      graph.nodes[input]?.failure = nil
      if wasLost { recover(sourceId: input.rawValue) }
    case .lost(let input, let error):
      let isNews = graph.nodes[input]?.failure == nil
      graph.nodes[input]?.breakOff()
      graph.nodes[input]?.failure = error
      if isNews { lose(sourceId: input.rawValue, error) }
    }
  }

  private static let silenceWords =
    "The microphone has given nothing but exact zeros for 5 s; it may be muted, or the system withholds it."

  private static let deafWords = "The microphone has given no sound at all for 5 s; its device may be suspended."

  /// `sourceId` nil means the sound server with everything behind it.
  private func lose(sourceId: String?, _ error: RecorderError) {
    let offsetMs = context.clock.offsetMs
    context.manifest.update { $0.openGap(.audio, sourceId: sourceId, fromMs: offsetMs, reason: error.code.rawValue) }
    context.monitor.update { $0.errorCount += 1 }
    tellHealth()
    context.events.post(.sourceLost(.audio, sourceId ?? "audio", offsetMs: offsetMs, error.message))
  }

  private func recover(sourceId: String?) {
    let offsetMs = context.clock.offsetMs
    context.manifest.update { $0.closeGap(.audio, sourceId: sourceId, toMs: offsetMs) }
    tellHealth()
    context.events.post(.sourceRecovered(.audio, sourceId ?? "audio", offsetMs: offsetMs))
  }

  /// A server that hangs gives no sound and no error: without this it would look like silence.
  private func watchServer() {
    guard let source else { return }
    let silentMs = context.clock.nowMs - source.answeredAtMs
    if silentMs < Self.stallMs {
      if stallError != nil { resume() }
    } else if stallError == nil {
      let error = RecorderError(
        .timeout, "The sound server has not answered for \(Int(Self.stallMs / 1000)) s; what is heard now is lost.")
      stallError = error
      let offsetMs = context.clock.offsetMs
      let fromMs = context.clock.offsetMs(atMs: source.answeredAtMs)
      context.manifest.update { $0.openGap(.audio, fromMs: fromMs, reason: error.code.rawValue) }
      context.monitor.update { $0.errorCount += 1 }
      tellHealth()
      context.events.post(.stalled(.audio, offsetMs: offsetMs, error.message))
    }
  }

  private func resume() {
    stallError = nil
    let offsetMs = context.clock.offsetMs
    context.manifest.update { $0.closeGap(.audio, toMs: offsetMs) }
    tellHealth()
    context.events.post(.resumed(.audio, offsetMs: offsetMs))
  }

  private func tellHealth() {
    let failures = AudioInput.allCases.compactMap { graph.nodes[$0]?.failure }
    let error = stallError ?? serverError ?? failures.first
    context.monitor.update { status in
      guard status.state != .error else { return }
      status.health = error == nil ? .healthy : .degraded
      status.error = error
    }
  }

  // MARK: - Writing

  /// Writes what is due. Returns whether everything up to the stop is mixed.
  private func write() throws(RecorderError) -> Bool {
    let nowMs = context.clock.nowMs
    let count = frame(dueMs(nowMs)) - graph.mixedFrames
    if count > 0 {
      // At most a minute at once, so that a long hang does not ask for gigabytes.
      try segments.append(graph.render(frames: min(count, request.sampleRate * 60), balance: balance()))
    }
    if source != nil, stallError == nil, graph.nodes[.microphone]?.goesDeaf(nowMs: nowMs) == true {
      let offsetMs = context.clock.offsetMs
      context.events.post(.silence(.audio, AudioInput.microphone.rawValue, offsetMs: offsetMs, Self.deafWords))
    }
    let inputs = graph.status(nowMs: nowMs)
    context.monitor.update { status in
      status.inputs = inputs
      status.level = inputs.values.reduce(0) { max($0, $1.level) }
    }
    guard let stopping else { return false }
    return graph.mixedFrames >= frame(stopping.offsetMs)
  }

  /// Media time up to which the mix can be written: where every input has arrived, or has had its chance.
  private func dueMs(_ nowMs: Double) -> Double {
    let endMs = min(context.clock.offsetMs(atMs: nowMs), stopping?.offsetMs ?? .infinity)
    guard source != nil else { return endMs }
    let patienceMs = stopping == nil ? Self.patienceMs : Self.stopPatienceMs
    return graph.nodes.keys.reduce(endMs) { due, input in
      min(due, graph.nodes[input]?.readyMs(nowMs: nowMs, patienceMs: patienceMs, clock: context.clock) ?? due)
    }
  }

  private func frame(_ offsetMs: Double) -> Int {
    Int((offsetMs * Double(request.sampleRate) / 1000).rounded(.down))
  }
}
