// Owns a take's file: whatever happens, the file up to the last written fragment is a playable movie that says its true
// duration. A fragment is one write and one fdatasync; a picture that stays costs a few bytes patched in place.

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
  /// The last frame on disk: when it begins, and where in the file its duration stands.
  private var last: (ticks: Int, durationAt: Int) = (0, 0)

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
    if start > durationTicks, fragments > 0 { try stretch(to: start) }
    let fragment = encodeFragment(endTicks: max(endTicks, Int(pending[pending.count - 1].presentationTicks) + 1))
    do {
      try file.write(fragment.bytes, at: bytes)
    } catch {
      // Half a fragment helps nobody; give its room back.
      try? file.truncate(to: bytes)
      throw error
    }
    let before = index
    index.add(bytes: fragment.bytes.count, ticks: fragment.endTicks - start, beginsWithKeyframe: first.isKeyframe)
    do {
      try patchFront(fragment.endTicks)
      try file.sync()
    } catch {
      // The frames wait still: the next cut writes them again, in the same place.
      index = before
      throw error
    }
    last = (Int(pending[pending.count - 1].presentationTicks), bytes + fragment.lastDurationAt)
    for frame in pending where frame.isKeyframe { keyframes.append((Int(frame.presentationTicks), bytes)) }
    frames += pending.count
    fragments += 1
    bytes += fragment.bytes.count
    durationTicks = fragment.endTicks
    pending.removeAll(keepingCapacity: true)
  }

  /// Makes the last frame on disk last until `endTicks`, and syncs. Nothing while frames wait (`cut` says how long
  /// those last), and nothing where it lasts as long already.
  ///
  /// The patches may reach the disk in any order or not at all: the fragment's own duration is what counts when a
  /// torn file is read, and the next fragment begins no earlier than the longest that was ever said.
  /// - Throws: `diskFull` or `ioError`.
  public func extend(endTicks: Int) throws(RecorderError) {
    guard pending.isEmpty, fragments > 0, endTicks > durationTicks else { return }
    try stretch(to: endTicks)
    try patchFront(endTicks)
    try file.sync()
  }

  /// Writes the rest and the random access index (mfra), syncs and closes.
  public func finish(endTicks: Int) throws(RecorderError) {
    defer { file.close() }
    try cut(endTicks: endTicks)
    try extend(endTicks: endTicks)
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

  /// The last frame's duration in its fragment, and what the index has to say of it.
  private func stretch(to endTicks: Int) throws(RecorderError) {
    var duration = ByteWriter()
    duration.u32(endTicks - last.ticks)
    try file.write(duration.bytes, at: last.durationAt)
    index.extend(ticks: endTicks - durationTicks)
    durationTicks = endTicks
  }

  private func patchFront(_ endTicks: Int) throws(RecorderError) {
    try front.patchDuration(endTicks, in: file)
    guard let room = front.indexRoom else { return }
    try file.write(index.bytes(room: room.size), at: room.offset)
  }

  private func encodeFragment(endTicks: Int) -> (bytes: [UInt8], endTicks: Int, lastDurationAt: Int) {
    var writer = ByteWriter()
    var dataOffsetAt = 0
    var lastDurationAt = 0
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
            lastDurationAt = trun.bytes.count
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
    return (writer.bytes, endTicks, lastDurationAt)
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
