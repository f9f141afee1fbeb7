// Owns how an X11 source sleeps: until the server reports a change, the pointer has moved, or somebody wakes it.

import RecorderCore

final class X11Watch {
  /// Something waits to be captured.
  private(set) var hasNews = true
  private var hasTold = false
  private let link: X11Connection
  private let waker: EventFd
  private let fps: Double
  private var pointerDueMs = 0.0
  private var lastChangeMs = 0.0
  /// How often events are read while a change waits and nobody captures (a pause); .infinity when few can come.
  private let readIntervalMs: Double

  init(_ link: X11Connection, waker: EventFd, fps: Double, readIntervalMs: Double) {
    self.link = link
    self.waker = waker
    self.fps = fps
    self.readIntervalMs = readIntervalMs
  }

  func noteNews() {
    if !hasNews { hasTold = false }
    hasNews = true
  }

  /// `more`: something is left for the next capture.
  func noteCapture(atMs: Double, changed: Bool, more: Bool) {
    hasNews = more
    hasTold = false
    if changed { lastChangeMs = atMs }
  }

  func lookAtPointerNow() { pointerDueMs = 0 }

  /// `read` takes in the server's events; `hasPointerMoved` asks the server, nil when the pointer is not recorded.
  func wait(
    untilMs: Double, read: () throws(RecorderError) -> Void, hasPointerMoved: (() -> Bool)?
  ) throws(RecorderError) -> SourceActivity {
    while true {
      try read()
      try link.check()
      let nowMs = monotonicMs()
      if hasNews {
        if !hasTold {
          hasTold = true
          return .changed
        }
        let isWoken = waker.wait(untilMs: min(untilMs, nowMs + readIntervalMs))
        if isWoken || monotonicMs() >= untilMs { return .changed }
      } else if let hasPointerMoved, nowMs >= pointerDueMs {
        // The pointer causes no damage: it is asked for at the frame rate while something moves, 5 times a second else.
        pointerDueMs = nowMs + (nowMs - lastChangeMs < 2_000 ? 1000 / fps : 200)
        if hasPointerMoved() {
          lastChangeMs = nowMs
          noteNews()
        }
      } else {
        if nowMs >= untilMs { return .nothing }
        if link.sleep(waker, untilMs: hasPointerMoved == nil ? untilMs : min(untilMs, pointerDueMs)) { return .nothing }
      }
    }
  }
}
