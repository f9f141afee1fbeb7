// Owns which pixels of a window's own picture may have come from an excluded window. A new picture begins with what the
// screen showed in its place; that is black until the window's program has drawn there.

import RecorderCore

struct X11WindowHold {
  /// In the window's pixels.
  var black: PixelRegion { held.adding(fresh) }
  private var held = PixelRegion()
  /// Held as well, but what is reported as drawn before `settle` does not count: the server reports what it has copied
  /// or uncovered, too.
  private(set) var fresh = PixelRegion()
  /// How many times in a row `settle` found nothing held. The screen follows the window's picture a moment later.
  private var clearTimes = 2

  /// The server copies pixels, and reports that as drawing.
  mutating func noteCopy() {
    fresh.add(held)
    held = PixelRegion()
  }

  mutating func noteDrawing(_ area: PixelRect) { held.subtract(area) }

  /// The window was mapped or resized, and its new picture is there: of this size, at this place on the root; `passed`
  /// is where on the root excluded windows have been meanwhile.
  mutating func begin(_ size: PictureSize, x: Int, y: Int, passed: PixelRegion) {
    // What was held may have been copied anywhere, and may still be on the screen.
    let isClear = black.isEmpty && clearTimes >= 2
    fresh = isClear ? passed.moved(x: -x, y: -y).intersection(PixelRect(size)) : PixelRegion(PixelRect(size))
    held = PixelRegion()
  }

  /// Every event from before this moment has been seen.
  mutating func settle() {
    held.add(fresh)
    fresh = PixelRegion()
    clearTimes = held.isEmpty ? min(2, clearTimes + 1) : 0
  }
}
