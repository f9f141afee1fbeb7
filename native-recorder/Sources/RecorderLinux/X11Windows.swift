// Owns which windows there are: their titles, programs and sizes, as `sources` lists them.

import CX11
import Glibc
import RecorderCore

struct X11WindowInfo {
  let id: xcb_window_t
  let title: String
  let app: String
  let pid: Int
  let size: PictureSize
}

enum X11Windows {
  /// Windows that can be recorded, lowest first: what the window manager says it manages, or else what can be seen.
  static func list(_ link: X11Connection) -> [X11WindowInfo] {
    let managed = link.words(link.ask(link.root, link.atoms.clientList))
    return describe(managed.isEmpty ? unmanaged(link) : managed, link)
  }

  static func text(_ id: xcb_window_t) -> String { String(id) }

  /// Reads what `text` wrote, and xwininfo's 0x….
  static func id(_ text: String) -> xcb_window_t? {
    let trimmed = text.hasPrefix("0x") || text.hasPrefix("0X") ? UInt32(text.dropFirst(2), radix: 16) : UInt32(text)
    return trimmed.flatMap { $0 == 0 ? nil : $0 }
  }

  /// WM_CLASS: instance and class.
  static func classNames(_ bytes: [UInt8]) -> [String] {
    bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Needs the X-Resource extension 1.2; nil without it.
  static func askPid(_ link: X11Connection, _ window: xcb_window_t) -> xcb_res_query_client_ids_cookie_t? {
    guard link.has(WS_X_RES) else { return nil }
    var spec = xcb_res_client_id_spec_t(
      client: window, mask: UInt32(XCB_RES_CLIENT_ID_MASK_LOCAL_CLIENT_PID.rawValue))
    return xcb_res_query_client_ids(link.raw, 1, &spec)
  }

  static func pid(_ link: X11Connection, _ cookie: xcb_res_query_client_ids_cookie_t?) -> Int {
    guard let cookie else { return 0 }
    return link.read(xcb_res_query_client_ids_reply(link.raw, cookie, nil)) { Int(ws_x_client_pid($0)) } ?? 0
  }

  private static func unmanaged(_ link: X11Connection) -> [xcb_window_t] {
    let children = link.tree(xcb_query_tree(link.raw, link.root))?.children ?? []
    let cookies = children.map { xcb_get_window_attributes(link.raw, $0) }
    return zip(children, cookies).filter { _, cookie in
      link.read(xcb_get_window_attributes_reply(link.raw, cookie, nil)) { reply in
        UInt32(reply.pointee.map_state) == XCB_MAP_STATE_VIEWABLE.rawValue
          && UInt32(reply.pointee._class) == XCB_WINDOW_CLASS_INPUT_OUTPUT.rawValue
          && reply.pointee.override_redirect == 0
      } ?? false
    }.map(\.0)
  }

  private static func describe(_ windows: [xcb_window_t], _ link: X11Connection) -> [X11WindowInfo] {
    let asked = windows.map { window in
      (
        geometry: xcb_get_geometry(link.raw, window), name: link.ask(window, link.atoms.name),
        oldName: link.ask(window, xcb_atom_t(XCB_ATOM_WM_NAME.rawValue)),
        kind: link.ask(window, xcb_atom_t(XCB_ATOM_WM_CLASS.rawValue)), pid: link.ask(window, link.atoms.pid),
        clientPid: askPid(link, window)
      )
    }
    return zip(windows, asked).compactMap { window, asked in
      let size = link.read(xcb_get_geometry_reply(link.raw, asked.geometry, nil)) {
        PictureSize(width: Int($0.pointee.width), height: Int($0.pointee.height))
      }
      let name = link.bytes(asked.name) ?? []
      let oldName = link.bytes(asked.oldName) ?? []
      let kind = classNames(link.bytes(asked.kind) ?? [])
      let pid = link.words(asked.pid).first.map(Int.init)
      let clientPid = X11Windows.pid(link, asked.clientPid)
      guard let size else { return nil }
      // ICCCM: WM_NAME of type STRING is Latin-1; programs write UTF-8 there too, which reads as itself.
      let title =
        name.isEmpty
        ? String(validating: oldName, as: UTF8.self) ?? latin1(oldName) : String(decoding: name, as: UTF8.self)
      return X11WindowInfo(
        id: window, title: title, app: kind.last ?? "", pid: clientPid > 0 ? clientPid : pid ?? 0, size: size)
    }
  }

  private static func latin1(_ bytes: [UInt8]) -> String {
    String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
  }
}
