// Owns the promise that excluded windows stay out of a picture: what has to be black in it, race-free.

import CX11
import RecorderCore

/// How it is proven. Pictures are grabbed while the server serves nobody else; in the same grab it tells the stacking
/// order and geometry. The server sends events and replies in the order in which things happened, so when those
/// replies are here, every event from before the grab is, too: which windows exist and whose they are is known exactly
/// for the moment of the picture, and what is not known counts as excluded. All requests of a grab go out together: it
/// lasts as long as the server's own work.
final class X11ExclusionGuard {
  private let link: X11Connection
  private let windows: X11ExcludedWindows
  private var stack = X11WindowStack()
  private var truth: Truth?
  private var isComposited = false
  /// With a compositing manager: where a window was, until its animations are over.
  private var fading: [(region: PixelRegion, untilMs: Double)] = []
  private static let fadeMs = 1_000.0
  private var passed = PixelRegion()

  private struct Truth {
    let tree: xcb_query_tree_cookie_t
    let compositor: xcb_get_selection_owner_cookie_t
    let geometries: [(xcb_window_t, xcb_get_geometry_cookie_t)]
    let attributes: [(xcb_window_t, xcb_get_window_attributes_cookie_t)]
  }

  /// - Throws: `unsupported` when the server lacks an extension that this needs, `invalidConfig` for an id that is none.
  init(_ link: X11Connection, _ exclusions: Exclusions) throws(RecorderError) {
    self.link = link
    let names = [(WS_X_SHAPE, "SHAPE"), (WS_X_DAMAGE, "DAMAGE"), (WS_X_FIXES, "XFIXES"), (WS_X_RES, "X-Resource")]
    for (which, name) in names where !link.has(which) {
      throw RecorderError(
        .unsupported,
        "The display server lacks the extension \(name), without which windows cannot be kept out of the recording.")
    }
    windows = try X11ExcludedWindows(link, exclusions)
    link.select(
      link.root, XCB_EVENT_MASK_STRUCTURE_NOTIFY.rawValue | XCB_EVENT_MASK_SUBSTRUCTURE_NOTIFY.rawValue)
    windows.begin(link.tree(xcb_query_tree(link.raw, link.root))?.children ?? [])
    try link.check()
    // What has changed meanwhile follows as events, and the first grab tells all of it once more.
    beginGrab()
    let end = endGrab()
    settle(endedBy: end)
  }

  /// What has to be black now, in the root's pixels.
  var black: PixelRegion {
    var region = stack.visible
    region.add(stack.held)
    region.add(stack.copied)
    for item in fading { region.add(item.region) }
    return region
  }

  /// Everywhere that something has been black since the last call, also for a moment only.
  func takePassed() -> PixelRegion {
    defer { passed = black }
    return passed.adding(black)
  }

  /// Something stops being black when time has passed.
  var isWaiting: Bool { !fading.isEmpty }

  /// Whether a window, or the child of the root that it is in now, is known to belong to what is kept out. The events
  /// that tell how it came there may still be on their way.
  func isExcluded(_ window: xcb_window_t, in top: xcb_window_t) -> Bool {
    windows.meet([top])
    return windows.isKnownExcluded(window) || windows.isKnownExcluded(top)
  }

  func take(_ events: [X11Event]) {
    if windows.learn(from: events) { stack.update(windows.traits) }
    for event in events {
      let before = stack.visible
      stack.apply(event, root: link.root, traits: windows.traits)
      if stack.visible != before { passed.add(stack.visible) }
    }
    windows.forget(events)
    fade()
  }

  /// From here on nobody else is served until `endGrab`.
  func beginGrab() {
    let raw = link.raw
    xcb_grab_server(raw)
    let known = stack.entries.filter { $0.isMapped || $0.traits.isExcluded }
    truth = Truth(
      tree: xcb_query_tree(raw, link.root), compositor: xcb_get_selection_owner(raw, link.atoms.compositor),
      geometries: known.map { ($0.id, xcb_get_geometry(raw, $0.id)) },
      attributes: known.map { ($0.id, xcb_get_window_attributes(raw, $0.id)) })
  }

  /// Returns the number of the request that ends the grab.
  func endGrab() -> UInt32 {
    xcb_ungrab_server(link.raw).sequence
  }

  /// Brings everything to the moment of the grab that the request `end` ended. Returns the events from before it, which
  /// it has taken.
  @discardableResult func settle(endedBy end: UInt32) -> [X11Event] {
    guard let truth else { return [] }
    self.truth = nil
    let order = link.tree(truth.tree)?.children
    let owner = link.read(xcb_get_selection_owner_reply(link.raw, truth.compositor, nil)) { $0.pointee.owner }
    var geometries: [xcb_window_t: (rect: PixelRect, border: Int)] = [:]
    for (window, cookie) in truth.geometries {
      geometries[window] = link.read(xcb_get_geometry_reply(link.raw, cookie, nil)) { reply in
        let border = Int(reply.pointee.border_width)
        return (
          PixelRect(
            x: Int(reply.pointee.x), y: Int(reply.pointee.y), width: Int(reply.pointee.width) + 2 * border,
            height: Int(reply.pointee.height) + 2 * border), border
        )
      }
    }
    var isMapped: [xcb_window_t: Bool] = [:]
    for (window, cookie) in truth.attributes {
      isMapped[window] = link.read(xcb_get_window_attributes_reply(link.raw, cookie, nil)) {
        UInt32($0.pointee.map_state) != XCB_MAP_STATE_UNMAPPED.rawValue
      }
    }
    let events = link.events(before: end)
    take(events)
    guard let order else { return events }
    isComposited = (owner ?? 0) != 0
    let unknown = order.filter { id in !stack.entries.contains { $0.id == id } }
    windows.meet(unknown)
    let entries = order.map { id in
      let known = stack.entries.first { $0.id == id }
      let place = geometries[id]
      return X11WindowStack.Entry(
        id: id, rect: place?.rect ?? known?.rect ?? PixelRect(x: 0, y: 0, width: 1 << 16, height: 1 << 16),
        border: place?.border ?? known?.border ?? 0, isMapped: isMapped[id] ?? known?.isMapped ?? true,
        traits: windows.traits(id))
    }
    stack.adopt(entries, isComposited: isComposited)
    fade()
    return events
  }

  /// The picture of the last grab is done.
  func pictureTaken() {
    stack.pictureTaken()
    let nowMs = monotonicMs()
    fading.removeAll { $0.untilMs <= nowMs }
  }

  private func fade() {
    guard isComposited else { return }
    let left = stack.takeHeld()
    if !left.isEmpty { fading.append((left, monotonicMs() + Self.fadeMs)) }
  }
}
