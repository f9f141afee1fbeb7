// Owns connections to the X server. XCB, because it never ends the process, reports errors to the request that caused
// them, and lets many requests share one round trip.

import CX11
import Glibc
import Locks
import RecorderCore

/// One connection, used by one thread; only `interrupt` may come from another.
final class X11Connection {
  let raw: OpaquePointer
  let screen: UnsafePointer<xcb_screen_t>
  let descriptor: Int32
  let atoms: X11Atoms
  private let live: Live
  /// Read from the connection, not yet handed out: they came after the moment that `events(before:)` asked for.
  private var later: [X11Event] = []
  private let parser: X11EventParser

  var root: xcb_window_t { screen.pointee.root }
  /// Ids of one client's resources differ in these bits only.
  var resourceMask: UInt32 { xcb_get_setup(raw).pointee.resource_id_mask }

  /// Keeps `interrupt` from touching a descriptor that has been closed and given to somebody else.
  private final class Live: Sendable {
    let descriptor: Mutex<Int32>
    init(_ value: Int32) { descriptor = Mutex(value) }
  }

  /// - Throws: `sourceNotFound` when no X server answers at $DISPLAY.
  init() throws(RecorderError) {
    var number: Int32 = 0
    let opened = xcb_connect(nil, &number)
    guard let opened, xcb_connection_has_error(opened) == 0, let screen = ws_x_screen(opened, number) else {
      if let opened { xcb_disconnect(opened) }
      let name = getenv("DISPLAY").map { String(cString: $0) } ?? ""
      throw RecorderError(
        .sourceNotFound,
        name.isEmpty
          ? "There is no display to record: DISPLAY is not set." : "No display answers at DISPLAY=\(name).")
    }
    raw = opened
    self.screen = screen
    descriptor = xcb_get_file_descriptor(opened)
    live = Live(descriptor)
    atoms = X11Atoms(opened)
    parser = X11EventParser(opened)
  }

  var isBroken: Bool { xcb_connection_has_error(raw) != 0 }

  func check() throws(RecorderError) {
    if isBroken { throw RecorderError(.sourceLost, "The display server has gone away.") }
  }

  func has(_ which: ws_x_extension) -> Bool { ws_x_first_event(raw, Int32(which.rawValue)) >= 0 }

  /// Cuts the connection under a call that hangs; that call then fails.
  var interrupt: @Sendable () -> Void {
    { [live] in live.descriptor.withLock { if $0 >= 0 { _ = shutdown($0, Int32(SHUT_RDWR)) } } }
  }

  /// Everything that came so far, in the server's order.
  func events() -> [X11Event] {
    xcb_flush(raw)
    var found = later
    later = []
    while let event = xcb_poll_for_event(raw) { found.append(parser.take(event)) }
    return found
  }

  /// What has been read and not been handed out. XCB reads events together with the replies that it waits for.
  func waiting() -> [X11Event] {
    while let event = xcb_poll_for_queued_event(raw) { later.append(parser.take(event)) }
    return later
  }

  /// What happened before the request with this number was executed; its reply, or a later one, has been read.
  func events(before sequence: UInt32) -> [X11Event] {
    var found: [X11Event] = []
    _ = waiting()
    while let first = later.first, Int32(bitPattern: first.sequence &- sequence) < 0 {
      found.append(first)
      later.removeFirst()
    }
    return found
  }

  /// Waits for the server or the waker; true when the waker was raised. Call it when `events` has been emptied.
  func sleep(_ waker: EventFd, untilMs: Double) -> Bool {
    if waker.clear() { return true }
    xcb_flush(raw)
    // Of these the descriptor tells nothing any more.
    guard waiting().isEmpty else { return false }
    let leftMs = untilMs - monotonicMs()
    guard leftMs > 0 else { return false }
    var entries = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: waker.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    _ = poll(&entries, 2, pollTimeout(leftMs))
    return waker.clear()
  }

  /// Hands a reply to `body` and frees it; nil when the request failed.
  func read<Reply, Value>(
    _ reply: UnsafeMutablePointer<Reply>?, _ body: (UnsafeMutablePointer<Reply>) -> Value?
  ) -> Value? {
    guard let reply else { return nil }
    defer { free(reply) }
    return body(reply)
  }

  /// Whether a checked request that has no reply succeeded; waits for it.
  func succeeded(_ cookie: xcb_void_cookie_t) -> Bool {
    guard let error = xcb_request_check(raw, cookie) else { return !isBroken }
    free(error)
    return false
  }

