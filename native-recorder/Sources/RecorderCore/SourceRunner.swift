// Owns a source's thread: opens the source, sleeps until it changes, captures when asked, opens it again when it was lost.
// A source that hangs holds up this thread and no other.

import Locks

/// What a source's thread tells the video thread.
enum SourceMessage: Sendable {
  case opened(PictureSize, hasOwnClock: Bool)
  case changed(atMs: Double)
  case captured(HandedFrame)
  /// Said once for each loss; `isFinal` when it will not come back.
  case lost(RecorderError, isFinal: Bool)
  case ended
}

/// A frame on its way from its source to the compositor. Its picture belongs to one thread at a time: to the source
/// between a request and the answer, to the video thread between the answer and the next request or `letGo`. So pixels
/// need neither locks nor copies.
struct HandedFrame: @unchecked Sendable {
  let frame: SourcedFrame
}

final class SourceRunner: Sendable {
  static let retryMs = 1_000.0

  private enum Order: Sendable { case capture, letGo, close }

  private let request: SourceRequest
  private let context: VideoContext
  private let mailbox: Mailbox<Order>
  private let tell: @Sendable (SourceMessage) -> Void
  private let interruption = Mutex<(@Sendable () -> Void)?>(nil)

  init(_ source: SourceConfig, context: VideoContext, tell: @escaping @Sendable (SourceMessage) -> Void) {
    let video = context.config.video
    request = SourceRequest(
      sourceId: source.id, kind: source.type, targetId: source.targetId, showCursor: video.showCursor, fps: video.fps,
      exclusions: video.exclusions)
    self.context = context
    self.tell = tell
    mailbox = Mailbox(waker: context.platform.makeSignal())
  }

  func start() {
    context.platform.spawnThread("ws-source") { [self] in
      run()
      _ = mailbox.close()
      tell(.ended)
    }
  }

  /// Answered by `captured` or `lost`.
  func capture() { _ = mailbox.post(.capture) }

  /// The lost source's picture is not looked at any more.
  func letGo() { _ = mailbox.post(.letGo) }

  func close() { _ = mailbox.post(.close) }

  /// Makes a call that hangs inside the source fail.
  func interrupt() { interruption.withLock { $0 }?() }

  private func run() {
    var wasTold = false
    while true {
      do throws(RecorderError) {
        let source = try open()
        wasTold = false
        interruption.withLock { $0 = source.interrupt }
        defer { interruption.withLock { $0 = nil } }
        tell(.opened(source.pictureSize, hasOwnClock: source.hasOwnClock))
        if serve(source) == .closed { return }
      } catch {
        // A window that was closed does not come back under its id.
        let isFinal = request.kind == .window && error.code == .sourceNotFound
        if !wasTold || isFinal { tell(.lost(error, isFinal: isFinal)) }
        wasTold = true
        if isFinal { return }
      }
      if waitToRetry() == .closed { return }
    }
  }

  private enum End { case closed, lost }

  private func open() throws(RecorderError) -> any RecordingSource {
    guard request.kind == .testPattern else {
      return try context.platform.openSource(request, waker: mailbox.waker)
    }
    return try TestPatternSource(request, clock: context.clock, waker: mailbox.waker)
  }

  private func serve(_ source: any RecordingSource) -> End {
    // A change is told once, until it has been captured.
    var hasTold = false
    do throws(RecorderError) {
      while true {
        for order in mailbox.drain() {
          switch order {
          case .capture:
            hasTold = false
            tell(.captured(HandedFrame(frame: try source.capture())))
          case .close:
            source.close()
            return .closed
          case .letGo: break
          }
        }
        // A minute is as good as for ever, and every platform can count to it.
        let activity = try source.wait(untilMs: context.clock.nowMs + 60_000)
        if activity == .changed, !hasTold {
          hasTold = true
          tell(.changed(atMs: context.clock.nowMs))
        }
      }
    } catch {
      tell(.lost(error, isFinal: false))
    }
    // Its picture may just be in use.
    let end = waitForRelease()
    source.close()
    return end
  }

  private func waitForRelease() -> End {
    while true {
      for order in mailbox.drain() {
        switch order {
        case .letGo: return .lost
        case .close: return .closed
        case .capture: break
        }
      }
      mailbox.waker.wait(untilMs: context.clock.nowMs + 60_000)
    }
  }

  private func waitToRetry() -> End {
    let untilMs = context.clock.nowMs + Self.retryMs
    while context.clock.nowMs < untilMs {
      if mailbox.drain().contains(.close) { return .closed }
      mailbox.waker.wait(untilMs: untilMs)
    }
    return .lost
  }
}
