// Owns X clients of the tests' own: windows in one plain colour each, and what is searched for in pictures.

import CX11
import FoundationEssentials
import Glibc
import Testing

@testable import RecorderCore
@testable import RecorderLinux

/// A program with windows. Each has a connection, as programs do.
final class TestClient {
  let link: X11Connection
  private let context: xcb_gcontext_t

  init() throws {
    link = try X11Connection()
    context = xcb_generate_id(link.raw)
    xcb_create_gc(link.raw, context, link.root, 0, nil)
  }

  /// Not mapped yet. Without a colour it has no background: it shows what was there before it.
  func window(
    _ rect: PixelRect, _ colour: UInt32?, in parent: xcb_window_t? = nil, app: String = "", title: String = "",
    isPopup: Bool = false, border: Int = 0, isTranslucent: Bool = false, id: xcb_window_t? = nil
  ) -> xcb_window_t {
    let window = id ?? xcb_generate_id(link.raw)
    var mask = XCB_CW_OVERRIDE_REDIRECT.rawValue | XCB_CW_BORDER_PIXEL.rawValue
    var values: [UInt32] = []
    if let colour {
      mask |= XCB_CW_BACK_PIXEL.rawValue
      values.append(isTranslucent ? colour | 0xff00_0000 : colour)
    }
    values += [0x808080, isPopup ? 1 : 0]
    var visual = xcb_visualid_t(XCB_COPY_FROM_PARENT)
    if isTranslucent {
      mask |= XCB_CW_COLORMAP.rawValue
      visual = translucentVisual()
      let map = xcb_generate_id(link.raw)
      xcb_create_colormap(link.raw, UInt8(XCB_COLORMAP_ALLOC_NONE.rawValue), map, link.root, visual)
      values.append(map)
    }
    xcb_create_window(
      link.raw, isTranslucent ? 32 : UInt8(XCB_COPY_FROM_PARENT), window, parent ?? link.root, Int16(rect.x),
      Int16(rect.y), UInt16(rect.width), UInt16(rect.height), UInt16(border),
      UInt16(XCB_WINDOW_CLASS_INPUT_OUTPUT.rawValue), visual, mask, values)
    if !app.isEmpty { set(window, XCB_ATOM_WM_CLASS.rawValue, Array("\(app.lowercased())\0\(app)\0".utf8)) }
    if !title.isEmpty { set(window, XCB_ATOM_WM_NAME.rawValue, Array(title.utf8)) }
    return window
  }

  func set(_ window: xcb_window_t, _ property: xcb_atom_t, _ text: [UInt8]) {
    xcb_change_property(
      link.raw, UInt8(XCB_PROP_MODE_REPLACE.rawValue), window, property, XCB_ATOM_STRING.rawValue, 8,
      UInt32(text.count), text)
  }

  func set(_ window: xcb_window_t, _ property: xcb_atom_t, _ word: UInt32) {
    var word = word
    xcb_change_property(
      link.raw, UInt8(XCB_PROP_MODE_REPLACE.rawValue), window, property, XCB_ATOM_WINDOW.rawValue, 32, 1, &word)
  }

  func map(_ window: xcb_window_t) { xcb_map_window(link.raw, window) }
  func unmap(_ window: xcb_window_t) { xcb_unmap_window(link.raw, window) }
  func destroy(_ window: xcb_window_t) { xcb_destroy_window(link.raw, window) }

  func place(_ window: xcb_window_t, _ rect: PixelRect) {
    let mask =
      XCB_CONFIG_WINDOW_X.rawValue | XCB_CONFIG_WINDOW_Y.rawValue | XCB_CONFIG_WINDOW_WIDTH.rawValue
      | XCB_CONFIG_WINDOW_HEIGHT.rawValue
    let values = [
      UInt32(bitPattern: Int32(rect.x)), UInt32(bitPattern: Int32(rect.y)), UInt32(rect.width), UInt32(rect.height),
    ]
    xcb_configure_window(link.raw, window, UInt16(mask), values)
  }

  func stack(_ window: xcb_window_t, above: Bool) {
    let mode = above ? XCB_STACK_MODE_ABOVE.rawValue : XCB_STACK_MODE_BELOW.rawValue
    xcb_configure_window(link.raw, window, UInt16(XCB_CONFIG_WINDOW_STACK_MODE.rawValue), [mode])
  }

