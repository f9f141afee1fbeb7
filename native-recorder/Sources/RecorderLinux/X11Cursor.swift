// Owns the pointer in the picture: its shape from XFixes, and the pixels that lie under it.

import CPixels
import CX11
import RecorderCore

final class X11Cursor {
  private let link: X11Connection
  private var pixels: [UInt32] = []
  private var width = 0
  private var height = 0
  private var hotX = 0
  private var hotY = 0
  private var isStale = true
  /// Where it was drawn, and what was there before. Rows are `saved.rect.width` pixels.
  private var saved: (rect: PixelRect, pixels: [UInt32])?
  private var drawnAt: Place?

  /// Of the hot spot, in the picture's pixels.
  struct Place: Equatable {
    let x: Int
    let y: Int
  }

  init(_ link: X11Connection) {
    self.link = link
    xcb_xfixes_select_cursor_input(link.raw, link.root, UInt32(XCB_XFIXES_CURSOR_NOTIFY_MASK_DISPLAY_CURSOR.rawValue))
  }

  func shapeChanged() { isStale = true }

  /// The picture it was drawn into is gone.
  func forget() {
    saved = nil
    drawnAt = nil
  }

  /// Whether the picture would look different with the pointer at `place`; nil is elsewhere.
  func differs(_ place: Place?, in size: PictureSize) -> Bool {
    let isSeen = place.map { !box($0).clipped(to: size).isEmpty } ?? false
    if !isSeen { return saved != nil || (isStale && place != nil) }
    return isStale || saved == nil || drawnAt != place
  }

  /// Puts back what was under the pointer; returns where.
  func restore(_ picture: BgraPicture) -> PixelRect? {
    guard let saved else { return nil }
    self.saved = nil
    saved.pixels.withUnsafeBytes { raw in
      guard let base = raw.baseAddress else { return }
      for row in 0..<saved.rect.height {
        (picture.base + (saved.rect.y + row) * picture.stride + saved.rect.x * 4).copyMemory(
          from: base + row * saved.rect.width * 4, byteCount: saved.rect.width * 4)
      }
    }
    return saved.rect
  }

  /// Draws the pointer; returns where, or nil when nothing of it is in the picture.
  func draw(_ picture: BgraPicture, _ place: Place?) -> PixelRect? {
    drawnAt = place
    if isStale { fetchShape() }
    guard let place else { return nil }
    let box = box(place)
    let part = box.clipped(to: picture.size)
    guard !part.isEmpty, pixels.count >= width * height else { return nil }
    var under: [UInt32] = []
    under.reserveCapacity(part.area)
    for row in 0..<part.height {
      let line = (picture.base + (part.y + row) * picture.stride + part.x * 4).assumingMemoryBound(to: UInt32.self)
      under.append(contentsOf: UnsafeBufferPointer(start: line, count: part.width))
    }
    saved = (part, under)
    pixels.withUnsafeBufferPointer { shape in
      guard let base = shape.baseAddress else { return }
      px_blend_over(
        base + (part.y - box.y) * width + (part.x - box.x), width,
        (picture.base + part.y * picture.stride + part.x * 4).assumingMemoryBound(to: UInt8.self), picture.stride,
        Int32(part.width), Int32(part.height))
    }
    return part
  }

  private func box(_ place: Place) -> PixelRect {
    PixelRect(x: place.x - hotX, y: place.y - hotY, width: width, height: height)
  }

  private func fetchShape() {
    let shape: Void? = link.read(
      xcb_xfixes_get_cursor_image_reply(link.raw, xcb_xfixes_get_cursor_image(link.raw), nil)
    ) { reply in
      guard let image = xcb_xfixes_get_cursor_image_cursor_image(reply) else { return nil }
      width = Int(reply.pointee.width)
      height = Int(reply.pointee.height)
      hotX = Int(reply.pointee.xhot)
      hotY = Int(reply.pointee.yhot)
      pixels = Array(UnsafeBufferPointer(start: image, count: width * height))
    }
    if shape != nil { isStale = false }
  }
}
