// Owns the front of a take: ftyp, moov and the room for its index, and where in them the durations stand.

/// What the front of a fragmented movie says (ISO/IEC 14496-12).
struct MovieHeader {
  static let timescale = 90_000
  /// Bytes kept for the sidx box: one reference for each group that begins with a keyframe, 12 bytes each.
  static let indexRoom = 32_768
  static let mostReferences = (indexRoom - 8 - 40) / 12

  let size: PictureSize
  let decoderConfiguration: [UInt8]

  /// ftyp, moov and an empty room (a free box) of `indexRoom` bytes.
  func bytes() -> [UInt8] {
    var writer = ByteWriter()
    writer.box("ftyp") { box in
      box.text("iso6")
      box.u32(512)
      for brand: StaticString in ["iso6", "isom", "avc1", "mp41", "dash"] { box.text(brand) }
    }
    writer.box("moov") { moov in
      moov.fullBox("mvhd", version: 1, flags: 0) { box in
        box.zeros(16)  // creation and modification time: not told
        box.u32(Self.timescale)
        box.u64(0)  // duration, patched as the take grows
        box.u32(0x10000)  // rate 1.0
        box.u16(0x100)  // volume 1.0
        box.zeros(10)
        Self.unityMatrix(&box)
        box.zeros(24)
        box.u32(2)  // next track id
      }
      moov.box("trak") { trak in
        track(&trak)
      }
      moov.box("mvex") { mvex in
        mvex.fullBox("mehd", version: 1, flags: 0) { $0.u64(0) }
        mvex.fullBox("trex", version: 0, flags: 0) { box in
          box.u32(1)
          box.u32(1)
          box.zeros(12)
        }
      }
    }
    writer.box("free") { $0.zeros(Self.indexRoom - 8) }
    return writer.bytes
  }

  private func track(_ trak: inout ByteWriter) {
    trak.fullBox("tkhd", version: 1, flags: 3) { box in
      box.zeros(16)
      box.u32(1)
      box.u32(0)
      box.u64(0)  // duration, patched
      box.zeros(16)
      Self.unityMatrix(&box)
      box.u32(size.width << 16)
      box.u32(size.height << 16)
    }
    trak.box("mdia") { mdia in
      mdia.fullBox("mdhd", version: 1, flags: 0) { box in
        box.zeros(16)
        box.u32(Self.timescale)
        box.u64(0)  // duration, patched
        box.u16(0x55c4)  // “und”
        box.u16(0)
      }
      mdia.fullBox("hdlr", version: 0, flags: 0) { box in
        box.u32(0)
        box.text("vide")
        box.zeros(12)
        box.text("Screen")
        box.u8(0)
      }
      mdia.box("minf") { minf in
        minf.fullBox("vmhd", version: 0, flags: 1) { $0.zeros(8) }
        minf.box("dinf") { dinf in
          dinf.fullBox("dref", version: 0, flags: 0) { box in
            box.u32(1)
            box.fullBox("url ", version: 0, flags: 1) { _ in }
          }
        }
        minf.box("stbl") { sampleTable(&$0) }
      }
    }
  }

  private func sampleTable(_ stbl: inout ByteWriter) {
    stbl.fullBox("stsd", version: 0, flags: 0) { stsd in
      stsd.u32(1)
      stsd.box("avc1") { box in
        box.zeros(6)
        box.u16(1)
        box.zeros(16)
        box.u16(size.width)
        box.u16(size.height)
        box.u32(0x480000)  // 72 dpi
        box.u32(0x480000)
        box.u32(0)
        box.u16(1)
        box.zeros(32)
        box.u16(24)
        box.u16(0xffff)
        box.box("avcC") { $0.raw(decoderConfiguration) }
        box.box("colr") { colr in
          colr.text("nclx")
          // BT.709 primaries, transfer and matrix (ISO/IEC 23091-2), limited range.
          colr.u16(1)
          colr.u16(1)
          colr.u16(1)
          colr.u8(0)
        }
      }
    }
    // The samples are in the fragments.
    stbl.fullBox("stts", version: 0, flags: 0) { $0.u32(0) }
    stbl.fullBox("stsc", version: 0, flags: 0) { $0.u32(0) }
    stbl.fullBox("stsz", version: 0, flags: 0) { $0.zeros(8) }
    stbl.fullBox("stco", version: 0, flags: 0) { $0.u32(0) }
  }

  private static func unityMatrix(_ box: inout ByteWriter) {
    for value in [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000] { box.u32(value) }
  }
}