  func reparent(_ window: xcb_window_t, to parent: xcb_window_t) {
    xcb_reparent_window(link.raw, window, parent, 3, 20)
  }

  func fill(_ window: xcb_window_t, _ rect: PixelRect, _ colour: UInt32) {
    xcb_change_gc(link.raw, context, XCB_GC_FOREGROUND.rawValue, [colour])
    var area = xcb_rectangle_t(
      x: Int16(rect.x), y: Int16(rect.y), width: UInt16(rect.width), height: UInt16(rect.height))
    xcb_poly_fill_rectangle(link.raw, window, context, 1, &area)
  }

  func movePointer(_ x: Int, _ y: Int) {
    xcb_warp_pointer(link.raw, 0, link.root, 0, 0, 0, 0, Int16(x), Int16(y))
  }

  /// RandR moves a monitor by making it anew; nobody sees the moment between.
  func moveMonitor(_ name: String, to rect: PixelRect) {
    let asked = xcb_intern_atom(link.raw, 0, UInt16(name.utf8.count), name)
    let atom = link.read(xcb_intern_atom_reply(link.raw, asked, nil)) { $0.pointee.atom } ?? 0
    var info = xcb_randr_monitor_info_t()
    info.name = atom
    (info.x, info.y) = (Int16(rect.x), Int16(rect.y))
    (info.width, info.height) = (UInt16(rect.width), UInt16(rect.height))
    xcb_grab_server(link.raw)
    xcb_randr_delete_monitor(link.raw, link.root, atom)
    xcb_randr_set_monitor(link.raw, link.root, &info)
    xcb_ungrab_server(link.raw)
  }

  /// Of all ids of this client's windows.
  var base: UInt32 { xcb_get_setup(link.raw).pointee.resource_id_base }

  func flush() { xcb_flush(link.raw) }

  /// Returns when the server has done all of it.
  func sync() { _ = link.tree(xcb_query_tree(link.raw, link.root)) }

  private func translucentVisual() -> xcb_visualid_t {
    var depth = xcb_screen_allowed_depths_iterator(link.screen)
    while depth.rem > 0 {
      if depth.data.pointee.depth == 32, let visuals = xcb_depth_visuals(depth.data) { return visuals[0].visual_id }
      xcb_depth_next(&depth)
    }
    return 0
  }
}

extension BgraPicture {
  /// The first pixel of exactly this colour, as x and y; nil when there is none.
  func find(_ colour: UInt32) -> (x: Int, y: Int)? {
    let pattern = [UInt8(colour & 0xff), UInt8(colour >> 8 & 0xff), UInt8(colour >> 16 & 0xff)]
    var at = 0
    while at < byteCount, let hit = memmem(base + at, byteCount - at, pattern, 3) {
      let offset = hit - UnsafeMutableRawPointer(base)
      if offset % 4 == 0 { return (offset / 4 % size.width, offset / 4 / size.width) }
      at = offset + 1
    }
    return nil
  }

  func pixel(_ x: Int, _ y: Int) -> UInt32 {
    base.load(fromByteOffset: y * stride + x * 4, as: UInt32.self) & 0xffffff
  }
}

/// Pixels of a decoded video or picture that are no further from a colour than compression and scaling explain. `folder`
/// takes the raw pixels.
func countPixels(near colour: UInt32, in path: String, _ folder: String) throws -> Int {
  let raw = "\(folder)/raw"
  #expect(run("ffmpeg", "-v", "error", "-y", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", raw))
  let bytes = [UInt8](try Data(contentsOf: URL(filePath: raw)))
  let (red, green, blue) = (Int(colour >> 16), Int(colour >> 8 & 255), Int(colour & 255))
  var found = 0
  bytes.withUnsafeBufferPointer { bytes in
    for at in stride(from: 0, to: bytes.count - 2, by: 3) {
      let distance = abs(Int(bytes[at]) - red) + abs(Int(bytes[at + 1]) - green) + abs(Int(bytes[at + 2]) - blue)
      if distance < 90 { found += 1 }
    }
  }
  return found
}

/// The same numbers for the same seed (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

func request(
  _ kind: SourceKind, _ target: String? = nil, cursor: Bool = false, exclusions: Exclusions = Exclusions()
) -> SourceRequest {
  SourceRequest(
    sourceId: "s", kind: kind, targetId: target, showCursor: cursor, fps: 60, exclusions: exclusions)
}
