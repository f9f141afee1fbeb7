// Owns what is promised of layouts: where tiles lie, and that each pixel shows what it should.

import Testing

@testable import RecorderCore

@Suite struct LayoutGeometryTests {
  private let hd = PictureSize(width: 1920, height: 1080)

  private func geometry(_ layout: LayoutConfig, _ sources: [(SourceKind, Int, Int)], maxWidth: Int = 1920)
    -> LayoutGeometry
  {
    LayoutGeometry(
      layout, sources: sources.map { .init($0.0, PictureSize(width: $0.1, height: $0.2)) }, maxWidth: maxWidth)
  }

  @Test func oneSourceIsShownAsItIs() {
    let one = geometry(LayoutConfig(.single), [(.display, 1365, 767), (.display, 800, 600)])
    #expect(one.canvas == PictureSize(width: 1364, height: 766) && one.isDirect)
    let wide = geometry(LayoutConfig(.single), [(.display, 3840, 2160)])
    #expect(wide.canvas == hd && !wide.isDirect && wide.tiles.map(\.rect) == [PixelRect(hd)])
  }

  @Test(arguments: [(1920, 1), (1, 1080), (1, 1), (4000, 1)])
  func aLineIsScaledToTheTwoThatShareChroma(_ width: Int, _ height: Int) throws {
    for kind in [LayoutConfig.Kind.single, .grid] {
      let line = geometry(LayoutConfig(kind), [(.display, width, height)])
      let tile = try #require(line.tiles.first)
      #expect(!tile.isUnscaled && !line.isDirect && tile.rect.width >= 2 && tile.rect.height >= 2)
      let picture = BgraPicture(size: PictureSize(width: width, height: height))
      picture.fill(PixelRect(picture.size), 0x404040)
      let compositor = SoftwareCompositor()
      compositor.arrange(line)
      _ = try compositor.compose([TileUpdate(tile: 0, picture: picture, damage: nil)], into: nil)
      let canvas = try #require(compositor.canvas)
      for (x, y) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let at = (tile.rect.y + y) * canvas.stride + (tile.rect.x + x) * 4
        #expect(canvas.base.load(fromByteOffset: at, as: UInt8.self) == 0x40)
      }
    }
  }

  @Test func theCanvasIsTheFirstDisplaysOrSixteenToNine() {
    let camera = (SourceKind.webcam, 640, 480)
    #expect(
      geometry(LayoutConfig(.grid), [camera, (.display, 1600, 1000), (.display, 800, 600)]).canvas
        == PictureSize(width: 1600, height: 1000))
    #expect(geometry(LayoutConfig(.grid), [camera, camera]).canvas == hd)
    #expect(geometry(LayoutConfig(.grid), [camera], maxWidth: 1280).canvas == PictureSize(width: 1280, height: 720))
    #expect(LayoutGeometry(LayoutConfig(.grid), sources: [], maxWidth: 1920).tiles.isEmpty)
  }

  @Test func fourDisplaysShareTheGridEqually() {
    let four = geometry(LayoutConfig(.grid), Array(repeating: (.display, 1920, 1080), count: 4))
    #expect(
      four.tiles.map(\.rect) == [
        PixelRect(x: 0, y: 0, width: 960, height: 540), PixelRect(x: 960, y: 0, width: 960, height: 540),
        PixelRect(x: 0, y: 540, width: 960, height: 540), PixelRect(x: 960, y: 540, width: 960, height: 540),
      ])
    let three = geometry(LayoutConfig(.grid), Array(repeating: (.display, 1920, 1080), count: 3))
    #expect(three.tiles[2].rect == PixelRect(x: 480, y: 540, width: 960, height: 540))
  }

  @Test func nothingIsEnlarged() {
    let small = geometry(LayoutConfig(.sideBySide), [(.window, 300, 200), (.webcam, 640, 480)])
    #expect(small.tiles[0].rect == PixelRect(x: 330, y: 440, width: 300, height: 200) && small.tiles[0].isUnscaled)
    #expect(small.tiles[1].rect == PixelRect(x: 1120, y: 300, width: 640, height: 480))
  }

  @Test(arguments: [
    (LayoutConfig.Corner.topLeft, 38, 38), (.topRight, 1402, 38), (.bottomLeft, 38, 772), (.bottomRight, 1402, 772),
  ])
  func theSmallPictureLiesInItsCorner(_ corner: LayoutConfig.Corner, x: Int, y: Int) {
    let two = geometry(
      LayoutConfig(.pictureInPicture, corner: corner, size: 0.25), [(.display, 1920, 1080), (.display, 1920, 1080)])
    #expect(two.tiles[1].rect == PixelRect(x: x, y: y, width: 480, height: 270))
    // What the small one covers is not painted below it.
    let visible = two.visible(two.tiles[0].rect, ofTile: 0)
    #expect(visible.reduce(0) { $0 + $1.area } == hd.area - 480 * 270)
    #expect(visible.allSatisfy { $0.intersection(two.tiles[1].rect).isEmpty })
  }

  @Test func everyLayoutOfOneToNineSourcesIsEvenInsideAndInShape() {
    var random = Seeded(state: 11)
    for kind in [LayoutConfig.Kind.grid, .sideBySide, .pictureInPicture] {
      for count in 1...9 {
        let sources = (0..<count).map { _ in
          (SourceKind.window, Int.random(in: 16...4000, using: &random), Int.random(in: 16...3000, using: &random))
        }
        let found = geometry(LayoutConfig(kind, size: 0.5), sources, maxWidth: 1366)
        #expect(found.tiles.count == count)
        for (index, tile) in found.tiles.enumerated() {
          let rect = tile.rect
          #expect(rect.clipped(to: found.canvas) == rect && !rect.isEmpty)
          #expect([rect.x, rect.y, rect.width, rect.height].allSatisfy { $0 % 2 == 0 })
          let (_, width, height) = sources[index]
          #expect(rect.width <= width && rect.height <= height)
          // Even sizes bend the shape by at most two pixels, and by what the smallest size demands.
          let scale = Double(rect.width) / Double(width)
          #expect(abs(Double(height) * scale - Double(rect.height)) <= 2 + 2 * Double(height) / Double(width))
          let others = found.tiles[(index + 1)...].filter { kind != .pictureInPicture || index > 0 && $0.source > 0 }
          #expect(others.allSatisfy { $0.rect.intersection(rect).isEmpty }, "\(kind) of \(count)")
        }
      }
    }
  }
}

