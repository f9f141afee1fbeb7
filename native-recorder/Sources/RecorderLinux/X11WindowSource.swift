// Owns capturing one window: its own picture, which the Composite extension keeps complete while other windows cover it
// or it lies partly off the screen. What is recorded is the program's window without the window manager's frame; menus
// and dialogs are windows of their own and are not in it.

import CX11
import RecorderCore

final class X11WindowSource: RecordingSource {
  let id: String
  private(set) var pictureSize: PictureSize
  var interrupt: @Sendable () -> Void { link.interrupt }

  private let window: xcb_window_t
  private let link: X11Connection
  private let watch: X11Watch
  private let damage: X11Damage
  private let exclusion: X11ExclusionGuard?
  /// Only for the guard: where the screen is drawn.
  private let screenDamage: X11Damage?
  private let cursor: X11Cursor?
  private var mask = PictureMask()
  private var held = X11WindowHold()
  private var image: X11Image
  private var border = 0
  /// As the last event said.
  private var reportedSize: PictureSize
  /// The window's picture since it was last mapped or resized; 0 before it was ever seen.
  private var pixmap: xcb_pixmap_t = 0
  /// Its ancestors: when one of them is unmapped the picture is gone, without an event at the window itself.
  private var ancestors: [xcb_window_t] = []
  private var isClosed = false
  private var needsNewPixmap = true
  private var needsWholePicture = true
  private var sequence: UInt64 = 0

  /// - Throws: `sourceNotFound`, `sourceLost`, `invalidConfig` for a window that is to be kept out, `unsupported`.
  init(_ request: SourceRequest, waker: EventFd) throws(RecorderError) {
    id = request.sourceId
    link = try X11Connection()
    try link.prepareCapture()
    guard link.has(WS_X_COMPOSITE) else {
      throw RecorderError(.unsupported, "The display server cannot show single windows (COMPOSITE is missing).")
    }
    let missing = RecorderError(
      .sourceNotFound, "There is no window “\(request.targetId ?? "")”; it may have been closed.")
    guard let window = request.targetId.flatMap(X11Windows.id) else { throw missing }
    self.window = window
    let version = xcb_composite_query_version(link.raw, 0, 4)
    _ = link.read(xcb_composite_query_version_reply(link.raw, version, nil)) { _ in true }
    link.select(window, X11Connection.windowEvents)
    guard let shape = Self.shape(of: window, link) else {
      try link.check()
      throw missing
    }
    guard ws_x_is_bgrx(link.raw, shape.depth) != 0 else {
      throw RecorderError(.unsupported, "This window does not show 24-bit colour or takes input only.")
    }
    // Automatic: the server goes on showing it. Other programs may have asked for the same.
    let isRedirected = link.succeeded(
      xcb_composite_redirect_window_checked(link.raw, window, UInt8(XCB_COMPOSITE_REDIRECT_AUTOMATIC.rawValue)))
    try link.check()
    guard isRedirected else {
      throw RecorderError(.unsupported, "The display server does not give out the picture of window \(window).")
    }
    let hasExclusions = !request.exclusions.isEmpty
    watch = X11Watch(link, waker: waker, fps: request.fps, readIntervalMs: hasExclusions ? 100 : .infinity)
    pictureSize = shape.size
    border = shape.border
    reportedSize = shape.size
    image = X11Image(link, size: pictureSize)
    damage = X11Damage(link, window, isImmediate: hasExclusions)
    screenDamage = hasExclusions ? X11Damage(link, link.root, isImmediate: true) : nil
    exclusion = hasExclusions ? try X11ExclusionGuard(link, request.exclusions) : nil
    cursor = request.showCursor ? X11Cursor(link) : nil
    followAncestors()
    try checkAllowed(.invalidConfig, "This window is one of those to be kept out of the recording.")
    try link.check()
  }

  func wait(untilMs: Double) throws(RecorderError) -> SourceActivity {
    try watch.wait(
      untilMs: untilMs, read: { () throws(RecorderError) in try readEvents() },
      hasPointerMoved: cursor.map { cursor in { cursor.differs(self.pointer(self.askPointer()), in: self.pictureSize) }
      })
  }

  func capture() throws(RecorderError) -> SourcedFrame {
    do throws(RecorderError) {
      return try grab()
    } catch {
      if exclusion != nil { image.picture.blacken(PixelRect(pictureSize)) }
      throw error
    }
  }

