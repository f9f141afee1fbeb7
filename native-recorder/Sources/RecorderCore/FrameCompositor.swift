// Owns how the sources' pictures become the one picture that is encoded. Only what changed is touched.

import CPixels

/// What is new in one tile.
public struct TileUpdate {
  public let tile: Int
  /// Nil paints the tile black: its source is lost, and a frozen picture would look alive.
  public let picture: BgraPicture?
  /// In the source's pixels; nil means all of it.
  public let damage: [PixelRect]?

  public init(tile: Int, picture: BgraPicture?, damage: [PixelRect]?) {
    self.tile = tile
    self.picture = picture
    self.damage = damage
  }
}

/// Confined to the video thread. A platform may bring one that works on its graphics processor.
public protocol FrameCompositor: AnyObject {
  /// From now on the tiles lie like this; the next `compose` paints all of them.
  func arrange(_ geometry: LayoutGeometry)
  /// Paints what changed, and takes it over into the planes; without planes it is kept for screenshots only. The first
  /// call with other planes takes over all of the picture, so every tile has to come with it where `isDirect`.
  /// Returns the share of the picture that really differs from before, 0…1.
  func compose(_ updates: [TileUpdate], into planes: Nv12Picture?) throws(RecorderError) -> Double
  /// The composed picture; nil when the only source's own picture is what is encoded.
  var canvas: BgraPicture? { get }
}

/// One unscaled source goes straight from its picture into the planes; everything else is painted on one canvas first.
final class SoftwareCompositor: FrameCompositor {
  private(set) var canvas: BgraPicture?
  private var geometry = LayoutGeometry(LayoutConfig(), sources: [], maxWidth: 2)
  private var known: ObjectIdentifier?
  private var isBlank = true

  func arrange(_ geometry: LayoutGeometry) {
    self.geometry = geometry
    isBlank = true
    if geometry.isDirect {
      canvas = nil
    } else if canvas?.size != geometry.canvas {
      canvas = BgraPicture(size: geometry.canvas)
    } else {
      canvas?.clear(PixelRect(geometry.canvas))
    }
  }

  func compose(_ updates: [TileUpdate], into planes: Nv12Picture?) throws(RecorderError) -> Double {
    let isAll = isBlank || planes.map { known != ObjectIdentifier($0) } ?? false
    known = planes.map { ObjectIdentifier($0) }
    isBlank = false
    guard let canvas else { return direct(updates, isAll: isAll, into: planes) }
    var damage: [PixelRect] = []
    for update in updates where geometry.tiles.indices.contains(update.tile) {
      damage += paint(update, on: canvas)
    }
    return planes?.update(from: canvas, in: isAll ? [PixelRect(canvas.size)] : damage) ?? 0
  }

  private func direct(_ updates: [TileUpdate], isAll: Bool, into planes: Nv12Picture?) -> Double {
    guard let planes else { return 0 }
    let whole = PixelRect(planes.size)
    guard let update = updates.last, let picture = update.picture else {
      guard isAll || !updates.isEmpty else { return 0 }
      // A lost source is rare: its black picture is made when it is needed.
      return planes.update(from: BgraPicture(size: planes.size), in: [whole])
    }
    return planes.update(from: picture, in: isAll ? [whole] : update.damage ?? [whole])
  }

  /// Returns the rectangles of the canvas that were painted.
  private func paint(_ update: TileUpdate, on canvas: BgraPicture) -> [PixelRect] {
    let tile = geometry.tiles[update.tile]
    guard let picture = update.picture else {
      let parts = geometry.visible(tile.rect, ofTile: update.tile)
      for part in parts { canvas.clear(part) }
      return parts
    }
    let size = PictureSize(width: tile.rect.width, height: tile.rect.height)
    var painted: [PixelRect] = []
    for rect in update.damage ?? [PixelRect(picture.size)] {
      let local = tile.isUnscaled ? rect.clipped(to: size) : rect.scaled(from: picture.size, to: size)
      let target = local.moved(byX: tile.rect.x, y: tile.rect.y)
      for part in geometry.visible(target, ofTile: update.tile) where !part.isEmpty {
        canvas.paint(picture, in: tile, part: part)
        painted.append(part)
      }
    }
    return painted
  }
}

extension BgraPicture {
  func clear(_ rect: PixelRect) {
    let part = rect.clipped(to: size)
    for row in part.y..<(part.y + part.height) {
      (base + row * stride + part.x * 4).initializeMemory(as: UInt8.self, repeating: 0, count: part.width * 4)
    }
  }

  /// Fills `part` (in this picture's pixels) of a tile from the picture that the whole tile shows.
  fileprivate func paint(_ source: BgraPicture, in tile: LayoutGeometry.Tile, part: PixelRect) {
    let local = part.moved(byX: -tile.rect.x, y: -tile.rect.y)
    guard tile.isUnscaled else {
      px_shrink_bgrx(
        source.bytes, source.stride, Int32(source.size.width), Int32(source.size.height),
        bytes + tile.rect.y * stride + tile.rect.x * 4, stride, Int32(tile.rect.width), Int32(tile.rect.height),
        Int32(local.x), Int32(local.y), Int32(local.width), Int32(local.height))
      return
    }
    for row in 0..<part.height {
      (base + (part.y + row) * stride + part.x * 4).copyMemory(
        from: source.base + (local.y + row) * source.stride + local.x * 4, byteCount: part.width * 4)
    }
  }
}
