// Owns capturing one display: what XDamage reports as changed is copied through shared memory into one lasting picture,
// with the pointer drawn on top and excluded windows black.

import CX11
import RecorderCore

final class X11DisplaySource: RecordingSource {
  let id: String
  private(set) var pictureSize: PictureSize
  var interrupt: @Sendable () -> Void { link.interrupt }

  private let request: SourceRequest
  private let link: X11Connection
  private let watch: X11Watch
  private let damage: X11Damage
  private let exclusion: X11ExclusionGuard?
  private let cursor: X11Cursor?
  private var mask = PictureMask()
  private var monitor: X11Monitor
  private var image: X11Image
  private var needsWholePicture = true
  private var layoutChanged = false
  private var sequence: UInt64 = 0

  /// - Throws: `sourceNotFound`, `sourceLost`, `invalidConfig`, or `unsupported` for a server without damage reports,
  ///   without 24-bit colour, or on which exclusions cannot be honoured.
  init(_ request: SourceRequest, waker: EventFd) throws(RecorderError) {
    self.request = request
    id = request.sourceId
    link = try X11Connection()
    try link.prepareCapture()
    guard ws_x_is_bgrx(link.raw, link.screen.pointee.root_depth) != 0,
      ws_x_is_true_colour(link.screen, link.screen.pointee.root_visual) != 0
    else {
      throw RecorderError(.unsupported, "The display has to show 24-bit colour.")
    }
    let hasExclusions = !request.exclusions.isEmpty
    watch = X11Watch(link, waker: waker, fps: request.fps, readIntervalMs: hasExclusions ? 100 : .infinity)
    link.select(link.root, XCB_EVENT_MASK_STRUCTURE_NOTIFY.rawValue)
    monitor = try X11Monitors.find(request.targetId, link)
    if link.has(WS_X_RANDR) {
      let changes = XCB_RANDR_NOTIFY_MASK_SCREEN_CHANGE.rawValue | XCB_RANDR_NOTIFY_MASK_CRTC_CHANGE.rawValue
      xcb_randr_select_input(link.raw, link.root, UInt16(changes))
    }
    pictureSize = PictureSize(width: monitor.rect.width, height: monitor.rect.height)
    image = X11Image(link, size: pictureSize)
    damage = X11Damage(link, link.root, isImmediate: hasExclusions)
    exclusion = hasExclusions ? try X11ExclusionGuard(link, request.exclusions) : nil
    cursor = request.showCursor ? X11Cursor(link) : nil
    try link.check()
  }

  func wait(untilMs: Double) throws(RecorderError) -> SourceActivity {
    try watch.wait(
      untilMs: untilMs, read: { () throws(RecorderError) in readEvents() },
      hasPointerMoved: cursor.map { cursor in { cursor.differs(self.pointer(self.askPointer()), in: self.pictureSize) }
      })
  }

  func capture() throws(RecorderError) -> SourcedFrame {
    do throws(RecorderError) {
      return try grab()
    } catch {
      // What the server wrote last has not been looked at.
      if exclusion != nil { image.picture.blacken(PixelRect(pictureSize)) }
      throw error
    }
  }

  func close() {
    guard !link.isBroken else { return }
    damage.close()
    // The server is done with this client when it answers.
    _ = link.tree(xcb_query_tree(link.raw, link.root))
  }

  private func grab() throws(RecorderError) -> SourcedFrame {
    readEvents()
    if layoutChanged { try relayout() }
    damage.request()
    var wanted = changedParts(damage.collect())
    let old = cursor?.restore(image.picture)
    exclusion?.beginGrab()
    let atMs = monotonicMs()
    let written = wanted.rects.map {
      image.request(link.root, $0, x: monitor.rect.x, y: monitor.rect.y)
    }
    let asked = cursor.map { _ in askPointer() }
    let end = exclusion?.endGrab()
    image.collect()
    let place = asked.flatMap(pointer)
    if let exclusion, let end {
      noteChanges(exclusion.settle(endedBy: end))
      try link.check()
      let fresh = mask.cover(image.picture, with: localBlack(exclusion), written: written)
      for rect in fresh { wanted.add(rect) }
      exclusion.pictureTaken()
    }
    try link.check()
    let new = cursor?.draw(image.picture, place)
    var changed = wanted
    if let old, old != new || !wanted.isEmpty { changed.add(old) }
    if let new, old != new || !wanted.isEmpty { changed.add(new) }
    needsWholePicture = false
    let isMore = damage.isPending || !mask.uncovered.isEmpty || exclusion?.isWaiting == true || layoutChanged
    watch.noteCapture(atMs: atMs, changed: !wanted.isEmpty, more: isMore)
    sequence += 1
    return SourcedFrame(
      picture: image.picture, sourceId: id, presentationMs: atMs, sequence: sequence, damage: changed.rects)
  }

