// Owns which displays there are and where they lie on the X screen (RandR 1.5 monitors).

import CX11
import RecorderCore

struct X11Monitor {
  let id: String
  let rect: PixelRect
  let isPrimary: Bool
}

enum X11Monitors {
  /// All monitors that are on; an X server without RandR is one monitor called “screen”. Empty when the server is gone.
  static func list(_ link: X11Connection) -> [X11Monitor] {
    // Asked for, because the numbers that the connection began with do not follow a change of mode.
    guard
      let screen = link.read(
        xcb_get_geometry_reply(link.raw, xcb_get_geometry(link.raw, link.root), nil),
        { PictureSize(width: Int($0.pointee.width), height: Int($0.pointee.height)) })
    else { return [] }
    var found = link.has(WS_X_RANDR) ? reported(link, within: screen) : []
    if found.isEmpty { return [X11Monitor(id: "screen", rect: PixelRect(screen), isPrimary: true)] }
    if !found.contains(where: \.isPrimary), let first = found.first {
      found[0] = X11Monitor(id: first.id, rect: first.rect, isPrimary: true)
    }
    return found
  }

  /// The monitor with this id; nil means the primary one.
  static func find(_ target: String?, _ link: X11Connection) throws(RecorderError) -> X11Monitor {
    let all = list(link)
    try link.check()
    if let target, !target.isEmpty, target != "default", target != "primary" {
      if let found = all.first(where: { $0.id == target }) { return found }
      let known = all.map(\.id).joined(separator: ", ")
      throw RecorderError(.sourceNotFound, "There is no display “\(target)”; there is: \(known).")
    }
    guard let primary = all.first(where: \.isPrimary) ?? all.first else {
      throw RecorderError(.sourceNotFound, "The display server has no display.")
    }
    return primary
  }

  /// A monitor may reach past the screen, where there are no pixels.
  private static func reported(_ link: X11Connection, within screen: PictureSize) -> [X11Monitor] {
    let raw = link.raw
    // Without a version the server takes this client for one of RandR 1.0.
    guard
      let isNewEnough = link.read(
        xcb_randr_query_version_reply(raw, xcb_randr_query_version(raw, 1, 5), nil),
        { ($0.pointee.major_version, $0.pointee.minor_version) >= (1, 5) }), isNewEnough
    else { return [] }
    let monitors: [(name: xcb_atom_t, rect: PixelRect, isPrimary: Bool)]? = link.read(
      xcb_randr_get_monitors_reply(raw, xcb_randr_get_monitors(raw, link.root, 1), nil)
    ) { reply in
      var found: [(xcb_atom_t, PixelRect, Bool)] = []
      var at = xcb_randr_get_monitors_monitors_iterator(reply)
      while at.rem > 0, let monitor = at.data?.pointee {
        let rect = PixelRect(
          x: Int(monitor.x), y: Int(monitor.y), width: Int(monitor.width), height: Int(monitor.height)
        ).clipped(to: screen)
        if !rect.isEmpty { found.append((monitor.name, rect, monitor.primary != 0)) }
        xcb_randr_monitor_info_next(&at)
      }
      return found
    }
    return (monitors ?? []).map { X11Monitor(id: name(link, $0.name), rect: $0.rect, isPrimary: $0.isPrimary) }
  }

  private static func name(_ link: X11Connection, _ atom: xcb_atom_t) -> String {
    link.read(xcb_get_atom_name_reply(link.raw, xcb_get_atom_name(link.raw, atom), nil)) { reply in
      guard let text = xcb_get_atom_name_name(reply) else { return nil }
      let count = Int(xcb_get_atom_name_name_length(reply))
      return String(decoding: UnsafeRawBufferPointer(start: text, count: count), as: UTF8.self)
    } ?? "screen"
  }
}
