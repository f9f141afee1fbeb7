// Owns capturing one display: what XDamage reports as changed is copied through shared memory into one lasting picture,
// with the pointer drawn on top.

import CX11
import Glibc
import RecorderCore

final class X11DisplaySource: RecordingSource {
  let id: String
  private(set) var pictureSize: PictureSize
  var interrupt: @Sendable () -> Void { connection.interrupt }

  private let request: SourceRequest
  private let waker: EventFd
  private let connection: X11Connection
  private let root: Window
  private var monitor: X11Monitor
  private var image: X11Image
  private var cursor: X11Cursor?
  private let damage: Damage
  private let region: XserverRegion
  private let damageEvent: Int32
  private let cursorEvent: Int32
  private let randrEvent: Int32
  private var hasDamage = true
  private var needsWholePicture = true
  private var layoutChanged = false
  private var sequence: UInt64 = 0
  private var pointerDueMs = 0.0
  private var lastChangeMs = 0.0

  /// - Throws: `sourceNotFound`, `sourceLost`, or `unsupported` for a server without damage reports or 24-bit colour.
  init(_ request: SourceRequest, waker: EventFd) throws(RecorderError) {
    self.request = request
    self.waker = waker
    id = request.sourceId
    connection = try X11Connection()
    let display = connection.display
    root = ws_x_root(display)
    monitor = try X11Monitors.find(request.targetId, connection)
    var errorBase: Int32 = 0
    var major: Int32 = 0
    var minor: Int32 = 0
    var damageBase: Int32 = 0
    var fixesBase: Int32 = 0
    guard XDamageQueryExtension(display, &damageBase, &errorBase) != 0,
      XFixesQueryExtension(display, &fixesBase, &errorBase) != 0
    else {
      throw RecorderError(.unsupported, "The display server does not report changes (DAMAGE and XFIXES are missing).")
    }
    XDamageQueryVersion(display, &major, &minor)
    major = 5
    minor = 0
    XFixesQueryVersion(display, &major, &minor)
    let visual = ws_x_visual(display).pointee
    guard [24, 32].contains(ws_x_depth(display)), visual.red_mask == 0xff0000, visual.green_mask == 0xff00,
      visual.blue_mask == 0xff
    else {
      throw RecorderError(.unsupported, "The display has to show 24-bit colour.")
    }
    damageEvent = damageBase + Int32(XDamageNotify)
    cursorEvent = fixesBase + Int32(XFixesCursorNotify)
    var randrBase: Int32 = 0
    randrEvent = XRRQueryExtension(display, &randrBase, &errorBase) != 0 ? randrBase : -1
    if randrEvent >= 0 {
      XRRSelectInput(display, root, Int32(RRScreenChangeNotifyMask | RRCrtcChangeNotifyMask))
    }
    XSelectInput(display, root, Int(StructureNotifyMask))
    pictureSize = PictureSize(width: monitor.rect.width, height: monitor.rect.height)
    image = try X11Image(connection, size: pictureSize)
    // One event when something changed, none until it was asked for: a busy screen costs no events.
    damage = XDamageCreate(display, root, Int32(XDamageReportNonEmpty))
    region = XFixesCreateRegion(display, nil, 0)
    if request.showCursor { cursor = X11Cursor(connection) }
    try connection.check()
  }

  func wait(untilMs: Double) throws(RecorderError) -> SourceActivity {
    while true {
      readEvents()
      try connection.check()
      if layoutChanged { hasDamage = true }
      if hasDamage { return sleepUntilWoken(untilMs) }
      let nowMs = monotonicMs()
      if let cursor, nowMs >= pointerDueMs {
        pointerDueMs = nowMs + pointerIntervalMs(nowMs)
        if cursor.hasMoved(monitor.rect) {
          lastChangeMs = nowMs
          return .changed
        }
        try connection.check()
      }
      let dueMs = cursor == nil ? untilMs : min(untilMs, pointerDueMs)
      if pollBoth(dueMs) { return .nothing }
      if monotonicMs() >= untilMs, XPending(connection.display) == 0 { return .nothing }
    }
  }

