// Owns the index at the front of a take (sidx, ISO/IEC 14496-12, 8.16.3): one reference for each group of fragments
// that begins with a keyframe. Players find any moment through it with one range request.

struct MovieIndex {
  struct Reference: Equatable {
    var bytes: Int
    var ticks: Int
  }

  private(set) var references: [Reference] = []

  mutating func add(bytes: Int, ticks: Int, beginsWithKeyframe: Bool) {
    if beginsWithKeyframe || references.isEmpty {
      // A full index keeps working with references twice as long.
      if references.count == MovieHeader.mostReferences { halve() }
      references.append(Reference(bytes: bytes, ticks: ticks))
    } else {
      references[references.count - 1].bytes += bytes
      references[references.count - 1].ticks += ticks
    }
  }

  /// The last group lasts longer than was said.
  mutating func extend(ticks: Int) {
    guard !references.isEmpty else { return }
    references[references.count - 1].ticks += ticks
  }

  /// The index as it has to stand at the front of a room of this size, up to and with the head of the free box behind
  /// it. Written at once: a process that is killed between two writes would leave boxes that do not follow each other.
  func bytes(room: Int) -> [UInt8] {
    let size = 40 + references.count * 12
    guard !references.isEmpty, size + 8 <= room else { return [] }
    var writer = ByteWriter()
    writer.u32(size)
    writer.text("sidx")
    writer.u32(1 << 24)
    writer.u32(1)  // the track
    writer.u32(MovieHeader.timescale)
    writer.u64(0)  // earliest presentation time
    writer.u64(room - size)  // from the end of this box to the first fragment
    writer.u16(0)
    writer.u16(references.count)
    for reference in references {
      writer.u32(reference.bytes)
      writer.u32(reference.ticks)
      writer.u32(1 << 31 | 1 << 28)  // begins with a keyframe (SAP type 1)
    }
    writer.u32(room - size)
    writer.text("free")
    return writer.bytes
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
  }
}
