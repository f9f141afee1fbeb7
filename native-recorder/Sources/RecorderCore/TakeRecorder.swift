// Owns one take: planes, encoder, file and the take's lines in the manifest. Confined to the video thread.

final class TakeRecorder {
  let index: Int
  let size: PictureSize
  private(set) var offsetMs: Double?
  /// Media time at which `encode` has to be called, changes or not: what is shown has to reach the disk, or a keyframe
  /// is due.
  var dueMs: Double { min(fragmentDueMs, offsetMs == nil ? .infinity : keyframes.dueMs) }

  private let context: VideoContext
  private let encoder: any VideoEncoder
  /// What is encoded next.
  let planes: Nv12Picture
  /// From the first frame on: a take that never got one leaves no file.
  private var writer: FragmentedMovieWriter?
  private var keyframes = KeyframePolicy()
  private var lastTicks: Int64 = -1
  private var fragmentDueMs = Double.infinity
  private var isFinished = false

  /// Opens an encoder for pictures of this size.
  init(index: Int, size: PictureSize, context: VideoContext, allowsHardware: Bool) throws(RecorderError) {
    self.index = index
    self.size = size
    self.context = context
    let config = context.config.video
    planes = Nv12Picture(size: size)
    encoder = try context.platform.makeVideoEncoder(
      VideoEncoderSettings(
        size: size, fps: config.fps, quality: config.quality, timescale: MovieHeader.timescale,
        allowsHardware: allowsHardware))
  }

  var encoderName: String { encoder.name }
  var usesHardware: Bool { encoder.isHardware }

  /// Encodes the planes as they are, shown from media time `atMs` on; cuts the fragment that is due. A picture that is
  /// still the same gives no frame, except where a keyframe is due: the one on disk is made to last.
  func encode(atMs: Double, changedShare: Double) throws(RecorderError) {
    let isFirst = offsetMs == nil
    let offset = offsetMs ?? atMs
    let fragmentMs = context.config.video.fragmentMs
    let intervalMs = 1000 / context.config.video.fps
    let isKeyframe = keyframes.wantsKeyframe(atMs: atMs, changedShare: changedShare, reserveMs: intervalMs)
    guard isKeyframe || planes.hasChanges else {
      try cut(endMs: atMs)
      fragmentDueMs = atMs + fragmentMs
      return
    }
    let ticks = max(lastTicks + 1, Int64(writer?.durationTicks ?? 0), ticks(atMs))
    // A frame that comes just before the fragment is due begins the next one.
    if !isFirst, isKeyframe || atMs >= fragmentDueMs - 0.75 * intervalMs {
      fragmentDueMs = .infinity
      try cut(endTicks: Int(ticks))
    }
    let frames = try encoder.encode(planes, presentationTicks: ticks, keyframe: isKeyframe)
    let movie = try openedWriter()
    for frame in frames { movie.add(frame) }
    planes.forgetChanges()
    lastTicks = ticks
    offsetMs = offset
    if isFirst {
      announce(movie, offset)
      // The first fragment is short: something is on disk at once.
      fragmentDueMs = atMs + min(100, fragmentMs)
    } else if fragmentDueMs == .infinity {
      fragmentDueMs = atMs + fragmentMs
    }
  }

  /// Writes and syncs what was collected; the last frame lasts until media time `endMs`.
  func cut(endMs: Double) throws(RecorderError) {
    try cut(endTicks: Int(ticks(endMs)))
  }

  /// Ends the take; a second time it does nothing. What is already on disk stays playable when this throws.
  func finish(endMs: Double) throws(RecorderError) {
    guard !isFinished else { return }
    isFinished = true
    guard let writer else { return }
    let before = writer.bytes
    defer { report(writer, bytesBefore: before) }
    let rest = Result { () throws(RecorderError) in try encoder.finish() }
    for frame in (try? rest.get()) ?? [] { writer.add(frame) }
    // What an encoder that failed gave before is kept.
    try writer.finish(endTicks: Int(ticks(endMs)))
    _ = try rest.get()
  }

  private func openedWriter() throws(RecorderError) -> FragmentedMovieWriter {
    if let writer { return writer }
    let made = try FragmentedMovieWriter(
      file: try context.folder.create(MediaName.take(index)), size: size,
      decoderConfiguration: encoder.decoderConfiguration)
    context.monitor.update { $0.bytesOnDisk += made.bytes }
    writer = made
    return made
  }

  private func cut(endTicks: Int) throws(RecorderError) {
    guard let writer else { return }
    let before = writer.bytes
    if writer.hasPending { try writer.cut(endTicks: endTicks) } else { try writer.extend(endTicks: endTicks) }
    report(writer, bytesBefore: before)
    // Of a still screen the status tells: nobody has to wake for it.
    guard writer.bytes > before else { return }
    var event = RecorderEvent("fragmentWritten", offsetMs: (offsetMs ?? 0) + durationMs(writer))
    event.take = index
    event.bytes = writer.bytes
    context.events.post(event)
  }

  private func durationMs(_ writer: FragmentedMovieWriter) -> Double {
    Double(writer.durationTicks) * 1000 / Double(MovieHeader.timescale)
  }

  private func ticks(_ atMs: Double) -> Int64 {
    Int64(((atMs - (offsetMs ?? atMs)) * Double(MovieHeader.timescale) / 1000).rounded())
  }

  private func report(_ writer: FragmentedMovieWriter, bytesBefore: Int, isNew: Bool = false) {
    let nowMs = context.clock.nowMs
    context.monitor.update { status in
      status.bytesOnDisk += writer.bytes - bytesBefore
      status.lastActivityMonotonicMs = nowMs
    }
    let take = Manifest.Take(
      index: index, path: MediaName.take(index), offsetMs: (offsetMs ?? 0).roundedMs,
      durationMs: durationMs(writer).roundedMs, frames: writer.frames, width: size.width, height: size.height,
      bytes: writer.bytes, codec: "h264", encoder: encoder.name)
    // That the last frame lasts longer is worth no write of its own: recovery reads it from the take.
    if isNew || writer.bytes > bytesBefore {
      context.manifest.update { $0.put(take) }
    } else {
      context.manifest.note { $0.put(take) }
    }
  }

  private func announce(_ writer: FragmentedMovieWriter, _ offset: Double) {
    var event = RecorderEvent("takeStarted", offsetMs: offset)
    event.index = index
    event.path = MediaName.take(index)
    event.width = size.width
    event.height = size.height
    context.events.post(event)
    report(writer, bytesBefore: writer.bytes, isNew: true)
    guard index == 1 else { return }
    var first = RecorderEvent("firstFrame", offsetMs: offset)
    first.monotonicMs = context.clock.nowMs
    context.events.post(first)
  }
}
