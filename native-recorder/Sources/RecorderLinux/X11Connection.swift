// Owns connections to the X server. Xlib's habit of ending the process when the server goes away is turned off here.

import CX11
import Glibc
import RecorderCore
import Synchronization

enum XlibProcess {
  static let lastError = Atomic<Int>(0)

  private static let once: Void = {
    XInitThreads()
    // The default handlers print and exit; here an error is noted and found by whoever looks.
    _ = XSetErrorHandler { _, event in
      XlibProcess.lastError.store(Int(event?.pointee.error_code ?? 1), ordering: .relaxed)
      return 0
    }
    _ = XSetIOErrorHandler { _ in 0 }
  }()

  static func prepare() {
    _ = once
  }
}

/// One connection, used by one thread; only `interrupt` may come from another.
final class X11Connection {
  let display: OpaquePointer
  let descriptor: Int32
  private let broken = Broken()
  private let live: Live

  /// Set by Xlib when the connection breaks.
  private final class Broken: Sendable {
    let flag = Atomic<Bool>(false)
  }

  /// Keeps `interrupt` from touching a descriptor that has been closed and given to somebody else.
  private final class Live: Sendable {
    let descriptor: Mutex<Int32>
    init(_ value: Int32) { descriptor = Mutex(value) }
  }

  /// - Throws: `sourceNotFound` when no X server answers at $DISPLAY.
  init() throws(RecorderError) {
    XlibProcess.prepare()
    guard let opened = XOpenDisplay(nil) else {
      let name = getenv("DISPLAY").map { String(cString: $0) } ?? ""
      throw RecorderError(
        .sourceNotFound,
        name.isEmpty
          ? "There is no display to record: DISPLAY is not set." : "No display answers at DISPLAY=\(name).")
    }
    display = opened
    descriptor = ws_x_connection(opened)
    live = Live(descriptor)
    // Without this Xlib calls exit() after its I/O error handler returned (libX11 1.7 or newer).
    XSetIOErrorExitHandler(
      opened,
      { _, data in
        if let data { Unmanaged<Broken>.fromOpaque(data).takeUnretainedValue().flag.store(true, ordering: .relaxed) }
      }, Unmanaged.passUnretained(broken).toOpaque())
  }

  var isBroken: Bool { broken.flag.load(ordering: .relaxed) }

  func check() throws(RecorderError) {
    if isBroken { throw RecorderError(.sourceLost, "The display server has gone away.") }
  }

  /// Runs requests and returns the X error they caused, 0 for none.
  func errorOf(_ requests: () -> Void) -> Int {
    XSync(display, 0)
    XlibProcess.lastError.store(0, ordering: .relaxed)
    requests()
    XSync(display, 0)
    return XlibProcess.lastError.exchange(0, ordering: .relaxed)
  }

  /// Cuts the connection under a call that hangs; that call then fails.
  var interrupt: @Sendable () -> Void {
    { [live] in live.descriptor.withLock { if $0 >= 0 { _ = shutdown($0, Int32(SHUT_RDWR)) } } }
  }

  deinit {
    live.descriptor.withLock { $0 = -1 }
    XCloseDisplay(display)
  }
}