/// Where the front of a file on disk keeps what has to be patched, and what it says.
struct MovieFront {
  var timescale = 0
  var width = 0
  var height = 0
  /// Offsets of the duration fields of mvhd, tkhd, mdhd and mehd, and their sizes (4 or 8 bytes).
  var durations: [(offset: Int, size: Int)] = []
  /// Offset and size of the room for the sidx box; nil when the file was not written here.
  var indexRoom: (offset: Int, size: Int)?
  /// Where the first fragment begins.
  var end = 0
  /// The largest moov that is read, in bytes, and how deep its boxes are followed: more than any recorder writes.
  private static let mostHeaderBytes = 64 << 20
  private static let mostDepth = 8

  /// Reads ftyp, moov and what stands before the first fragment; nil when that is no such file or is torn.
  static func read(_ file: any MediaFile) throws(RecorderError) -> MovieFront? {
    var front = MovieFront()
    var offset = 0
    var found = false
    var roomAt = 0
    while let box = try BoxHeader.read(file, at: offset), box.end <= file.size {
      // The index changes in several writes; a crash between them leaves boxes whose sizes are wrong. Its room is as
      // large as ever, and a fragment behind it shows that this is where it ends.
      let roomEnd = offset + MovieHeader.indexRoom
      let behind = try BoxHeader.read(file, at: roomEnd)?.type
      if found, box.type == "sidx" || box.type == "free", behind == "moof" || roomEnd == file.size {
        front.indexRoom = (offset, MovieHeader.indexRoom)
        front.end = roomEnd
        return front
      }
      switch box.type {
      case "moov":
        guard box.size < Self.mostHeaderBytes else { return nil }
        let bytes = try file.read(at: offset, count: box.size)
        guard bytes.count == box.size else { return nil }
        front.scan(ByteReader(bytes: bytes), from: 8, to: box.size, base: offset)
        found = front.timescale > 0
        roomAt = box.end
      case "moof", "mdat", "mfra":
        return found ? front : nil
      case "sidx":
        front.indexRoom = (offset, box.size)
      case "free":
        let begin = front.indexRoom?.offset ?? offset
        front.indexRoom = (begin, box.end - begin)
      default:
        break
      }
      offset = box.end
      front.end = offset
    }
    if found { try front.passTornIndex(file, at: roomAt) }
    return found ? front : nil
  }

  /// An index that a crash has torn says nothing, but its room has one size, and fragments follow it.
  private mutating func passTornIndex(_ file: any MediaFile, at offset: Int) throws(RecorderError) {
    let fragments = offset + MovieHeader.indexRoom
    guard end != fragments, try BoxHeader.read(file, at: fragments)?.type == "moof" else { return }
    indexRoom = (offset, MovieHeader.indexRoom)
    end = fragments
  }

  private mutating func scan(_ reader: ByteReader, from: Int, to: Int, base: Int, depth: Int = 0) {
    var at = from
    while let size = reader.u32(at), size >= 8, at + size <= to {
      let type = String(decoding: reader.bytes[at + 4..<at + 8], as: UTF8.self)
      let wide = reader.u8(at + 8) == 1
      switch type {
      case "trak", "mdia", "mvex":
        if depth < Self.mostDepth { scan(reader, from: at + 8, to: at + size, base: base, depth: depth + 1) }
      case "mvhd":
        durations.append((base + at + (wide ? 32 : 24), wide ? 8 : 4))
      case "tkhd":
        durations.append((base + at + (wide ? 36 : 28), wide ? 8 : 4))
        width = (reader.u32(at + size - 8) ?? 0) >> 16
        height = (reader.u32(at + size - 4) ?? 0) >> 16
      case "mdhd":
        timescale = reader.u32(at + (wide ? 28 : 20)) ?? 0
        durations.append((base + at + (wide ? 32 : 24), wide ? 8 : 4))
      case "mehd":
        durations.append((base + at + 12, wide ? 8 : 4))
      default:
        break
      }
      at += size
    }
  }

  func patchDuration(_ ticks: Int, in file: any MediaFile) throws(RecorderError) {
    for field in durations {
      var writer = ByteWriter()
      if field.size == 8 { writer.u64(ticks) } else { writer.u32(min(ticks, 0xffff_ffff)) }
      try file.write(writer.bytes, at: field.offset)
    }
  }
}

/// A box's place: type, where it begins, how long it is.
struct BoxHeader {
  let type: String
  let offset: Int
  let size: Int
  var end: Int { offset + size }

  static func read(_ file: any MediaFile, at offset: Int) throws(RecorderError) -> BoxHeader? {
    let reader = ByteReader(bytes: try file.read(at: offset, count: 16))
    guard let short = reader.u32(0), reader.bytes.count >= 8 else { return nil }
    let type = String(decoding: reader.bytes[4..<8], as: UTF8.self)
    let size = short == 1 ? (reader.u64(8) ?? 0) : short
    guard size >= 8, size <= Int.max - offset else { return nil }
    return BoxHeader(type: type, offset: offset, size: size)
  }
}
