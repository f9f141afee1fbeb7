// Owns asking the X server a question outside of a recording. XCB waits for ever for a server that hangs, already when it
// connects, and nothing can wake it; so a thread that may be lost does it.

import Locks
import RecorderCore

enum X11Inquiry {
  static let limitMs = 2_000.0
  /// Raised while nobody asks. A thread that hangs keeps it, so that further questions start no further threads.
  private static let turn: EventFd = {
    let turn = EventFd()
    turn.raise()
    return turn
  }()

  private final class Inquiry<Answer: Sendable>: Sendable {
    let answer = Mutex<Result<Answer, RecorderError>?>(nil)
    let done = EventFd()
  }

  /// - Throws: `sourceNotFound` when no X server answers at $DISPLAY, `timeout` when it hangs.
  static func ask<Answer: Sendable>(
    _ question: @escaping @Sendable (X11Connection) -> Answer
  ) throws(RecorderError) -> Answer {
    let untilMs = monotonicMs() + limitMs
    let inquiry = Inquiry<Answer>()
    if turn.wait(untilMs: untilMs) {
      spawn("ws-inquiry") {
        let answer = Result { () throws(RecorderError) in question(try X11Connection()) }
        inquiry.answer.withLock { $0 = answer }
        inquiry.done.raise()
        turn.raise()
      }
      inquiry.done.wait(untilMs: untilMs)
    }
    guard let answer = inquiry.answer.withLock({ $0 }) else {
      throw RecorderError(.timeout, "The display server does not answer.")
    }
    return try answer.get()
  }
}