  deinit {
    live.descriptor.withLock { $0 = -1 }
    xcb_disconnect(raw)
  }
}

/// Names that the server knows as numbers (EWMH 1.5, ICCCM 2.0).
struct X11Atoms {
  let utf8, clientList, name, pid, opacity, state, compositor: xcb_atom_t

  init(_ connection: OpaquePointer) {
    let names = [
      "UTF8_STRING", "_NET_CLIENT_LIST", "_NET_WM_NAME", "_NET_WM_PID", "_NET_WM_WINDOW_OPACITY", "WM_STATE",
      "_NET_WM_CM_S0",
    ]
    let cookies = names.map { xcb_intern_atom(connection, 0, UInt16($0.utf8.count), $0) }
    let atoms = cookies.map { cookie -> xcb_atom_t in
      guard let reply = xcb_intern_atom_reply(connection, cookie, nil) else { return 0 }
      defer { free(reply) }
      return reply.pointee.atom
    }
    (utf8, clientList, name, pid) = (atoms[0], atoms[1], atoms[2], atoms[3])
    (opacity, state, compositor) = (atoms[4], atoms[5], atoms[6])
  }
}

/// Asking and reading are two steps, so that many questions share one round trip.
extension X11Connection {
  func ask(_ window: xcb_window_t, _ property: xcb_atom_t) -> xcb_get_property_cookie_t {
    xcb_get_property(raw, 0, window, property, xcb_atom_t(XCB_GET_PROPERTY_TYPE_ANY.rawValue), 0, 1024)
  }

  /// Nil when the window is gone; empty when it has no such property.
  func bytes(_ cookie: xcb_get_property_cookie_t) -> [UInt8]? {
    read(xcb_get_property_reply(raw, cookie, nil)) { reply in
      let count = Int(max(0, xcb_get_property_value_length(reply)))
      guard count > 0, let value = xcb_get_property_value(reply) else { return [] }
      return [UInt8](UnsafeRawBufferPointer(start: value, count: count))
    }
  }

  func words(_ cookie: xcb_get_property_cookie_t) -> [UInt32] {
    guard let bytes = bytes(cookie) else { return [] }
    return bytes.withUnsafeBytes { raw in
      (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self) }
    }
  }

  /// Children, lowest first, and the parent; nil when the window is gone.
  func tree(_ cookie: xcb_query_tree_cookie_t) -> (parent: xcb_window_t, children: [xcb_window_t])? {
    read(xcb_query_tree_reply(raw, cookie, nil)) { reply in
      let count = Int(xcb_query_tree_children_length(reply))
      guard let children = xcb_query_tree_children(reply) else { return (reply.pointee.parent, []) }
      return (reply.pointee.parent, Array(UnsafeBufferPointer(start: children, count: count)))
    }
  }

  /// The chain from a window up to the child of the root that holds it; empty when the window is gone.
  func ancestry(of window: xcb_window_t) -> [xcb_window_t] {
    var chain: [xcb_window_t] = []
    var at = window
    // A tree deeper than this is a loop made of windows that were moved meanwhile.
    while chain.count < 64, let found = tree(xcb_query_tree(raw, at)) {
      chain.append(at)
      if found.parent == root || found.parent == 0 { return chain }
      at = found.parent
    }
    return []
  }
}

extension X11Connection {
  /// Agrees on the versions of what every X11 source needs.
  /// - Throws: `unsupported` when it is missing.
  func prepareCapture() throws(RecorderError) {
    guard has(WS_X_DAMAGE), has(WS_X_FIXES) else {
      throw RecorderError(.unsupported, "The display server does not report changes (DAMAGE and XFIXES are missing).")
    }
    let fixes = xcb_xfixes_query_version(raw, 5, 0)
    let damage = xcb_damage_query_version(raw, 1, 1)
    _ = read(xcb_xfixes_query_version_reply(raw, fixes, nil)) { _ in true }
    _ = read(xcb_damage_query_version_reply(raw, damage, nil)) { _ in true }
    try check()
  }

  /// What is selected on any window but the root: a client has one selection for each window, whoever asks.
  static let windowEvents = XCB_EVENT_MASK_STRUCTURE_NOTIFY.rawValue | XCB_EVENT_MASK_PROPERTY_CHANGE.rawValue

  func select(_ window: xcb_window_t, _ events: UInt32) {
    var mask = events
    xcb_change_window_attributes(raw, window, UInt32(XCB_CW_EVENT_MASK.rawValue), &mask)
  }
}
