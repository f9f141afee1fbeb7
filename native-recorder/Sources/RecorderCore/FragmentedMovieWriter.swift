// Owns a take's file: whatever happens, the file up to the last written fragment is a playable movie that says its true
// duration. A fragment is one write and one fdatasync.

/// Writes one H.264 track as fragmented MP4 (ISO/IEC 14496-12: ftyp, moov with mvex, sidx, then moof and mdat for each
/// fragment, mfra at the end). Times are ticks of 1/90000 s from the take's first frame. Used by one thread at a time.
public final class FragmentedMovieWriter {
  public private(set) var frames = 0
  public private(set) var fragments = 0
  /// What is on disk and synced.
  public private(set) var bytes: Int
  public private(set) var durationTicks = 0
  /// Frames that wait for their fragment's end.
  public var hasPending: Bool { !pending.isEmpty }

  private let file: any MediaFile
  private let front: MovieFront
  private var index = MovieIndex()
  private var pending: [EncodedFrame] = []
  private var keyframes: [(ticks: Int, moof: Int)] = []

  /// - Throws: `diskFull` or `ioError` when the file's front cannot be written.
  public init(file: any MediaFile, size: PictureSize, decoderConfiguration: [UInt8]) throws(RecorderError) {
    let head = MovieHeader(size: size, decoderConfiguration: decoderConfiguration).bytes()
    try file.write(head, at: 0)
    try file.sync()
    guard let front = try MovieFront.read(file) else {
      throw RecorderError(.internal, "The take's header could not be read back.")
    }
    self.file = file
    self.front = front
    bytes = head.count
  }

  /// Takes a frame into the fragment being collected. Presentation times grow strictly.
  public func add(_ frame: EncodedFrame) {
    pending.append(frame)
  }

  /// Writes what was collected; the last frame lasts until `endTicks`.
  /// - Throws: `diskFull` or `ioError`; the file then ends after its last whole fragment.
  public func cut(endTicks: Int) throws(RecorderError) {
    guard let first = pending.first else { return }
    let start = Int(first.presentationTicks)
    let fragment = encodeFragment(endTicks: max(endTicks, Int(pending[pending.count - 1].presentationTicks) + 1))
    do {
      try file.write(fragment.bytes, at: bytes)
    } catch {
      // Half a fragment helps nobody; give its room back.
      try? file.truncate(to: bytes)
      throw error
    }
    index.add(bytes: fragment.bytes.count, ticks: fragment.endTicks - start, beginsWithKeyframe: first.isKeyframe)
    try front.patchDuration(fragment.endTicks, in: file)
    try patchIndex()
    try file.sync()
    for frame in pending where frame.isKeyframe { keyframes.append((Int(frame.presentationTicks), bytes)) }
    frames += pending.count
    fragments += 1
    bytes += fragment.bytes.count
    durationTicks = fragment.endTicks
    pending.removeAll(keepingCapacity: true)
  }

  /// Writes the rest and the random access index (mfra), syncs and closes.
  public func finish(endTicks: Int) throws(RecorderError) {
    defer { file.close() }
    try cut(endTicks: endTicks)
    let index = Self.randomAccessIndex(keyframes)
    do {
      try file.write(index, at: bytes)
      try file.sync()
    } catch {
      // Players do without it.
      try? file.truncate(to: bytes)
      throw error
    }
    bytes += index.count
  }

  private func patchIndex() throws(RecorderError) {
    guard let room = front.indexRoom else { return }
    for patch in index.patches(at: room.offset, room: room.size) {
      try file.write(patch.bytes, at: patch.offset)
    }
  }

  private func encodeFragment(endTicks: Int) -> (bytes: [UInt8], endTicks: Int) {
    var writer = ByteWriter()
    var dataOffsetAt = 0
    writer.box("moof") { moof in
      moof.fullBox("mfhd", version: 0, flags: 0) { $0.u32(fragments + 1) }
      moof.box("traf") { traf in
        traf.fullBox("tfhd", version: 0, flags: 0x020000) { $0.u32(1) }  // default-base-is-moof
        traf.fullBox("tfdt", version: 1, flags: 0) { $0.u64(Int(pending[0].presentationTicks)) }
        traf.fullBox("trun", version: 0, flags: 0x701) { trun in
          trun.u32(pending.count)
          dataOffsetAt = trun.bytes.count
          trun.u32(0)
          for (index, frame) in pending.enumerated() {
            let next = index + 1 < pending.count ? Int(pending[index + 1].presentationTicks) : endTicks
            trun.u32(next - Int(frame.presentationTicks))
            trun.u32(frame.bytes.count)
            // Depends on nothing / is a non-sync sample that depends on others (8.8.3.1).
            trun.u32(frame.isKeyframe ? 0x0200_0000 : 0x0101_0000)
          }
        }
      }
    }
    writer.replace(UInt32(truncatingIfNeeded: writer.bytes.count + 8), at: dataOffsetAt)
    writer.box("mdat") { mdat in
      for frame in pending { mdat.raw(frame.bytes) }
    }
    return (writer.bytes, endTicks)
  }

  static func randomAccessIndex(_ keyframes: [(ticks: Int, moof: Int)]) -> [UInt8] {
    var writer = ByteWriter()
    writer.box("mfra") { mfra in
      mfra.fullBox("tfra", version: 1, flags: 0) { tfra in
        tfra.u32(1)
        tfra.u32(0)
        tfra.u32(keyframes.count)
        for keyframe in keyframes {
          tfra.u64(keyframe.ticks)
          tfra.u64(keyframe.moof)
          tfra.raw([1, 1, 1])
        }
      }
      // mfro tells the size of the whole mfra box from the file's end.
      let size = mfra.bytes.count + 16
      mfra.fullBox("mfro", version: 0, flags: 0) { $0.u32(size) }
    }
    return writer.bytes
  }
}
