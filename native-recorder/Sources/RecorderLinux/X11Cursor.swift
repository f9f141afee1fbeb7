// Owns the pointer in the picture: its shape from XFixes, its place, and the pixels that lie under it.

import CPixels
import CX11
import RecorderCore

final class X11Cursor {
  private let connection: X11Connection
  private let root: Window
  private var pixels: [UInt32] = []
  private var width = 0
  private var height = 0
  private var hotX = 0
  private var hotY = 0
  private var isStale = true
  /// Where it was drawn, and what was there before. Rows are `saved.rect.width` pixels.
  private var saved: (rect: PixelRect, pixels: [UInt32])?
  private var drawnAt: (x: Int, y: Int)?

  init(_ connection: X11Connection) {
    self.connection = connection
    root = ws_x_root(connection.display)
    XFixesSelectCursorInput(connection.display, root, UInt(XFixesDisplayCursorNotifyMask))
  }

  func shapeChanged() { isStale = true }

  /// The picture it was drawn into is gone.
  func forget() {
    saved = nil
    drawnAt = nil
  }

  /// Whether the pointer's place or shape differs from what the picture shows.
  func hasMoved(_ display: PixelRect) -> Bool {
    if isStale { return true }
    guard let place = place() else { return false }
    guard let drawnAt else { return true }
    let isOutside = box(place, display).clipped(to: PictureSize(width: display.width, height: display.height)).isEmpty
    if isOutside, saved == nil { return false }
    return drawnAt != place
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

  /// Draws the pointer where it is now; returns where, or nil when it is not on this display.
  func draw(_ picture: BgraPicture, _ display: PixelRect) -> PixelRect? {
    if isStale { fetchShape() }
    guard let place = place() else { return nil }
    drawnAt = place
    let box = box(place, display)
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

  private func box(_ place: (x: Int, y: Int), _ display: PixelRect) -> PixelRect {
    PixelRect(x: place.x - display.x - hotX, y: place.y - display.y - hotY, width: width, height: height)
  }

  private func place() -> (x: Int, y: Int)? {
    var rootReturn: Window = 0
    var child: Window = 0
    var x: Int32 = 0
    var y: Int32 = 0
    var windowX: Int32 = 0
    var windowY: Int32 = 0
    var mask: UInt32 = 0
    guard
      XQueryPointer(connection.display, root, &rootReturn, &child, &x, &y, &windowX, &windowY, &mask) != 0,
      !connection.isBroken
    else { return nil }
    return (Int(x), Int(y))
  }

  private func fetchShape() {
    guard let image = XFixesGetCursorImage(connection.display) else { return }
    defer { XFree(image) }
    isStale = false
    width = Int(image.pointee.width)
    height = Int(image.pointee.height)
    hotX = Int(image.pointee.xhot)
    hotY = Int(image.pointee.yhot)
    // One premultiplied ARGB pixel in each long.
    pixels = (0..<width * height).map { UInt32(truncatingIfNeeded: image.pointee.pixels[$0]) }
  }
}