  func close() {
    guard !link.isBroken else { return }
    damage.close()
    screenDamage?.close()
    if pixmap != 0 { xcb_free_pixmap(link.raw, pixmap) }
    if !isClosed {
      xcb_composite_unredirect_window(link.raw, window, UInt8(XCB_COMPOSITE_REDIRECT_AUTOMATIC.rawValue))
    }
    _ = link.tree(xcb_query_tree(link.raw, link.root))
  }

  private func grab() throws(RecorderError) -> SourcedFrame {
    try readEvents()
    if needsNewPixmap { try renewPixmap() }
    damage.request()
    var wanted = DamageRegion()
    let damaged = damage.collect()
    if needsWholePicture {
      wanted.add(PixelRect(pictureSize))
    } else if pixmap != 0 {
      for rect in damaged { wanted.add(rect.clipped(to: pictureSize)) }
      for rect in mask.uncovered.rects { wanted.add(rect) }
    }
    let old = cursor?.restore(image.picture)
    if !held.fresh.isEmpty { askForDrawing(held.fresh.rects.reduce(held.fresh.rects[0]) { $0.union($1) }) }
    let last = xcb_get_input_focus(link.raw)
    let atMs = monotonicMs()
    let written = pixmap == 0 ? [] : wanted.rects.map { image.request(pixmap, $0, x: border, y: border) }
    let asked = cursor.map { _ in askPointer() }
    image.collect()
    let place = asked.flatMap(pointer)
    _ = link.read(xcb_get_input_focus_reply(link.raw, last, nil)) { _ in true }
    try link.check()
    if exclusion != nil {
      // What was drawn later than this is not in the picture. What earlier requests caused is all here.
      try take(link.events(before: last.sequence))
      held.settle()
      for rect in mask.cover(image.picture, with: held.black, written: written) {
        wanted.add(rect)
      }
    }
    exclusion?.pictureTaken()
    let new = cursor?.draw(image.picture, place)
    var changed = wanted
    if let old, old != new || !wanted.isEmpty { changed.add(old) }
    if let new, old != new || !wanted.isEmpty { changed.add(new) }
    needsWholePicture = false
    watch.noteCapture(
      atMs: atMs, changed: !wanted.isEmpty,
      more: damage.isPending || !mask.uncovered.isEmpty || needsNewPixmap)
    sequence += 1
    return SourcedFrame(
      picture: image.picture, sourceId: id, presentationMs: atMs, sequence: sequence, damage: changed.rects)
  }

  private func readEvents() throws(RecorderError) {
    try take(link.events())
  }

  private func take(_ events: [X11Event]) throws(RecorderError) {
    guard !events.isEmpty else { return }
    exclusion?.take(events)
    for event in events { note(event) }
    if isClosed { throw RecorderError(.sourceLost, "The recorded window was closed.") }
    try checkAllowed(.sourceLost, "The recorded window became one of those to be kept out.")
    try link.check()
  }

  private func note(_ event: X11Event) {
    // Whatever moves on the screen makes the server report this window as drawn where it shows again.
    if exclusion != nil, event.reporter == link.root, event.isStructural { held.noteCopy() }
    switch event.kind {
    case .damage(let area) where event.window == window:
      damage.note(area)
      held.noteDrawing(area)
      watch.noteNews()
    case .cursorShape:
      cursor?.shapeChanged()
      watch.lookAtPointerNow()
    case .destroyed where event.window == window: isClosed = true
    case .reparented where event.window == window && event.reporter == window:
      followAncestors()
      expectNewPixmap()
    case .mapped where event.reporter == event.window && isOurs(event.window): expectNewPixmap()
    case .configured(let rect, let border, _) where event.reporter == window && event.window == window:
      let size = PictureSize(width: rect.width - 2 * border, height: rect.height - 2 * border)
      let isResized = size != reportedSize || border != self.border
      reportedSize = size
      if isResized { expectNewPixmap() } else { held.noteCopy() }
    default: break
    }
  }

  private func isOurs(_ other: xcb_window_t) -> Bool { other == window || ancestors.contains(other) }

  private func expectNewPixmap() {
    needsNewPixmap = true
    watch.noteNews()
  }