  func capture() throws(RecorderError) -> SourcedFrame {
    readEvents()
    if layoutChanged { try relayout() }
    var changed = DamageRegion()
    let old = cursor?.restore(image.picture)
    let atMs: Double
    if needsWholePicture {
      XDamageSubtract(connection.display, damage, 0, 0)
      atMs = monotonicMs()
      try image.grab(root, PixelRect(pictureSize), origin: monitor.rect)
      changed.add(PixelRect(pictureSize))
      needsWholePicture = false
    } else {
      // Asking before grabbing: what changes in between is reported again.
      for rect in fetchDamage() { changed.add(rect) }
      atMs = monotonicMs()
      for rect in changed.rects { try image.grab(root, rect, origin: monitor.rect) }
    }
    hasDamage = false
    if !changed.isEmpty { lastChangeMs = atMs }
    let new = cursor?.draw(image.picture, monitor.rect)
    if let old, old != new || !changed.isEmpty { changed.add(old) }
    if let new, old != new || !changed.isEmpty { changed.add(new) }
    try connection.check()
    sequence += 1
    return SourcedFrame(
      picture: image.picture, sourceId: id, presentationMs: atMs, sequence: sequence, damage: changed.rects)
  }

  func close() {
    guard !connection.isBroken else { return }
    XDamageDestroy(connection.display, damage)
    XFixesDestroyRegion(connection.display, region)
    image.release()
    XSync(connection.display, 0)
  }

  /// Damage is known: nothing to learn from the server until it is fetched.
  private func sleepUntilWoken(_ untilMs: Double) -> SourceActivity {
    guard monotonicMs() < untilMs, reportedDamage else {
      reportedDamage = true
      return .changed
    }
    waker.wait(untilMs: untilMs)
    return .changed
  }

  /// Whether the loop has been told about the damage that waits.
  private var reportedDamage = false

  /// Waits for the server or the waker; true when the waker was raised.
  private func pollBoth(_ untilMs: Double) -> Bool {
    if waker.clear() { return true }
    if XPending(connection.display) > 0 { return false }
    let leftMs = untilMs - monotonicMs()
    guard leftMs > 0 else { return false }
    var entries = [
      pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: waker.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    _ = poll(&entries, 2, pollTimeout(leftMs))
    // A hang-up without data is only noticed by reading.
    if entries[0].revents & Int16(POLLHUP | POLLERR) != 0 { XSync(connection.display, 0) }
    return waker.clear()
  }

  private func readEvents() {
    while !connection.isBroken, XPending(connection.display) > 0 {
      var event = XEvent()
      XNextEvent(connection.display, &event)
      switch event.type {
      case damageEvent:
        if !hasDamage { reportedDamage = false }
        hasDamage = true
      case cursorEvent:
        cursor?.shapeChanged()
        pointerDueMs = 0
      case randrEvent, randrEvent + 1:
        XRRUpdateConfiguration(&event)
        layoutChanged = true
      case ConfigureNotify:
        layoutChanged = true
      default:
        break
      }
    }
  }

  private func fetchDamage() -> [PixelRect] {
    let display = connection.display
    XDamageSubtract(display, damage, 0, region)
    var count: Int32 = 0
    guard let rects = XFixesFetchRegion(display, region, &count) else { return [] }
    defer { XFree(rects) }
    var found: [PixelRect] = []
    for index in 0..<Int(max(0, count)) {
      let rect = rects[index]
      let local = PixelRect(
        x: Int(rect.x) - monitor.rect.x, y: Int(rect.y) - monitor.rect.y, width: Int(rect.width),
        height: Int(rect.height)
      ).clipped(to: pictureSize)
      if !local.isEmpty { found.append(local) }
    }
    return found
  }

  /// Follows the display to its new place and size.
  private func relayout() throws(RecorderError) {
    layoutChanged = false
    let fresh: X11Monitor
    do {
      fresh = try X11Monitors.find(request.targetId ?? monitor.id, connection)
    } catch {
      // The primary display may come back under another name.
      guard request.targetId == nil else { throw RecorderError(.sourceLost, "The recorded display was switched off.") }
      fresh = try X11Monitors.find(nil, connection)
    }
    try connection.check()
    guard fresh.rect != monitor.rect else { return }
    let size = PictureSize(width: fresh.rect.width, height: fresh.rect.height)
    monitor = fresh
    needsWholePicture = true
    hasDamage = true
    guard size != pictureSize else { return }
    cursor?.forget()
    image.release()
    pictureSize = size
    image = try X11Image(connection, size: size)
  }

  /// The pointer causes no damage: it is asked for at the frame rate while something moves, five times a second else.
  private func pointerIntervalMs(_ nowMs: Double) -> Double {
    nowMs - lastChangeMs < 2_000 ? 1000 / request.fps : 200
  }
}
