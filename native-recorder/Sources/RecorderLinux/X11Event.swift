// Owns the events that capturing needs, read out of XCB's memory.

import CX11
import Glibc
import RecorderCore

struct X11Event {
  enum Kind {
    /// Of a window, seen from its parent (`reporter`). Rectangles include the border.
    case created(PixelRect, border: Int)
    case destroyed
    case mapped
    case unmapped
    case configured(PixelRect, border: Int, above: xcb_window_t)
    case moved(x: Int, y: Int)
    case circulated(toTop: Bool)
    case reparented(parent: xcb_window_t, x: Int, y: Int)
    case property(xcb_atom_t)
    case shape
    /// Of the recorded drawable, in its own coordinates.
    case damage(PixelRect)
    case cursorShape
    case layout
    case other
  }

  let kind: Kind
  let window: xcb_window_t
  /// The window on which the event was asked for.
  let reporter: xcb_window_t
  /// Number of the last request of ours that the server had executed then.
  let sequence: UInt32

  /// A window has come, gone or changed its place.
  var isStructural: Bool {
    switch kind {
    case .created, .destroyed, .mapped, .unmapped, .configured, .moved, .circulated, .reparented, .shape: true
    case .property, .damage, .cursorShape, .layout, .other: false
    }
  }
}

struct X11EventParser {
  private let damage: Int
  private let fixes: Int
  private let randr: Int
  private let shape: Int

  init(_ connection: OpaquePointer) {
    damage = Int(ws_x_first_event(connection, Int32(WS_X_DAMAGE.rawValue)))
    fixes = Int(ws_x_first_event(connection, Int32(WS_X_FIXES.rawValue)))
    randr = Int(ws_x_first_event(connection, Int32(WS_X_RANDR.rawValue)))
    shape = Int(ws_x_first_event(connection, Int32(WS_X_SHAPE.rawValue)))
  }

  /// Reads the event and frees it.
  func take(_ event: UnsafeMutablePointer<xcb_generic_event_t>) -> X11Event {
    defer { free(event) }
    let raw = UnsafeRawPointer(event)
    func made(_ kind: X11Event.Kind, _ window: xcb_window_t = 0, _ reporter: xcb_window_t = 0) -> X11Event {
      X11Event(kind: kind, window: window, reporter: reporter, sequence: event.pointee.full_sequence)
    }
    let code = Int(event.pointee.response_type & 0x7f)
    switch code {
    case Int(XCB_CREATE_NOTIFY):
      let it = raw.load(as: xcb_create_notify_event_t.self)
      let rect = outer(it.x, it.y, it.width, it.height, it.border_width)
      return made(.created(rect, border: Int(it.border_width)), it.window, it.parent)
    case Int(XCB_DESTROY_NOTIFY):
      let it = raw.load(as: xcb_destroy_notify_event_t.self)
      return made(.destroyed, it.window, it.event)
    case Int(XCB_MAP_NOTIFY):
      let it = raw.load(as: xcb_map_notify_event_t.self)
      return made(.mapped, it.window, it.event)
    case Int(XCB_UNMAP_NOTIFY):
      let it = raw.load(as: xcb_unmap_notify_event_t.self)
      return made(.unmapped, it.window, it.event)
    case Int(XCB_CONFIGURE_NOTIFY):
      let it = raw.load(as: xcb_configure_notify_event_t.self)
      let rect = outer(it.x, it.y, it.width, it.height, it.border_width)
      return made(.configured(rect, border: Int(it.border_width), above: it.above_sibling), it.window, it.event)
    case Int(XCB_GRAVITY_NOTIFY):
      let it = raw.load(as: xcb_gravity_notify_event_t.self)
      return made(.moved(x: Int(it.x), y: Int(it.y)), it.window, it.event)
    case Int(XCB_CIRCULATE_NOTIFY):
      let it = raw.load(as: xcb_circulate_notify_event_t.self)
      return made(.circulated(toTop: UInt32(it.place) == XCB_PLACE_ON_TOP.rawValue), it.window, it.event)
    case Int(XCB_REPARENT_NOTIFY):
      let it = raw.load(as: xcb_reparent_notify_event_t.self)
      return made(.reparented(parent: it.parent, x: Int(it.x), y: Int(it.y)), it.window, it.event)
    case Int(XCB_PROPERTY_NOTIFY):
      let it = raw.load(as: xcb_property_notify_event_t.self)
      return made(.property(it.atom), it.window, it.window)
    case damage:
      let it = raw.load(as: xcb_damage_notify_event_t.self)
      let area = PixelRect(
        x: Int(it.area.x), y: Int(it.area.y), width: Int(it.area.width), height: Int(it.area.height))
      return made(.damage(area), it.drawable, it.drawable)
    case fixes + Int(XCB_XFIXES_CURSOR_NOTIFY) where fixes >= 0: return made(.cursorShape)
    case randr where randr >= 0, randr + 1 where randr >= 0: return made(.layout)
    case shape where shape >= 0:
      let it = raw.load(as: xcb_shape_notify_event_t.self)
      return made(.shape, it.affected_window, it.affected_window)
    default: return made(.other)
    }
  }

  private func outer(_ x: Int16, _ y: Int16, _ width: UInt16, _ height: UInt16, _ border: UInt16) -> PixelRect {
    PixelRect(x: Int(x), y: Int(y), width: Int(width) + 2 * Int(border), height: Int(height) + 2 * Int(border))
  }
}