@Suite struct CompositorTests {
  private func noise(_ size: PictureSize, _ seed: UInt64) -> BgraPicture {
    var random = Seeded(state: seed)
    let picture = BgraPicture(size: size)
    let pixels = picture.base.assumingMemoryBound(to: UInt32.self)
    for index in 0..<size.area { pixels[index] = UInt32.random(in: 0...0xffffff, using: &random) }
    return picture
  }

  /// The mean of what a pixel covers, straight from its definition.
  private func expected(_ picture: BgraPicture, _ tile: LayoutGeometry.Tile, x: Int, y: Int, channel: Int) -> Double {
    func at(_ x: Int, _ y: Int) -> Double {
      Double(picture.base.load(fromByteOffset: y * picture.stride + x * 4 + channel, as: UInt8.self))
    }
    if tile.isUnscaled { return at(x, y) }
    let stepX = Double(picture.size.width) / Double(tile.rect.width)
    let stepY = Double(picture.size.height) / Double(tile.rect.height)
    var sum = 0.0
    for row in Int(Double(y) * stepY)..<min(picture.size.height, Int((Double(y + 1) * stepY).rounded(.up))) {
      let high = min(Double(row + 1), Double(y + 1) * stepY) - max(Double(row), Double(y) * stepY)
      for column in Int(Double(x) * stepX)..<min(picture.size.width, Int((Double(x + 1) * stepX).rounded(.up))) {
        let wide = min(Double(column + 1), Double(x + 1) * stepX) - max(Double(column), Double(x) * stepX)
        sum += at(column, row) * max(0, high) * max(0, wide)
      }
    }
    return sum / (stepX * stepY)
  }

