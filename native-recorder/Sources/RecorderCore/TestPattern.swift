// Owns the test picture: colour bars, a box that moves, a frame counter for people and for programs, the time.

/// The picture of a frame is a function of its number, the time and the size alone.
struct TestPattern {
  /// Cells of the counter's row: white, black, the bits of the counter with the highest first, their parity, black.
  static let counterBits = 24
  static let cells = counterBits + 4

  let size: PictureSize

  /// The cells lie along the lower edge, each as high as it is wide.
  var cellSide: Int { max(2, size.width / Self.cells) }
  var cellTop: Int { size.height - cellSide }
  /// Digits of 3x5 dots; ten of them and a little more are as wide as the picture.
  private var dot: Int { max(1, size.width / 72) }
  private var textTop: Int { max(0, cellTop - 13 * dot) }
  private var textHeight: Int { cellTop - textTop }

  /// Colours of the bars as 0xRRGGBB: 75 % bars (SMPTE EG 1), without their lower part.
  private static let bars: [UInt32] = [0xbfbfbf, 0xbfbf00, 0x00bfbf, 0x00bf00, 0xbf00bf, 0xbf0000, 0x0000bf]

  /// Paints all that stands still.
  func paintGround(on picture: BgraPicture) {
    paintBars(on: picture, PixelRect(x: 0, y: 0, width: size.width, height: textTop))
    picture.fill(PixelRect(x: 0, y: textTop, width: size.width, height: size.height - textTop), 0x101010)
  }

  /// Paints frame `number` over frame `previous`. Returns what changed.
  func paint(_ number: Int, atMs: Double, over previous: Int?, on picture: BgraPicture) -> [PixelRect] {
    var damage: [PixelRect] = []
    if let previous {
      let old = box(previous)
      paintBars(on: picture, old)
      damage.append(old)
    }
    let box = box(number)
    picture.fill(box, 0xffffff)
    picture.fill(box.inset(by: max(1, box.width / 8)), 0x202020)
    damage.append(box)
    let text = PixelRect(x: 0, y: textTop, width: size.width, height: textHeight)
    picture.fill(text, 0x101010)
    write(Self.padded(number, 6), line: 0, on: picture)
    write(Self.timeText(atMs), line: 1, on: picture)
    damage.append(text)
    let bits = Self.cellValues(number)
    for (index, isLight) in bits.enumerated() {
      picture.fill(cell(index), isLight ? 0xffffff : 0x000000)
    }
    damage.append(PixelRect(x: 0, y: cellTop, width: cellSide * bits.count, height: cellSide))
    return damage
  }

  func cell(_ index: Int) -> PixelRect {
    PixelRect(x: index * cellSide, y: cellTop, width: cellSide, height: cellSide).clipped(to: size)
  }

  static func cellValues(_ number: Int) -> [Bool] {
    let bits = (0..<counterBits).reversed().map { number >> $0 & 1 == 1 }
    return [true, false] + bits + [bits.count { $0 } % 2 == 1, false]
  }

  /// A square that goes to and fro over the bars.
  private func box(_ number: Int) -> PixelRect {
    let side = max(2, min(size.width, textTop) / 4)
    let way = max(1, size.width - side)
    let step = max(1, size.width / 96)
    let place = (number * step) % (2 * way)
    return PixelRect(
      x: place < way ? place : 2 * way - place, y: max(0, textTop - side) / 2, width: side, height: side
    ).clipped(to: size)
  }

  private func paintBars(on picture: BgraPicture, _ part: PixelRect) {
    let count = Self.bars.count
    for (index, colour) in Self.bars.enumerated() {
      let left = size.width * index / count
      let bar = PixelRect(x: left, y: 0, width: size.width * (index + 1) / count - left, height: textTop)
      picture.fill(bar.intersection(part), colour)
    }
  }

  private func write(_ text: String, line: Int, on picture: BgraPicture) {
    for (place, character) in text.unicodeScalars.enumerated() {
      guard let rows = Self.glyphs[character] else { continue }
      for (row, bits) in rows.enumerated() {
        for column in 0..<3 where bits >> (2 - column) & 1 == 1 {
          let rect = PixelRect(
            x: (2 + place * 4 + column) * dot, y: textTop + (1 + line * 6 + row) * dot, width: dot, height: dot)
          picture.fill(rect, 0xf0f0f0)
        }
      }
    }
  }

  private static func timeText(_ ms: Double) -> String {
    let ms = Int(max(0, ms))
    return padded(ms / 3_600_000, 1) + ":" + padded(ms / 60_000 % 60, 2) + ":" + padded(ms / 1000 % 60, 2) + "."
      + padded(ms % 1000, 3)
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// Five rows of three dots each, the left dot first.
  private static let glyphs: [Unicode.Scalar: [UInt8]] = [
    "0": [7, 5, 5, 5, 7], "1": [2, 6, 2, 2, 7], "2": [7, 1, 7, 4, 7], "3": [7, 1, 7, 1, 7], "4": [5, 5, 7, 1, 1],
    "5": [7, 4, 7, 1, 7], "6": [7, 4, 7, 5, 7], "7": [7, 1, 1, 2, 2], "8": [7, 5, 7, 5, 7], "9": [7, 5, 7, 1, 7],
    ":": [0, 2, 0, 2, 0], ".": [0, 0, 0, 0, 2],
  ]
}

extension BgraPicture {
  /// Fills what lies inside the picture with a colour, 0xRRGGBB.
  func fill(_ rect: PixelRect, _ colour: UInt32) {
    let part = rect.clipped(to: size)
    guard !part.isEmpty else { return }
    for row in part.y..<(part.y + part.height) {
      (base + row * stride + part.x * 4).initializeMemory(as: UInt32.self, repeating: colour, count: part.width)
    }
  }
}

extension PixelRect {
  func inset(by margin: Int) -> PixelRect {
    PixelRect(x: x + margin, y: y + margin, width: width - 2 * margin, height: height - 2 * margin)
  }
}

extension TestPattern {
  /// Reads the counter back from a picture of the pattern, of which `tile` is the place: `luma` answers 0…255 at (x, y).
  /// Nil when the row of cells is not there or its parity is wrong.
  func counter(in tile: PixelRect? = nil, _ luma: (Int, Int) -> UInt8) -> Int? {
    let tile = tile ?? PixelRect(size)
    let values = (0..<Self.cells).map { index -> Bool in
      let cell = cell(index)
      let x = tile.x + (cell.x + cell.width / 2) * tile.width / size.width
      let y = tile.y + (cell.y + cell.height / 2) * tile.height / size.height
      return luma(x, y) > 128
    }
    let number = values[2..<(2 + Self.counterBits)].reduce(0) { $0 << 1 | ($1 ? 1 : 0) }
    return values == Self.cellValues(number) ? number : nil
  }
}
