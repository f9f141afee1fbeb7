// Owns the two jobs on finished recordings: segments to one MP3, takes and sound to one MP4.

import CLibav
import RecorderCore

public enum LibavMedia {
  /// - Throws: `ioError` for what cannot be read or written, `diskFull`, `encoderFailed`. Nothing is left behind then.
  public static func concatenate(_ request: ConcatenateRequest, _ job: MediaJob) throws(RecorderError) -> MediaEvent {
    let format = try SoundFormat(request.segments, job: job)
    let output = try MediaOutput(request.outputPath)
    let sequence = sequence(request.segments, format, job, fromMs: request.fromMs, durationMs: request.durationMs)
    let source = try Mp3Source(sequence, format, bitrateKbps: request.bitrateKbps, isForMovie: false)
    let muxer = try LibavMuxer(output, format: "mp3", [source], job: job)
    _ = try muxer.run(durationMs: request.durationMs ?? format.endMs - request.fromMs)
    guard source.writtenMs > 0 else {
      throw RecorderError(.sourceNotFound, "There is no sound in the wanted part of the recording.")
    }
    return try finished(output, durationMs: source.writtenMs)
  }

  /// - Throws: as `concatenate`.
  public static func merge(_ request: MergeRequest, _ job: MediaJob) throws(RecorderError) -> MediaEvent {
    var takes: [TakeInfo] = []
    for take in request.takes {
      let input = try LibavInput(take.path, AVMEDIA_TYPE_VIDEO, job: job)
      // libavformat takes the torn end of a movie for its end.
      guard try input.isWhole() else { throw LibavFailure.error("read", take.path, WS_AVERROR_INVALIDDATA) }
      takes.append(input.takeInfo(offsetMs: take.offsetMs))
      try job.proceed(0)
    }
    let plan = try MoviePlan(takes, encodesAll: request.compressionLevel != nil)
    let output = try MediaOutput(request.outputPath)
    var sources: [any PacketSource] = [try TakesSource(plan, compressionLevel: request.compressionLevel, job: job)]
    var durationMs = Double(plan.endTicks) * 1000 / Double(MoviePlan.timescale)
    if let (sound, soundMs) = try sound(request, job) {
      sources.append(sound)
      durationMs = max(durationMs, soundMs)
    }
    let muxer = try LibavMuxer(
      output, format: "mp4", sources, startedAt: request.startedAt,
      chapters: MoviePlan.chapters(request.chapters, durationMs: durationMs), job: job)
    var event = try finished(output, durationMs: try muxer.run(durationMs: durationMs))
    event.copiedTakes = plan.parts.filter(\.isCopied).count
    event.encodedTakes = plan.parts.count - (event.copiedTakes ?? 0)
    return event
  }

  /// The movie's sound and how long it lasts.
  private static func sound(
    _ request: MergeRequest, _ job: MediaJob
  ) throws(RecorderError) -> (any PacketSource, Double)? {
    let pieces: [MediaPiece]
    switch request.sound {
    case .none: return nil
    case .segments(let segments): pieces = segments
    case .file(let path):
      let input = try LibavInput(path, AVMEDIA_TYPE_AUDIO, job: job)
      if input.parameters.pointee.codec_id == AV_CODEC_ID_MP3 { return (Mp3Copy(input), input.durationMs ?? 0) }
      pieces = [MediaPiece(path: path, offsetMs: 0)]
    }
    let format = try SoundFormat(pieces, job: job)
    let source = try Mp3Source(
      sequence(pieces, format, job), format, bitrateKbps: request.bitrateKbps, isForMovie: true)
    return (source, format.endMs)
  }

  private static func sequence(
    _ pieces: [MediaPiece], _ format: SoundFormat, _ job: MediaJob, fromMs: Double = 0, durationMs: Double? = nil
  ) -> SoundSequence {
    SoundSequence(
      pieces, sampleRate: format.sampleRate, channels: format.channels, fromMs: fromMs, durationMs: durationMs
    ) { piece throws(RecorderError) in
      try LibavSoundReader(piece.path, sampleRate: format.sampleRate, channels: format.channels, job: job)
    }
  }

  private static func finished(_ output: MediaOutput, durationMs: Double) throws(RecorderError) -> MediaEvent {
    var event = MediaEvent("finished")
    event.bytes = try output.commit()
    event.path = output.path
    event.durationMs = (durationMs * 1000).rounded() / 1000
    return event
  }
}
