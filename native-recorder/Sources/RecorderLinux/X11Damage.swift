// Owns what the X server reports as changed in a drawable.

import CX11
import RecorderCore

/// Either one event when something changed and a region when it is asked for, so that a busy screen costs no events;
/// or every rectangle at once, in order with the windows' own events, which exclusion needs.
final class X11Damage {
  /// The server begins by reporting all of the drawable.
  private(set) var isPending = true
  let isImmediate: Bool
  private let link: X11Connection
  private let damage: xcb_damage_damage_t
  private let region: xcb_xfixes_region_t
  private var reported = DamageRegion()
  private var cookie: xcb_xfixes_fetch_region_cookie_t?

  init(_ link: X11Connection, _ drawable: xcb_drawable_t, isImmediate: Bool) {
    self.link = link
    self.isImmediate = isImmediate
    damage = xcb_generate_id(link.raw)
    region = xcb_generate_id(link.raw)
    let level = isImmediate ? XCB_DAMAGE_REPORT_LEVEL_RAW_RECTANGLES : XCB_DAMAGE_REPORT_LEVEL_NON_EMPTY
    xcb_damage_create(link.raw, damage, drawable, UInt8(level.rawValue))
    xcb_xfixes_create_region(link.raw, region, 0, nil)
  }

  func note(_ area: PixelRect) {
    isPending = true
    if isImmediate { reported.add(area) }
  }

  /// Asking before grabbing: what changes in between is reported again.
  func request() {
    guard !isImmediate, isPending else { return }
    xcb_damage_subtract(link.raw, damage, 0, region)
    cookie = xcb_xfixes_fetch_region(link.raw, region)
    isPending = false
  }

  /// What changed since the last call, in the drawable's pixels.
  func collect() -> [PixelRect] {
    if isImmediate {
      defer { reported.removeAll() }
      isPending = false
      return reported.rects
    }
    guard let cookie else { return [] }
    self.cookie = nil
    return link.read(xcb_xfixes_fetch_region_reply(link.raw, cookie, nil)) { reply in
      guard let rects = xcb_xfixes_fetch_region_rectangles(reply) else { return [] }
      let count = Int(xcb_xfixes_fetch_region_rectangles_length(reply))
      return UnsafeBufferPointer(start: rects, count: count).map { rect in
        PixelRect(x: Int(rect.x), y: Int(rect.y), width: Int(rect.width), height: Int(rect.height))
      }
    } ?? []
  }

  func close() {
    xcb_damage_destroy(link.raw, damage)
    xcb_xfixes_destroy_region(link.raw, region)
  }
}
