// Owns the WAV segments of a session: they follow each other without a gap in media time, each at most `segmentMs` long.

final class SegmentRecorder {
  /// How long sound may lie unsynced; below the two seconds that a crash may cost.
  static let syncMs = 1_500.0

  /// Frames of media time written so far, over all segments.
  private(set) var writtenFrames = 0

  private let context: VideoContext
  private let sampleRate: Int
  private let segmentFrames: Int
  private var writer: WaveFileWriter?
  private var index = 0
  private var startFrame = 0
  private var meter: SegmentMeter
  private var syncedAtMs = 0.0
  private var reportedBytes = 0

  init(_ context: VideoContext) {
    self.context = context
    sampleRate = context.config.audio.sampleRate
    meter = SegmentMeter(sampleRate: sampleRate, channels: 2)
    segmentFrames = max(1, Int(context.config.audio.segmentMs * Double(sampleRate) / 1000))
  }

  /// Appends interleaved stereo; opens and ends segments as they fill.
  func append(_ samples: [Int16]) throws(RecorderError) {
    var rest = samples[...]
    while !rest.isEmpty {
      let current = try openSegment()
      let room = (segmentFrames - current.frames) * 2
      let part = Array(rest.prefix(room))
      rest = rest.dropFirst(room)
      try current.append(part)
      meter.add(part)
      writtenFrames += part.count / 2
      if current.frames >= segmentFrames { try finishSegment() }
    }
    guard context.clock.nowMs - syncedAtMs >= Self.syncMs else { return }
    try sync()
  }

  func sync() throws(RecorderError) {
    syncedAtMs = context.clock.nowMs
    guard let writer else { return }
    try writer.sync()
    report(writer)
  }

  func finishSegment() throws(RecorderError) {
    guard let done = writer else { return }
    writer = nil
    try done.finish()
    report(done)
    reportedBytes = 0
    let segment = line(done)
    var event = RecorderEvent("segmentFinished", offsetMs: segment.offsetMs)
    event.index = index
    event.path = segment.path
    event.durationMs = segment.durationMs
    event.bytes = segment.bytes
    event.peak = segment.peak
    event.rms = segment.rms
    event.noiseLevel = segment.noiseLevel
    event.isEmpty = segment.isEmpty
    context.events.post(event)
    context.monitor.update { $0.metrics.itemsRecorded += 1 }
  }

  private func openSegment() throws(RecorderError) -> WaveFileWriter {
    if let writer { return writer }
    index += 1
    startFrame = writtenFrames
    let file = try context.folder.create(MediaName.segment(index))
    let fresh = try WaveFileWriter(file: file, sampleRate: sampleRate, channels: 2)
    writer = fresh
    meter = SegmentMeter(sampleRate: sampleRate, channels: 2)
    return fresh
  }

  private func line(_ writer: WaveFileWriter) -> Manifest.Segment {
    Manifest.Segment(
      index: index, path: MediaName.segment(index),
      offsetMs: (Double(startFrame) * 1000 / Double(sampleRate)).roundedMs,
      durationMs: (Double(writer.frames) * 1000 / Double(sampleRate)).roundedMs, sampleRate: sampleRate, channels: 2,
      bytes: writer.bytes, peak: meter.peak.rounded6, rms: meter.rms.rounded6, noiseLevel: meter.noiseLevel,
      isEmpty: meter.isEmpty)
  }

  private func report(_ writer: WaveFileWriter) {
    let segment = line(writer)
    let added = writer.bytes - reportedBytes
    reportedBytes = writer.bytes
    let nowMs = context.clock.nowMs
    context.manifest.update { $0.put(segment) }
    context.monitor.update { status in
      status.bytesOnDisk += added
      status.lastActivityMonotonicMs = nowMs
    }
  }
}
