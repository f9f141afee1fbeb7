// Owns writing a media file through libavformat: packets of several sources in the order of their times.

import CLibav
import RecorderCore

/// Used by one thread.
final class LibavMuxer {
  private let output: MediaOutput
  private let job: MediaJob
  private let sources: [any PacketSource]
  private var context: UnsafeMutablePointer<AVFormatContext>?

  /// - Parameter format: libavformat's short name: mp3, mp4.
  init(
    _ output: MediaOutput, format: String, _ sources: [any PacketSource], startedAt: String = "",
    chapters: [MediaChapter] = [], job: MediaJob
  ) throws(RecorderError) {
    self.output = output
    self.job = job
    self.sources = sources
    let made = avformat_alloc_output_context2(&context, nil, format, "file:" + output.temporaryPath)
    guard made >= 0, let context else { throw LibavFailure.error("write", output.path, made) }
    context.pointee.interrupt_callback = LibavInterrupt.callback(job)
    // An MP3's first packets are before time 0: moving them would move the sound.
    context.pointee.avoid_negative_ts = WS_AV_DISABLE_TIMESTAMP_SHIFT
    for source in sources {
      guard let stream = avformat_new_stream(context, nil) else { throw LibavFailure.memory }
      stream.pointee.time_base = source.timeBase
      try source.describe(stream.pointee.codecpar)
    }
    if !startedAt.isEmpty { av_dict_set(&context.pointee.metadata, "creation_time", startedAt, 0) }
    for (index, chapter) in chapters.enumerated() {
      let end = Int64((chapter.endMs ?? chapter.startMs).rounded())
      let added = ws_av_add_chapter(context, Int64(index + 1), Int64(chapter.startMs.rounded()), end, chapter.title)
      guard added >= 0 else { throw LibavFailure.memory }
    }
    let opened = avio_open2(
      &context.pointee.pb, context.pointee.url, AVIO_FLAG_WRITE, &context.pointee.interrupt_callback, nil)
    guard opened >= 0 else { throw LibavFailure.error("write", output.path, opened) }
  }

  deinit {
    if let context { avio_closep(&context.pointee.pb) }
    avformat_free_context(context)
  }

  /// Writes everything and closes the file. `durationMs` is what progress is measured against.
  func run(durationMs: Double) throws(RecorderError) -> Double {
    guard let context else { throw LibavFailure.memory }
    var options: OpaquePointer?
    defer { av_dict_free(&options) }
    av_dict_set(&options, "movflags", "+faststart", 0)
    try check(avformat_write_header(context, &options))
    let endMs = try writePackets(context, durationMs: durationMs)
    // The trailer of an MP4 with its index in front reads and writes the whole file once more.
    try check(av_write_trailer(context))
    try job.proceed(1)
    try check(avio_closep(&context.pointee.pb))
    return endMs
  }

  private func writePackets(
    _ context: UnsafeMutablePointer<AVFormatContext>, durationMs: Double
  ) throws(RecorderError) -> Double {
    var heads: [Head] = []
    for (index, source) in sources.enumerated() {
      let head = Head(source, index: index, packet: try LibavPacket())
      if try head.advance() { heads.append(head) }
    }
    var endMs = 0.0
    while let head = heads.min(by: { $0.ms < $1.ms }) {
      endMs = max(endMs, head.endMs)
      try job.proceed(head.ms / max(1, durationMs))
      let packet = head.packet.pointer
      packet.pointee.stream_index = Int32(head.index)
      guard let stream = context.pointee.streams[head.index] else { throw LibavFailure.memory }
      av_packet_rescale_ts(packet, head.source.timeBase, stream.pointee.time_base)
      try check(av_write_frame(context, packet))
      if try !head.advance() { heads.removeAll { $0 === head } }
    }
    return endMs
  }

  /// A disk that is full is noticed when libavformat flushes, and then said by its writer.
  private func check(_ result: Int32) throws(RecorderError) {
    let stored = context?.pointee.pb?.pointee.error ?? 0
    if stored < 0 { throw LibavFailure.error("write", output.path, stored) }
    guard result >= 0 else { throw LibavFailure.error("write", output.path, result) }
  }

  /// A source and the packet of it that is next to be written.
  private final class Head {
    let source: any PacketSource
    let index: Int
    let packet: LibavPacket

    init(_ source: any PacketSource, index: Int, packet: LibavPacket) {
      self.source = source
      self.index = index
      self.packet = packet
    }

    var ms: Double { milliseconds(packet.pointer.pointee.dts) }
    var endMs: Double { milliseconds(packet.pointer.pointee.pts) + milliseconds(packet.pointer.pointee.duration) }

    func advance() throws(RecorderError) -> Bool {
      av_packet_unref(packet.pointer)
      return try source.next(packet.pointer)
    }

    private func milliseconds(_ ticks: Int64) -> Double {
      Double(ticks) * 1000 * Double(source.timeBase.num) / Double(source.timeBase.den)
    }
  }
}
