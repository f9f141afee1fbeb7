// Owns the sound service as the session sees it.

import Locks

final class AudioService: Sendable {
  static let startLimitMs = 4_000.0
  static let stopLimitMs = 6_000.0

  let monitor: ServiceMonitor
  private let context: VideoContext
  private let mailbox: Mailbox<AudioCommand>
  private let balance: Mutex<Double>

  init(_ context: VideoContext) {
    self.context = context
    monitor = context.monitor
    mailbox = Mailbox(waker: context.platform.makeSignal())
    balance = Mutex(context.config.audio.balance)
  }

  func setBalance(_ value: Double) {
    balance.withLock { $0 = value }
  }

  /// Nil when sound is being recorded.
  func start() async -> RecorderError? {
    monitor.move(to: .initializing)
    let reply = Reply<RecorderError?>()
    context.platform.spawnThread("ws-audio") { [self] in run(reply) }
    let late = RecorderError(.timeout, "The sound server does not answer.")
    let error = await reply.value(withinMs: Self.startLimitMs, or: late)
    if let error { monitor.update { $0.fail(error) } } else { monitor.move(to: .active) }
    return error
  }

  func stop(offsetMs: Double) async {
    let reply = Reply<RecorderError?>()
    guard mailbox.post(.stop(offsetMs: offsetMs, reply)) else { return }
    monitor.move(to: .stopping)
    let late = RecorderError(.timeout, "The sound did not end in time.")
    if let error = await reply.value(withinMs: Self.stopLimitMs, or: late) { monitor.update { $0.fail(error) } }
  }

  private func run(_ started: Reply<RecorderError?>) {
    let wanted = context.config.audio
    let request = AudioRequest(
      microphone: wanted.microphone, systemAudio: wanted.systemAudio, sampleRate: wanted.sampleRate)
    do throws(RecorderError) {
      let source = try context.platform.openAudio(request, waker: mailbox.waker)
      let loop = AudioLoop(
        context, source: source, request: request, mailbox: mailbox,
        balance: { [self] in balance.withLock { $0 } })
      loop.begin()
      guard started.complete(nil) else {
        source.close()
        answer(mailbox.close(), nil)
        return
      }
      try loop.run()
      answer(mailbox.close(), nil)
    } catch {
      let failure = error
      if !started.complete(failure) {
        let offsetMs = context.clock.offsetMs
        monitor.update { $0.fail(failure) }
        context.manifest.update { manifest in
          let keptMs = manifest.segments.last.map { $0.offsetMs + $0.durationMs } ?? 0
          manifest.openGap(.audio, fromMs: min(keptMs, offsetMs), reason: failure.code.rawValue)
        }
        context.events.post(.serviceFailed(.audio, offsetMs: offsetMs, failure))
      }
      answer(mailbox.close(), failure)
    }
  }

  private func answer(_ commands: [AudioCommand], _ error: RecorderError?) {
    for case .stop(_, let reply) in commands { reply.complete(error) }
  }
}
