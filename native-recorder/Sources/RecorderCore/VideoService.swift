// Owns the video service as the session sees it: asynchronous calls with limits, answered by the video thread.

import Locks

final class VideoService: Sendable {
  static let startLimitMs = 4_500.0
  static let callLimitMs = 3_000.0

  let monitor: ServiceMonitor
  let pulse = ServicePulse()
  private let context: VideoContext
  private let mailbox: Mailbox<VideoCommand>
  private let shownView = Mutex(VideoView())

  init(_ context: VideoContext) {
    self.context = context
    monitor = context.monitor
    mailbox = Mailbox(waker: context.platform.makeSignal())
  }

  var view: VideoView { shownView.withLock { $0 } }

  /// Nil when frames are being recorded.
  func start() async -> RecorderError? {
    monitor.move(to: .initializing)
    let reply = Reply<RecorderError?>()
    context.platform.spawnThread("ws-video") { [self] in run(reply) }
    let late = RecorderError(.timeout, "The display server does not answer.")
    let error = await reply.value(withinMs: Self.startLimitMs, or: late)
    if let error { monitor.update { $0.fail(error) } }
    return error
  }

  func pause(offsetMs: Double) async {
    _ = await call { .pause(offsetMs: offsetMs, $0) }
  }

  func resume(atMs: Double) async {
    _ = await call { .resume(atMs: atMs, $0) }
  }

  /// Nil when the source is being recorded.
  func add(_ source: SourceConfig) async -> RecorderError? { await call { .add(source, $0) } }
  func remove(id: String) async -> RecorderError? { await call { .remove(id: id, $0) } }
  func setLayout(_ layout: LayoutConfig) async -> RecorderError? { await call { .setLayout(layout, $0) } }

  /// Ends the take.
  func stop(offsetMs: Double) async {
    let reply = Reply<RecorderError?>()
    guard mailbox.post(.stop(offsetMs: offsetMs, reply)) else { return }
    let late = RecorderError(.timeout, "The video did not end in time; the encoder or the disk hangs.")
    let error = await reply.value(withinMs: 2 * Self.callLimitMs, or: late)
    if let error { monitor.update { if $0.state != .error { $0.fail(error) } } }
  }

  func picture() async -> Result<CapturedPicture, RecorderError> {
    let reply = Reply<Result<CapturedPicture, RecorderError>>()
    guard mailbox.post(.picture(reply)) else {
      return .failure(monitor.current.error ?? RecorderError(.sourceLost, "The display is not being captured."))
    }
    pulse.want(atMs: context.clock.nowMs)
    let late = RecorderError(.timeout, "The display server does not answer.")
    return await reply.value(withinMs: Self.callLimitMs, or: .failure(late))
  }

  private func call(_ command: (Reply<RecorderError?>) -> VideoCommand) async -> RecorderError? {
    let reply = Reply<RecorderError?>()
    guard mailbox.post(command(reply)) else {
      return monitor.current.error ?? RecorderError(.invalidState, "The video has ended.")
    }
    pulse.want(atMs: context.clock.nowMs)
    return await reply.value(
      withinMs: Self.callLimitMs, or: RecorderError(.timeout, "The video does not answer; something in it hangs."))
  }

  /// The thread's whole life: open, record, answer until stopped.
  private func run(_ started: Reply<RecorderError?>) {
    let loop = VideoLoop(context, mailbox: mailbox, pulse: pulse) { [self] view in shownView.withLock { $0 = view } }
    var failure: RecorderError?
    do throws(RecorderError) {
      try loop.begin()
      monitor.move(to: .active)
      // A start that was given up must not record behind the caller's back.
      if started.complete(nil) {
        try loop.run()
      } else {
        failure = RecorderError(.timeout, "The display server answered too late.")
      }
    } catch {
      failure = error
      // A start that failed is told by who called it, also where that was given up before.
      if !started.complete(error), loop.hasBegun { loop.fail(error) }
    }
    pulse.close()
    loop.end(failure)
    for command in mailbox.close() { command.refuse(failure) }
  }
}