  private func renewPixmap() throws(RecorderError) {
    needsNewPixmap = false
    let fresh = xcb_generate_id(link.raw)
    let named = xcb_composite_name_window_pixmap_checked(link.raw, window, fresh)
    let asked = xcb_get_geometry(link.raw, fresh)
    let place = xcb_translate_coordinates(link.raw, window, link.root, 0, 0)
    let isNamed = link.succeeded(named)
    let size = link.read(xcb_get_geometry_reply(link.raw, asked, nil)) {
      PictureSize(width: Int($0.pointee.width), height: Int($0.pointee.height))
    }
    let origin = link.read(xcb_translate_coordinates_reply(link.raw, place, nil)) {
      (x: Int($0.pointee.dst_x), y: Int($0.pointee.dst_y))
    }
    let shape = Self.shape(of: window, link)
    try link.check()
    // Not to be seen now (minimised, or gone): the last picture stays; when it is mapped again an event says so.
    guard isNamed, let size, let shape else {
      if isNamed { xcb_free_pixmap(link.raw, fresh) }
      return
    }
    if pixmap != 0 { xcb_free_pixmap(link.raw, pixmap) }
    pixmap = fresh
    border = shape.border
    needsWholePicture = true
    let inner = PictureSize(width: max(1, size.width - 2 * border), height: max(1, size.height - 2 * border))
    // It was resized in between: the event that says so has come or will.
    if inner != shape.size { needsNewPixmap = true }
    if let exclusion {
      try take(link.events(before: named.sequence))
      held.begin(inner, x: origin?.x ?? 0, y: origin?.y ?? 0, passed: exclusion.takePassed())
    }
    guard inner != pictureSize else { return }
    cursor?.forget()
    mask = PictureMask()
    pictureSize = inner
    image = X11Image(link, size: inner)
  }

  /// Its program may have drawn already, in the moments that do not count. A window without a background that comes and
  /// goes changes no pixel; the program is told to draw what it had covered (as xrefresh does).
  private func askForDrawing(_ rect: PixelRect) {
    let veil = xcb_generate_id(link.raw)
    xcb_create_window(
      link.raw, UInt8(XCB_COPY_FROM_PARENT), veil, window, Int16(rect.x), Int16(rect.y), UInt16(rect.width),
      UInt16(rect.height), 0, UInt16(XCB_WINDOW_CLASS_INPUT_OUTPUT.rawValue), xcb_visualid_t(XCB_COPY_FROM_PARENT),
      XCB_CW_OVERRIDE_REDIRECT.rawValue, [1])
    xcb_map_window(link.raw, veil)
    xcb_destroy_window(link.raw, veil)
  }

  private func followAncestors() {
    ancestors = Array(link.ancestry(of: window).dropFirst())
    for ancestor in ancestors { link.select(ancestor, X11Connection.windowEvents) }
  }

  private func checkAllowed(_ code: ErrorCode, _ message: String) throws(RecorderError) {
    guard let exclusion, exclusion.isExcluded(window, in: ancestors.last ?? window) else { return }
    throw RecorderError(code, message)
  }

  private func askPointer() -> (xcb_query_pointer_cookie_t, xcb_translate_coordinates_cookie_t) {
    (xcb_query_pointer(link.raw, link.root), xcb_translate_coordinates(link.raw, window, link.root, 0, 0))
  }

  /// Where the pointer is over this window, and not over another that covers it.
  private func pointer(
    _ asked: (xcb_query_pointer_cookie_t, xcb_translate_coordinates_cookie_t)
  ) -> X11Cursor.Place? {
    let pointer = link.read(xcb_query_pointer_reply(link.raw, asked.0, nil)) { $0.pointee }
    let origin = link.read(xcb_translate_coordinates_reply(link.raw, asked.1, nil)) { $0.pointee }
    guard let pointer, let origin, pointer.same_screen != 0, pointer.child == ancestors.last ?? window else {
      return nil
    }
    let place = X11Cursor.Place(
      x: Int(pointer.root_x) - Int(origin.dst_x), y: Int(pointer.root_y) - Int(origin.dst_y))
    let isInside = (0..<pictureSize.width).contains(place.x) && (0..<pictureSize.height).contains(place.y)
    return isInside ? place : nil
  }

  private static func shape(
    of window: xcb_window_t, _ link: X11Connection
  ) -> (size: PictureSize, border: Int, depth: UInt8)? {
    link.read(xcb_get_geometry_reply(link.raw, xcb_get_geometry(link.raw, window), nil)) { reply in
      let it = reply.pointee
      return (PictureSize(width: Int(it.width), height: Int(it.height)), Int(it.border_width), it.depth)
    }
  }
}
