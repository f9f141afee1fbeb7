// Owns the sound thread: places what the inputs give in media time, mixes what is complete, writes it. Sound that never
// comes is silence: the file keeps step with the clock, not with the sound server.

enum AudioCommand: Sendable {
  case stop(offsetMs: Double, Reply<RecorderError?>)
}

final class AudioLoop {
  /// How long the mix waits for samples that are on their way: less than the two seconds a crash may cost.
  static let patienceMs = 1_800.0
  /// For an input's very first samples: a sink that has been idle gives them only after two seconds.
  static let firstPatienceMs = 2_500.0
  /// While the recording ends there is less time to wait.
  static let stopPatienceMs = 500.0
  /// An input that gave nothing for that long is not waited for until it gives something again.
  static let dormantMs = 300.0
  static let retryMs = 1_000.0
  static let stepMs = 100.0

  private let context: VideoContext
  private let mailbox: Mailbox<AudioCommand>
  private let balance: @Sendable () -> Double
  private let segments: SegmentRecorder
  private let request: AudioRequest
  private var source: (any AudioSource)?
  private var timelines: [AudioInput: AudioTimeline] = [:]
  private var known: Set<AudioInput> = []
  /// Media time up to which each input has given its sound.
  private var arrivedMs: [AudioInput: Double] = [:]
  private var dormant: Set<AudioInput> = []
  private var retryAtMs = 0.0
  private var levels: [(atMs: Double, peak: Double)] = []
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
    segments = SegmentRecorder(context)
    noteFailures(source)
  }

  /// Runs until stopped; throws `diskFull` or `ioError` when the sound cannot be written any more.
  func run() throws(RecorderError) {
    do {
      while true {
        for command in mailbox.drain() {
          if case .stop(let offsetMs, let reply) = command { stopping = (offsetMs, reply) }
        }
        listen()
        if try write() { break }
      }
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

  /// One step of listening, or of waiting for a sound server that went away.
  private func listen() {
    let nowMs = context.clock.nowMs
    guard let source else {
      if nowMs >= retryAtMs, stopping == nil { reconnect(nowMs) }
      if self.source == nil { mailbox.waker.wait(untilMs: nowMs + Self.stepMs) }
      return
    }
    do throws(RecorderError) {
      try source.pump(untilMs: nowMs + Self.stepMs) { input, atMs, samples in place(input, atMs, samples) }
      noteFailures(source)
    } catch {
      source.close()
      self.source = nil
      for input in timelines.keys { timelines[input]?.breakOff() }
      let offsetMs = context.clock.offsetMs
      context.manifest.update { $0.openGap(.audio, fromMs: offsetMs, reason: error.code.rawValue) }
      retryAtMs = nowMs + Self.retryMs
      context.monitor.update { status in
        status.health = .degraded
        status.error = error
        status.errorCount += 1
      }
      context.events.post(.sourceLost(.audio, "audio", offsetMs: offsetMs, error.message))
    }
  }

  private func reconnect(_ nowMs: Double) {
    retryAtMs = nowMs + Self.retryMs
    guard let fresh = try? context.platform.openAudio(request, waker: mailbox.waker) else { return }
    source = fresh
    context.monitor.update { status in
      status.health = .healthy
      status.error = nil
    }
    noteFailures(fresh)
    let offsetMs = context.clock.offsetMs
    context.manifest.update { $0.closeGap(.audio, toMs: offsetMs) }
    context.events.post(.sourceRecovered(.audio, "audio", offsetMs: offsetMs))
  }

  /// An input that could not be opened leaves the others recording, and is said once.
  private func noteFailures(_ source: any AudioSource) {
    for (input, error) in source.failures where known.insert(input).inserted {
      context.monitor.update { status in
        status.health = .degraded
        status.error = error
        status.errorCount += 1
      }
      context.events.post(.sourceLost(.audio, input.rawValue, offsetMs: context.clock.offsetMs, error.message))
    }
  }

  private func place(_ input: AudioInput, _ atMs: Double, _ samples: UnsafeBufferPointer<Float>) {
    let rate = Double(request.sampleRate)
    let frames = samples.count / 2
    let endMs = atMs + Double(frames) * 1000 / rate
    let spans = context.clock.spans(fromMs: atMs, toMs: endMs)
    var timeline = timelines[input] ?? AudioTimeline(sampleRate: request.sampleRate)
    // The timeline of an input that joins late begins where the file is.
    if timelines[input] == nil { _ = timeline.take(frames: segments.writtenFrames) }
    for span in spans {
      let from = min(frames, max(0, Int(((span.fromMs - atMs) * rate / 1000).rounded())))
      let to = min(frames, Int(((span.toMs - atMs) * rate / 1000).rounded()))
      guard from < to else { continue }
      if from > 0 { timeline.breakOff() }
      timeline.place(UnsafeBufferPointer(rebasing: samples[(from * 2)..<(to * 2)]), offsetMs: span.offsetMs)
    }
    if let last = spans.last {
      arrivedMs[input] = max(arrivedMs[input] ?? 0, last.offsetMs + last.toMs - last.fromMs)
      dormant.remove(input)
    }
    if spans.isEmpty || (spans.last?.toMs ?? endMs) < endMs { timeline.breakOff() }
    timelines[input] = timeline
  }

  /// Writes what is due. Returns whether everything up to the stop is written.
  private func write() throws(RecorderError) -> Bool {
    let nowMs = context.clock.nowMs
    let dueMs = dueMs(nowMs)
    let dueFrame = Int((dueMs * Double(request.sampleRate) / 1000).rounded(.down))
    let count = dueFrame - segments.writtenFrames
    if count > 0 {
      // At most a minute at once, so that a long hang does not ask for gigabytes.
      let frames = min(count, request.sampleRate * 60)
      let silence = timelines.isEmpty ? [Int16](repeating: 0, count: frames * 2) : nil
      let voice = timelines[.microphone]?.take(frames: frames)
      let sound = timelines[.systemAudio]?.take(frames: frames)
      let mixed = silence ?? AudioMixer.mix(voice, sound, balance: balance())
      measure(mixed, nowMs)
      try segments.append(mixed)
    }
    guard let stopping else { return false }
    return segments.writtenFrames >= Int((stopping.offsetMs * Double(request.sampleRate) / 1000).rounded(.down))
  }

  /// Media time up to which the mix can be written: where every input has arrived, or has had its chance.
  private func dueMs(_ nowMs: Double) -> Double {
    let endMs = min(context.clock.offsetMs(atMs: nowMs), stopping?.offsetMs ?? .infinity)
    var dueMs = endMs
    for input in source?.inputs ?? [] {
      let arrived = arrivedMs[input] ?? 0
      let usualMs = arrivedMs[input] == nil ? Self.firstPatienceMs : Self.patienceMs
      let patienceMs = stopping == nil ? usualMs : Self.stopPatienceMs
      // Monotonic, not media time: patience also ends while paused.
      let chanceMs = context.clock.offsetMs(atMs: nowMs - patienceMs)
      if arrived < chanceMs { dormant.insert(input) }
      let waited = dormant.contains(input) ? context.clock.offsetMs(atMs: nowMs - Self.dormantMs) : chanceMs
      dueMs = min(dueMs, max(arrived, waited))
    }
    return dueMs
  }

  private func measure(_ samples: [Int16], _ nowMs: Double) {
    let peak = samples.reduce(0) { max($0, Double($1.magnitude)) } / 32768
    levels.append((nowMs, peak))
    levels.removeAll { $0.atMs < nowMs - 1000 }
    let level = levels.reduce(0) { max($0, $1.peak) }
    context.monitor.update { $0.level = (level * 10_000).rounded() / 10_000 }
  }
}