  private func worstDifference(_ canvas: BgraPicture, _ geometry: LayoutGeometry, _ pictures: [BgraPicture]) -> Double {
    var worst = 0.0
    for y in 0..<canvas.size.height {
      for x in 0..<canvas.size.width {
        let tile = geometry.tiles.last { tile in
          (tile.rect.x..<tile.rect.x + tile.rect.width).contains(x)
            && (tile.rect.y..<tile.rect.y + tile.rect.height).contains(y)
        }
        for channel in 0..<3 {
          let is8 = canvas.base.load(fromByteOffset: y * canvas.stride + x * 4 + channel, as: UInt8.self)
          let wanted =
            tile.map {
              expected(pictures[$0.source], $0, x: x - $0.rect.x, y: y - $0.rect.y, channel: channel)
            } ?? 0
          worst = max(worst, abs(Double(is8) - wanted))
        }
      }
    }
    return worst
  }

  @Test(arguments: [LayoutConfig.Kind.grid, .sideBySide, .pictureInPicture, .single])
  func everyPixelShowsWhatItShould(_ kind: LayoutConfig.Kind) throws {
    let sizes = [(256, 144), (192, 108), (50, 150), (61, 37)].map { PictureSize(width: $0.0, height: $0.1) }
    let pictures = sizes.enumerated().map { noise($1, UInt64($0 + 1)) }
    let geometry = LayoutGeometry(
      LayoutConfig(kind, corner: .topLeft, size: 0.2), sources: sizes.map { .init(.display, $0) }, maxWidth: 192)
    let compositor = SoftwareCompositor()
    compositor.arrange(geometry)
    let planes = Nv12Picture(size: geometry.canvas)
    let updates = geometry.tiles.enumerated().map {
      TileUpdate(tile: $0, picture: pictures[$1.source], damage: nil)
    }
    #expect(try compositor.compose(updates, into: planes) > 0)
    let canvas = try #require(compositor.canvas)
    // Weights are 256ths in each direction: noise is the worst they can meet.
    #expect(worstDifference(canvas, geometry, pictures) <= 3)
    // The planes are that canvas.
    let again = Nv12Picture(size: geometry.canvas)
    _ = again.update(from: canvas, in: [PixelRect(geometry.canvas)])
    let same = (0..<geometry.canvas.height).allSatisfy { row in
      (0..<geometry.canvas.width).allSatisfy {
        again.luma[row * again.lumaStride + $0] == planes.luma[row * planes.lumaStride + $0]
      }
    }
    #expect(same)
  }

  @Test func exactHalvesAreExact() throws {
    let picture = noise(PictureSize(width: 128, height: 96), 5)
    let half = BgraPicture(size: PictureSize(width: 64, height: 48))
    half.shrink(picture, into: PixelRect(half.size))
    let tile = LayoutGeometry.Tile(source: 0, rect: PixelRect(half.size), isUnscaled: false)
    let geometry = LayoutGeometry(LayoutConfig(.single), sources: [.init(.display, picture.size)], maxWidth: 64)
    #expect(geometry.tiles == [tile] && worstDifference(half, geometry, [picture]) <= 0.5)
  }

