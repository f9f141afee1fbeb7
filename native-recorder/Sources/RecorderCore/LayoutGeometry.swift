// Owns where each source's picture lies in the video's picture. Pure: sizes in, rectangles out.

/// A picture and the tiles in it. Bars between and around the tiles are black.
public struct LayoutGeometry: Sendable, Equatable {
  /// What is known of a source before it is laid out.
  public struct Shape: Sendable, Equatable {
    public let kind: SourceKind
    /// Of its picture; nil when it has not been opened yet.
    public let size: PictureSize?

    public init(_ kind: SourceKind, _ size: PictureSize?) {
      self.kind = kind
      self.size = size
    }
  }

  public struct Tile: Sendable, Equatable {
    /// Place of the source in the list that was laid out.
    public let source: Int
    /// Where all of its picture lies; even, because chroma is shared by 2x2 pixels.
    public let rect: PixelRect
    /// One pixel of the source is one pixel here; an odd last column or row is cropped.
    public let isUnscaled: Bool
  }

  public let canvas: PictureSize
  /// Later ones lie on top of earlier ones.
  public let tiles: [Tile]

  /// One tile that is the whole picture, pixel by pixel: nothing has to be composed.
  public var isDirect: Bool { tiles.count == 1 && tiles[0].isUnscaled && tiles[0].rect == PixelRect(canvas) }

  /// `single` shows the first source only, at its own size; the other layouts fill a picture of the first display's
  /// size, or one of 16:9 when no display is among the sources. Nothing is wider than `maxWidth`.
  public init(_ layout: LayoutConfig, sources: [Shape], maxWidth: Int) {
    let canvas = Self.canvas(layout, sources, maxWidth)
    self.canvas = canvas
    if layout.kind == .single {
      let size = sources.first?.size
      tiles =
        size.map { [Tile(source: 0, rect: PixelRect(canvas), isUnscaled: $0.width <= maxWidth && $0.hasChroma)] } ?? []
      return
    }
    let cells =
      switch layout.kind {
      case .single, .grid: Self.grid(sources.count, canvas)
      case .sideBySide: Self.split(PixelRect(canvas), columns: sources.count, of: sources.count)
      case .pictureInPicture: Self.pictureInPicture(layout, sources, canvas)
      }
    tiles = zip(sources, cells).enumerated().compactMap { index, pair in
      pair.0.size.map { Self.tile(index, $0, in: pair.1) }
    }
  }

  /// The part of a tile's rectangle that no tile above it covers.
  public func visible(_ rect: PixelRect, ofTile tile: Int) -> [PixelRect] {
    var parts = [rect]
    for above in tiles[(tile + 1)...] { parts = parts.flatMap { $0.subtracting(above.rect) } }
    return parts
  }

  private static func canvas(_ layout: LayoutConfig, _ sources: [Shape], _ maxWidth: Int) -> PictureSize {
    let leading = layout.kind == .single ? sources.first : sources.first { $0.kind == .display && $0.size != nil }
    if let size = leading?.size { return size.fitted(maxWidth: maxWidth) }
    return PictureSize(width: 1920, height: 1080).fitted(maxWidth: maxWidth)
  }

  /// As square as it can be; a last row that is not full is centred.
  private static func grid(_ count: Int, _ canvas: PictureSize) -> [PixelRect] {
    let columns = (1...max(1, count)).first { $0 * $0 >= count } ?? 1
    let rows = (count + columns - 1) / columns
    return (0..<rows).flatMap { row in
      let top = even(canvas.height * row / rows)
      let bottom = even(canvas.height * (row + 1) / rows)
      let line = PixelRect(x: 0, y: top, width: canvas.width, height: bottom - top)
      return split(line, columns: columns, of: min(columns, count - row * columns))
    }
  }

  /// `count` cells next to each other, each as wide as one of `columns`, centred.
  private static func split(_ line: PixelRect, columns: Int, of count: Int) -> [PixelRect] {
    let width = even(line.width / max(1, columns))
    let left = line.x + even((line.width - width * count) / 2)
    return (0..<count).map { PixelRect(x: left + width * $0, y: line.y, width: width, height: line.height) }
  }

  /// The first source fills the picture; the others lie in a row that begins in the corner, all narrower where they
  /// would not fit.
  private static func pictureInPicture(
    _ layout: LayoutConfig, _ sources: [Shape], _ canvas: PictureSize
  ) -> [PixelRect] {
    let whole = PixelRect(canvas)
    let margin = even(canvas.width / 50)
    let others = sources.dropFirst()
    let room = others.isEmpty ? 0 : (canvas.width - margin) / others.count - margin
    let width = max(2, even(min(Int((Double(canvas.width) * layout.size).rounded()), room)))
    let isLeft = layout.corner == .topLeft || layout.corner == .bottomLeft
    let isTop = layout.corner == .topLeft || layout.corner == .topRight
    let small = others.enumerated().map { index, source in
      // The cell has the picture's own shape, so that no bars cover what lies behind it.
      let size = fitted(source.size ?? canvas, in: PictureSize(width: width, height: canvas.height / 2))
      let x = margin + index * (width + margin)
      return PixelRect(
        x: isLeft ? x : canvas.width - x - size.width, y: isTop ? margin : canvas.height - margin - size.height,
        width: size.width, height: size.height)
    }
    return [whole] + small
  }

  private static func tile(_ index: Int, _ size: PictureSize, in cell: PixelRect) -> Tile {
    let picture = fitted(size, in: PictureSize(width: cell.width, height: cell.height))
    return Tile(
      source: index,
      rect: PixelRect(
        x: cell.x + even((cell.width - picture.width) / 2), y: cell.y + even((cell.height - picture.height) / 2),
        width: picture.width, height: picture.height),
      isUnscaled: size.width <= cell.width && size.height <= cell.height && size.hasChroma)
  }

  /// The largest size of the same shape that fits, never larger than the picture itself.
  private static func fitted(_ size: PictureSize, in cell: PictureSize) -> PictureSize {
    let scale = min(1, Double(cell.width) / Double(size.width), Double(cell.height) / Double(size.height))
    func scaled(_ length: Int) -> Int { max(2, even(Int((Double(length) * scale).rounded()))) }
    return PictureSize(width: min(scaled(size.width), cell.width), height: min(scaled(size.height), cell.height))
  }

  private static func even(_ value: Int) -> Int { value & ~1 }
}

extension PictureSize {
  /// Whether it has the two rows and columns that share chroma; the one of a line is shown twice.
  fileprivate var hasChroma: Bool { width > 1 && height > 1 }
}

extension PixelRect {
  func moved(byX dx: Int, y dy: Int) -> PixelRect {
    PixelRect(x: x + dx, y: y + dy, width: width, height: height)
  }
}
