// Owns what is promised of pixel regions: after any sequence of operations they hold exactly the right pixels, once.

import Testing

@testable import RecorderCore

@Suite struct PixelRegionTests {
  /// A region beside the plain set of its pixels.
  private struct Pair {
    var region = PixelRegion()
    var pixels: Set<Int> = []
  }

  private func pixels(_ rect: PixelRect) -> Set<Int> {
    var found: Set<Int> = []
    for y in rect.y..<rect.y + rect.height { for x in rect.x..<rect.x + rect.width { found.insert(y * 1000 + x) } }
    return found
  }

  private func rect(_ numbers: inout SystemRandomNumberGenerator) -> PixelRect {
    PixelRect(
      x: .random(in: 0..<24, using: &numbers), y: .random(in: 0..<24, using: &numbers),
      width: .random(in: 1..<14, using: &numbers), height: .random(in: 1..<14, using: &numbers))
  }

  @Test func anySequenceOfOperationsIsThatOfPlainSets() {
    var numbers = SystemRandomNumberGenerator()
    for _ in 0..<60 {
      var one = Pair()
      var other = Pair()
      for _ in 0..<12 {
        let added = rect(&numbers)
        let taken = rect(&numbers)
        one.region.add(added)
        one.pixels.formUnion(pixels(added))
        other.region.add(taken)
        other.pixels.formUnion(pixels(taken))
        one.region.subtract(taken)
        one.pixels.subtract(pixels(taken))
      }
      // Disjoint rectangles have as many pixels as their areas say.
      #expect(one.region.rects.reduce(0) { $0 + $1.area } == one.pixels.count)
      #expect(set(one.region) == one.pixels)
      #expect(set(one.region.adding(other.region)) == one.pixels.union(other.pixels))
      #expect(set(one.region.subtracting(other.region)) == one.pixels.subtracting(other.pixels))
      #expect(set(one.region.intersection(other.region)) == one.pixels.intersection(other.pixels))
      #expect(set(one.region.moved(x: 3, y: 2)) == Set(one.pixels.map { $0 + 2003 }))
    }
  }

  private func set(_ region: PixelRegion) -> Set<Int> { region.rects.reduce(into: []) { $0.formUnion(pixels($1)) } }
}
