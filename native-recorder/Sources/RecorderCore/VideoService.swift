// Owns the video service as the session sees it: asynchronous calls with limits, answered by the video thread.

import Synchronization

final class VideoService: Sendable {
  static let startLimitMs = 4_000.0
  static let callLimitMs = 3_000.0

  let monitor: ServiceMonitor
  private let context: VideoContext
  private let mailbox: Mailbox<VideoCommand>
  private let interrupt = Mutex<(@Sendable () -> Void)?>(nil)

  init(_ context: VideoContext) {
    self.context = context
    monitor = context.monitor
    mailbox = Mailbox(waker: context.platform.makeSignal())
  }

  /// Of the newest take.
  var encoderName: String? { context.manifest.current.takes.last?.encoder }

  /// Nil when frames are being recorded.
  func start() async -> RecorderError? {
    monitor.move(to: .initializing)
    let reply = Reply<RecorderError?>()
    context.platform.spawnThread("ws-video") { [self] in run(reply) }
    let late = RecorderError(.timeout, "The display server does not answer.")
    let error = await reply.value(withinMs: Self.startLimitMs, or: late)
    if let error { monitor.update { $0.fail(error) } } else { monitor.move(to: .active) }
    return error
  }

  func pause(offsetMs: Double) async {
    _ = await call { .pause(offsetMs: offsetMs, $0) }
  }

  func resume() async {
    _ = await call { .resume($0) }
  }

  /// Ends the take. When the thread hangs in the display server, its connection is cut and the take finished then.
  func stop(offsetMs: Double) async {
    let reply = Reply<RecorderError?>()
    guard mailbox.post(.stop(offsetMs: offsetMs, reply)) else { return }
    let late = RecorderError(.timeout, "The video did not end in time.")
    let timer = Task { [self] in
      try? await Task.sleep(for: .milliseconds(Self.callLimitMs))
      if !Task.isCancelled { interrupt.withLock { $0 }?() }
    }
    let error = await reply.value(withinMs: 2 * Self.callLimitMs, or: late)
    timer.cancel()
    if let error { monitor.update { if $0.error == nil { $0.fail(error) } } }
  }

  func picture() async -> Result<CapturedPicture, RecorderError> {
    let reply = Reply<Result<CapturedPicture, RecorderError>>()
    guard mailbox.post(.picture(reply)) else {
      return .failure(monitor.current.error ?? RecorderError(.sourceLost, "The display is not being captured."))
    }
    let late = RecorderError(.timeout, "The display server does not answer.")
    return await reply.value(withinMs: Self.callLimitMs, or: .failure(late))
  }

  private func call(_ command: (Reply<RecorderError?>) -> VideoCommand) async -> RecorderError? {
    let reply = Reply<RecorderError?>()
    guard mailbox.post(command(reply)) else { return monitor.current.error }
    return await reply.value(
      withinMs: Self.callLimitMs, or: RecorderError(.timeout, "The display server does not answer."))
  }

  /// The thread's whole life: open, record, answer until stopped.
  private func run(_ started: Reply<RecorderError?>) {
    do throws(RecorderError) {
      let wanted = context.config.video.sources.first
      let source = try context.platform.openDisplay(
        DisplayRequest(
          sourceId: wanted?.id ?? "display", targetId: wanted?.targetId,
          showCursor: context.config.video.showCursor, fps: context.config.video.fps),
        waker: mailbox.waker)
      defer { source.close() }
      interrupt.withLock { $0 = source.interrupt }
      defer { interrupt.withLock { $0 = nil } }
      let loop = VideoLoop(context, source: source, mailbox: mailbox)
      try loop.begin()
      // A start that was given up must not record behind the caller's back.
      guard started.complete(nil) else {
        answer(mailbox.close(), RecorderError(.timeout, "The display server answered too late."))
        return
      }
      try loop.run()
      answer(mailbox.close(), nil)
    } catch {
      let failure = error
      if !started.complete(failure) { report(failure) }
      answer(mailbox.close(), failure)
    }
  }

  private func report(_ error: RecorderError) {
    let offsetMs = context.clock.offsetMs
    monitor.update { $0.fail(error) }
    let kind = monitor.kind
    context.manifest.update { manifest in
      let keptMs = manifest.takes.last.map { $0.offsetMs + $0.durationMs } ?? 0
      manifest.openGap(kind, fromMs: min(keptMs, offsetMs), reason: error.code.rawValue)
    }
    if error.code == .sourceLost {
      let id = context.config.video.sources.first?.id ?? "display"
      context.events.post(.sourceLost(kind, id, offsetMs: offsetMs, error.message))
    }
    context.events.post(.serviceFailed(kind, offsetMs: offsetMs, error))
  }

  private func answer(_ commands: [VideoCommand], _ error: RecorderError?) {
    for command in commands {
      switch command {
      case .pause(_, let reply), .resume(let reply), .stop(_, let reply): reply.complete(error)
      case .picture(let reply):
        reply.complete(.failure(error ?? RecorderError(.invalidState, "The recording has ended.")))
      }
    }
  }
}