  @Test func damageAloneGivesTheSamePictureAsAllOfIt() throws {
    var random = Seeded(state: 9)
    let sizes = [(400, 300), (301, 177), (64, 64)].map { PictureSize(width: $0.0, height: $0.1) }
    for kind in [LayoutConfig.Kind.grid, .pictureInPicture, .sideBySide] {
      let pictures = sizes.enumerated().map { noise($1, UInt64($0 + 20)) }
      let geometry = LayoutGeometry(
        LayoutConfig(kind, size: 0.3), sources: sizes.map { .init(.display, $0) }, maxWidth: 320)
      let compositor = SoftwareCompositor()
      compositor.arrange(geometry)
      let planes = Nv12Picture(size: geometry.canvas)
      func whole() -> [TileUpdate] {
        geometry.tiles.enumerated().map { TileUpdate(tile: $0, picture: pictures[$1.source], damage: nil) }
      }
      _ = try compositor.compose(whole(), into: planes)
      for _ in 0..<30 {
        let tile = Int.random(in: 0..<geometry.tiles.count, using: &random)
        let picture = pictures[geometry.tiles[tile].source]
        let rect = PixelRect(
          x: Int.random(in: 0..<picture.size.width, using: &random),
          y: Int.random(in: 0..<picture.size.height, using: &random), width: 23, height: 9
        ).clipped(to: picture.size)
        picture.fill(rect, UInt32.random(in: 0...0xffffff, using: &random))
        _ = try compositor.compose([TileUpdate(tile: tile, picture: picture, damage: [rect])], into: planes)
      }
      let fresh = SoftwareCompositor()
      fresh.arrange(geometry)
      _ = try fresh.compose(whole(), into: Nv12Picture(size: geometry.canvas))
      let (left, right) = (try #require(compositor.canvas), try #require(fresh.canvas))
      #expect(
        (0..<left.byteCount).allSatisfy {
          $0 % 4 == 3
            || left.base.load(fromByteOffset: $0, as: UInt8.self) == right.base.load(fromByteOffset: $0, as: UInt8.self)
        })
      #expect(try compositor.compose(whole(), into: planes) == 0, "the planes were up to date: \(kind)")
    }
  }

  @Test func aLostSourceIsBlackAlsoWhereNothingIsComposed() throws {
    let size = PictureSize(width: 64, height: 32)
    let picture = noise(size, 3)
    let geometry = LayoutGeometry(LayoutConfig(), sources: [.init(.display, size)], maxWidth: 1920)
    let compositor = SoftwareCompositor()
    compositor.arrange(geometry)
    let planes = Nv12Picture(size: size)
    #expect(geometry.isDirect && compositor.canvas == nil)
    #expect(try compositor.compose([TileUpdate(tile: 0, picture: picture, damage: nil)], into: planes) == 1)
    #expect(try compositor.compose([TileUpdate(tile: 0, picture: nil, damage: nil)], into: planes) == 1)
    #expect((0..<size.width).allSatisfy { planes.luma[$0] == 16 })
  }
}

@Suite struct TestPatternTests {
  @Test func theCounterAndItsParityAreInThePicture() {
    let pattern = TestPattern(size: PictureSize(width: 640, height: 360))
    let picture = BgraPicture(size: pattern.size)
    pattern.paintGround(on: picture)
    var last: Int?
    for number in [0, 1, 77, 1_000_003, 77] {
      _ = pattern.paint(number, atMs: Double(number) * 10, over: last, on: picture)
      last = number
      #expect(
        pattern.counter { picture.base.load(fromByteOffset: $1 * picture.stride + $0 * 4, as: UInt8.self) }
          == number)
    }
  }

  @Test func aFrameIsAFunctionOfItsNumberAndTime() {
    let pattern = TestPattern(size: PictureSize(width: 320, height: 180))
    let (left, right) = (BgraPicture(size: pattern.size), BgraPicture(size: pattern.size))
    pattern.paintGround(on: left)
    pattern.paintGround(on: right)
    _ = pattern.paint(3, atMs: 1, over: nil, on: left)
    _ = pattern.paint(400, atMs: 5, over: 3, on: left)
    _ = pattern.paint(400, atMs: 5, over: nil, on: right)
    #expect(
      (0..<left.byteCount).allSatisfy {
        left.base.load(fromByteOffset: $0, as: UInt8.self) == right.base.load(fromByteOffset: $0, as: UInt8.self)
      })
  }

  @Test(arguments: ["", "x", "12x12", "640x", "640x480@", "640x480@0", "640x480@15@2", "99999x1", "1e9x3"])
  func aTargetThatIsNoneIsRefused(_ target: String) {
    let request = SourceRequest(
      sourceId: "t", kind: .testPattern, targetId: target, showCursor: false, fps: 15, exclusions: Exclusions())
    #expect(throws: RecorderError.self) {
      _ = try TestPatternSource(request, clock: SessionClock(nowMs: wallMs), waker: TestSignal())
    }
  }
}
