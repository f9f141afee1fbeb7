// Owns the rectangles that changed since the last frame; keeps few, because each costs a round trip to the display server.

public struct DamageRegion: Sendable {
  public static let mostRects = 12
  public private(set) var rects: [PixelRect] = []

  public init() {}

  public var isEmpty: Bool { rects.isEmpty }

  /// Adds a rectangle; rectangles are joined where their common box is hardly larger than both.
  public mutating func add(_ rect: PixelRect) {
    guard !rect.isEmpty else { return }
    var joined = rect
    var index = 0
    while index < rects.count {
      let box = joined.union(rects[index])
      // 16k pixels (64 KB) are copied in about the time of one round trip.
      if box.area <= joined.area + rects[index].area + 16_384 {
        joined = box
        rects.swapAt(index, rects.count - 1)
        rects.removeLast()
        index = 0
      } else {
        index += 1
      }
    }
    rects.append(joined)
    if rects.count > Self.mostRects { joinClosest() }
  }

  public mutating func removeAll() {
    rects.removeAll(keepingCapacity: true)
  }

  private mutating func joinClosest() {
    var best = (left: 0, right: 1, waste: Int.max)
    for left in rects.indices {
      for right in rects.indices where right > left {
        let waste = rects[left].union(rects[right]).area - rects[left].area - rects[right].area
        if waste < best.waste { best = (left, right, waste) }
      }
    }
    let joined = rects[best.left].union(rects[best.right])
    rects.remove(at: best.right)
    rects.remove(at: best.left)
    add(joined)
  }
}
