// Owns sets of pixels as disjoint rectangles, exact under adding, taking away and meeting.

public struct PixelRegion: Sendable, Equatable {
  /// No two of them overlap.
  public private(set) var rects: [PixelRect] = []

  public init() {}

  public init(_ rect: PixelRect) { add(rect) }

  public var isEmpty: Bool { rects.isEmpty }

  public mutating func add(_ rect: PixelRect) {
    guard !rect.isEmpty else { return }
    subtract(rect)
    rects.append(rect)
  }

  public mutating func add(_ other: PixelRegion) {
    for rect in other.rects { add(rect) }
  }

  public mutating func subtract(_ rect: PixelRect) {
    guard rects.contains(where: { $0.overlaps(rect) }) else { return }
    rects = rects.flatMap { $0.subtracting(rect) }
  }

  public mutating func subtract(_ other: PixelRegion) {
    for rect in other.rects { subtract(rect) }
  }

  public func adding(_ other: PixelRegion) -> PixelRegion {
    var sum = self
    sum.add(other)
    return sum
  }

  public func subtracting(_ other: PixelRegion) -> PixelRegion {
    var rest = self
    rest.subtract(other)
    return rest
  }

  public func intersection(_ rect: PixelRect) -> PixelRegion {
    var part = PixelRegion()
    part.rects = rects.map { $0.intersection(rect) }.filter { !$0.isEmpty }
    return part
  }

  public func intersection(_ other: PixelRegion) -> PixelRegion {
    var part = PixelRegion()
    for rect in other.rects { part.rects += intersection(rect).rects }
    return part
  }

  public func overlaps(_ rect: PixelRect) -> Bool { rects.contains { $0.overlaps(rect) } }

  public func moved(x: Int, y: Int) -> PixelRegion {
    var other = self
    other.rects = rects.map { PixelRect(x: $0.x + x, y: $0.y + y, width: $0.width, height: $0.height) }
    return other
  }
}

extension PixelRect {
  public func intersection(_ other: PixelRect) -> PixelRect {
    let left = max(x, other.x)
    let top = max(y, other.y)
    return PixelRect(
      x: left, y: top, width: max(0, min(x + width, other.x + other.width) - left),
      height: max(0, min(y + height, other.y + other.height) - top))
  }

  public func overlaps(_ other: PixelRect) -> Bool { !intersection(other).isEmpty }

  /// What is left when `other` is taken away: at most four rectangles.
  func subtracting(_ other: PixelRect) -> [PixelRect] {
    let hole = intersection(other)
    guard !hole.isEmpty else { return isEmpty ? [] : [self] }
    let below = hole.y + hole.height
    let right = hole.x + hole.width
    return [
      PixelRect(x: x, y: y, width: width, height: hole.y - y),
      PixelRect(x: x, y: hole.y, width: hole.x - x, height: hole.height),
      PixelRect(x: right, y: hole.y, width: x + width - right, height: hole.height),
      PixelRect(x: x, y: below, width: width, height: y + height - below),
    ].filter { !$0.isEmpty }
  }
}

extension BgraPicture {
  /// Makes `rect` black.
  public func blacken(_ rect: PixelRect) {
    let part = rect.clipped(to: size)
    for row in 0..<part.height {
      (base + (part.y + row) * stride + part.x * 4).initializeMemory(
        as: UInt8.self, repeating: 0, count: part.width * 4)
    }
  }
}
