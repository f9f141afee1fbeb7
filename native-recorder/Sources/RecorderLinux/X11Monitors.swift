// Owns which displays there are and where they lie on the X screen (RandR 1.5 monitors).

import CX11
import RecorderCore

struct X11Monitor {
  let id: String
  let rect: PixelRect
  let isPrimary: Bool
}

enum X11Monitors {
  /// All monitors; an X server without RandR is one monitor called “screen”.
  static func list(_ connection: X11Connection) -> [X11Monitor] {
    let display = connection.display
    let screen = PixelRect(x: 0, y: 0, width: Int(ws_x_width(display)), height: Int(ws_x_height(display)))
    var found: [X11Monitor] = []
    var eventBase: Int32 = 0
    var errorBase: Int32 = 0
    if XRRQueryExtension(display, &eventBase, &errorBase) != 0 {
      var count: Int32 = 0
      if let monitors = XRRGetMonitors(display, ws_x_root(display), 1, &count) {
        for index in 0..<Int(max(0, count)) {
          let monitor = monitors[index]
          let rect = PixelRect(
            x: Int(monitor.x), y: Int(monitor.y), width: Int(monitor.width), height: Int(monitor.height))
          guard !rect.isEmpty else { continue }
          found.append(X11Monitor(id: name(display, monitor.name), rect: rect, isPrimary: monitor.primary != 0))
        }
        XRRFreeMonitors(monitors)
      }
    }
    if found.isEmpty { found = [X11Monitor(id: "screen", rect: screen, isPrimary: true)] }
    if !found.contains(where: \.isPrimary), let first = found.first {
      found[0] = X11Monitor(id: first.id, rect: first.rect, isPrimary: true)
    }
    return found
  }

  /// The monitor with this id; nil means the primary one.
  static func find(_ target: String?, _ connection: X11Connection) throws(RecorderError) -> X11Monitor {
    let all = list(connection)
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

  private static func name(_ display: OpaquePointer, _ atom: Atom) -> String {
    guard atom != 0, let text = XGetAtomName(display, atom) else { return "screen" }
    defer { XFree(text) }
    return String(cString: text)
  }
}
