// Owns the index at the front of a take (sidx, ISO/IEC 14496-12, 8.16.3): one reference for each group of fragments
// that begins with a keyframe. Players find any moment through it with one range request.

struct MovieIndex {
  struct Reference: Equatable {
    var bytes: Int
    var ticks: Int
  }

  private(set) var references: [Reference] = []
  /// The first reference that changed since it was last written.
  private var clean = 0

  mutating func add(bytes: Int, ticks: Int, beginsWithKeyframe: Bool) {
    if beginsWithKeyframe || references.isEmpty {
      // A full index keeps working with references twice as long.
      if references.count == MovieHeader.mostReferences { halve() }
      references.append(Reference(bytes: bytes, ticks: ticks))
    } else {
      references[references.count - 1].bytes += bytes
      references[references.count - 1].ticks += ticks
    }
    clean = min(clean, references.count - 1)
  }

  /// The writes that bring the room at `offset` up to date. The room's rest is a free box.
  mutating func patches(at offset: Int, room: Int) -> [(offset: Int, bytes: [UInt8])] {
    let size = 40 + references.count * 12
    guard !references.isEmpty, size + 8 <= room else { return [] }
    var head = ByteWriter()
    head.u32(size)
    head.text("sidx")
    head.u32(1 << 24)
    head.u32(1)  // the track
    head.u32(MovieHeader.timescale)
    head.u64(0)  // earliest presentation time
    head.u64(room - size)  // from the end of this box to the first fragment
    head.u16(0)
    head.u16(references.count)
    var tail = ByteWriter()
    let first = min(clean, references.count - 1)
    for reference in references[first...] {
      tail.u32(reference.bytes)
      tail.u32(reference.ticks)
      tail.u32(1 << 31 | 1 << 28)  // begins with a keyframe (SAP type 1)
    }
    tail.u32(room - size)
    tail.text("free")
    clean = references.count
    return [(offset, head.bytes), (offset + 40 + first * 12, tail.bytes)]
  }

  private mutating func halve() {
    var joined: [Reference] = []
    for index in stride(from: 0, to: references.count, by: 2) {
      var reference = references[index]
      if index + 1 < references.count {
        reference.bytes += references[index + 1].bytes
        reference.ticks += references[index + 1].ticks
      }
      joined.append(reference)
    }
    references = joined
    clean = 0
  }
}
