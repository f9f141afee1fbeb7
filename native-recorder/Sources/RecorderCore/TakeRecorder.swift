// Owns one take: planes, encoder, file and the take's lines in the manifest. Confined to the video thread.

final class TakeRecorder {
  let index: Int
  let size: PictureSize
  private(set) var offsetMs: Double?
  /// Media time at which a frame has to come, changes or not: the fragment being collected or a keyframe is due.
  var dueMs: Double { min(fragmentDueMs, offsetMs == nil ? .infinity : keyframes.dueMs) }

  private let context: VideoContext
  private let encoder: any VideoEncoder
  /// What is encoded next.
  let planes: Nv12Picture
  private let file: any MediaFile
  private var writer: FragmentedMovieWriter
  private var keyframes = KeyframePolicy()
  private var lastTicks: Int64 = -1
  private var fragmentDueMs = Double.infinity

  /// Opens encoder and file for pictures of this size.
  init(index: Int, size: PictureSize, context: VideoContext) throws(RecorderError) {
    self.index = index
    self.size = size
    self.context = context
    let config = context.config.video
    planes = Nv12Picture(size: size)
    encoder = try context.platform.makeVideoEncoder(
      VideoEncoderSettings(size: size, fps: config.fps, quality: config.quality, timescale: MovieHeader.timescale))
    file = try context.folder.create(MediaName.take(index))
    writer = try FragmentedMovieWriter(
      file: file, size: size, decoderConfiguration: encoder.decoderConfiguration)
    context.monitor.update { $0.bytesOnDisk += writer.bytes }
  }

  var encoderName: String { encoder.name }

  /// Encodes the planes as they are, shown from media time `atMs` on; cuts the fragment that is due.
  func encode(atMs: Double, changedShare: Double) throws(RecorderError) {
    let isFirst = offsetMs == nil
    let offset = offsetMs ?? atMs
    let ticks = max(lastTicks + 1, ticks(atMs))
    let fragmentMs = context.config.video.fragmentMs
    let intervalMs = 1000 / context.config.video.fps
    let isKeyframe = keyframes.wantsKeyframe(atMs: atMs, changedShare: changedShare, reserveMs: intervalMs)
    // A frame that comes just before the fragment is due takes the place of the repeat that would follow it.
    if !isFirst, isKeyframe || atMs >= fragmentDueMs - 0.75 * intervalMs { try cut(endTicks: Int(ticks)) }
    for frame in try encoder.encode(planes, presentationTicks: ticks, keyframe: isKeyframe) { writer.add(frame) }
    lastTicks = ticks
    offsetMs = offset
    if isFirst {
      announce(offset)
      // The first fragment is short: something is on disk at once.
      fragmentDueMs = atMs + min(100, fragmentMs)
    } else if fragmentDueMs == .infinity {
      fragmentDueMs = atMs + fragmentMs
    }
  }

  /// Writes and syncs what was collected; the last frame lasts until media time `endMs`.
  func cut(endMs: Double) throws(RecorderError) {
    guard offsetMs != nil else { return }
    try cut(endTicks: Int(ticks(endMs)))
  }

  /// Ends the take. What is already on disk stays playable when this throws.
  func finish(endMs: Double) throws(RecorderError) {
    guard offsetMs != nil else {
      file.close()
      return
    }
    for frame in try encoder.finish() { writer.add(frame) }
    let before = writer.bytes
    defer { report(bytesBefore: before) }
    try writer.finish(endTicks: Int(ticks(endMs)))
  }

  private func cut(endTicks: Int) throws(RecorderError) {
    fragmentDueMs = .infinity
    guard writer.hasPending else { return }
    let before = writer.bytes
    try writer.cut(endTicks: endTicks)
    report(bytesBefore: before)
    var event = RecorderEvent("fragmentWritten", offsetMs: (offsetMs ?? 0) + durationMs)
    event.take = index
    event.bytes = writer.bytes
    context.events.post(event)
  }

  private var durationMs: Double { Double(writer.durationTicks) * 1000 / Double(MovieHeader.timescale) }

  private func ticks(_ atMs: Double) -> Int64 {
    Int64(((atMs - (offsetMs ?? atMs)) * Double(MovieHeader.timescale) / 1000).rounded())
  }

  private func report(bytesBefore: Int) {
    let nowMs = context.clock.nowMs
    context.monitor.update { status in
      status.bytesOnDisk += writer.bytes - bytesBefore
      status.lastActivityMonotonicMs = nowMs
    }
    let take = Manifest.Take(
      index: index, path: MediaName.take(index), offsetMs: (offsetMs ?? 0).roundedMs, durationMs: durationMs.roundedMs,
      frames: writer.frames, width: size.width, height: size.height, bytes: writer.bytes, codec: "h264",
      encoder: encoder.name)
    context.manifest.update { $0.put(take) }
  }

  private func announce(_ offset: Double) {
    var event = RecorderEvent("takeStarted", offsetMs: offset)
    event.index = index
    event.path = MediaName.take(index)
    event.width = size.width
    event.height = size.height
    context.events.post(event)
    report(bytesBefore: writer.bytes)
    guard index == 1 else { return }
    var first = RecorderEvent("firstFrame", offsetMs: offset)
    first.monotonicMs = context.clock.nowMs
    context.events.post(first)
  }
}