  /// What has to be fetched, in the picture's pixels. Changes below black are of no interest.
  private func changedParts(_ damaged: [PixelRect]) -> DamageRegion {
    var parts = DamageRegion()
    guard !needsWholePicture else {
      parts.add(PixelRect(pictureSize))
      return parts
    }
    let local = damaged.map { rect in
      PixelRect(x: rect.x - monitor.rect.x, y: rect.y - monitor.rect.y, width: rect.width, height: rect.height)
        .clipped(to: pictureSize)
    }
    guard let exclusion else {
      for rect in local { parts.add(rect) }
      return parts
    }
    var seen = mask.uncovered
    for rect in local { seen.add(rect) }
    seen.subtract(mask.covered.intersection(localBlack(exclusion)))
    for rect in seen.rects { parts.add(rect) }
    return parts
  }

  private func localBlack(_ exclusion: X11ExclusionGuard) -> PixelRegion {
    exclusion.black.moved(x: -monitor.rect.x, y: -monitor.rect.y).intersection(PixelRect(pictureSize))
  }

  private func readEvents() {
    let events = link.events()
    guard !events.isEmpty else { return }
    noteChanges(events)
    guard let exclusion else { return }
    exclusion.take(events)
    if localBlack(exclusion) != mask.covered { watch.noteNews() }
  }

  private func noteChanges(_ events: [X11Event]) {
    for event in events {
      switch event.kind {
      case .damage(let area):
        damage.note(area)
        watch.noteNews()
      case .cursorShape:
        cursor?.shapeChanged()
        watch.lookAtPointerNow()
      case .layout:
        layoutChanged = true
        watch.noteNews()
      case .configured where event.window == link.root:
        layoutChanged = true
        watch.noteNews()
      default: break
      }
    }
  }

  private func askPointer() -> xcb_query_pointer_cookie_t { xcb_query_pointer(link.raw, link.root) }

  private func pointer(_ cookie: xcb_query_pointer_cookie_t) -> X11Cursor.Place? {
    link.read(xcb_query_pointer_reply(link.raw, cookie, nil)) { reply in
      guard reply.pointee.same_screen != 0 else { return nil }
      return X11Cursor.Place(
        x: Int(reply.pointee.root_x) - monitor.rect.x, y: Int(reply.pointee.root_y) - monitor.rect.y)
    }
  }

  /// Follows the display to its new place and size.
  private func relayout() throws(RecorderError) {
    layoutChanged = false
    let fresh: X11Monitor
    do throws(RecorderError) {
      fresh = try X11Monitors.find(request.targetId ?? monitor.id, link)
    } catch {
      try link.check()
      guard request.targetId == nil else {
        throw RecorderError(.sourceLost, "The display “\(monitor.id)” was switched off.")
      }
      // The primary display may come back under another name.
      fresh = try X11Monitors.find(nil, link)
    }
    guard fresh.rect != monitor.rect else { return }
    let size = PictureSize(width: fresh.rect.width, height: fresh.rect.height)
    monitor = fresh
    needsWholePicture = true
    guard size != pictureSize else { return }
    cursor?.forget()
    mask = PictureMask()
    pictureSize = size
    image = X11Image(link, size: size)
  }
}

/// What is black in a picture because it has to be, as opposed to what has to be.
struct PictureMask {
  /// What the picture shows black for exclusion's sake.
  private(set) var covered = PixelRegion()
  /// The part of it that could be shown again, once it is fetched.
  private(set) var uncovered = PixelRegion()

  /// Makes `black` black after the rectangles `written` were fetched. Returns what became black that was not.
  mutating func cover(_ picture: BgraPicture, with black: PixelRegion, written: [PixelRect]) -> [PixelRect] {
    for rect in written { covered.subtract(rect) }
    let fresh = black.subtracting(covered)
    for rect in fresh.rects { picture.blacken(rect) }
    covered.add(black)
    uncovered = covered.subtracting(black)
    return fresh.rects
  }
}
