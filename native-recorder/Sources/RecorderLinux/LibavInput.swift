// Owns reading a media file through libavformat: one stream of it, packet by packet, ended at once by a cancelled job.

import CLibav
import Glibc
import RecorderCore

/// Used by one thread.
final class LibavInput {
  let path: String
  let stream: UnsafeMutablePointer<AVStream>
  private var context: UnsafeMutablePointer<AVFormatContext>?
  private let job: MediaJob?

  /// Only what the recorder and common tools write: no playlist that would open further files.
  private static let formats = "mov,wav,mp3,flac,ogg,matroska,w64,aiff"

  /// Opens the file's first stream of `kind`.
  /// - Throws: `ioError` when it cannot be opened, is damaged, or holds no such stream.
  init(_ path: String, _ kind: AVMediaType, job: MediaJob?) throws(RecorderError) {
    self.path = path
    self.job = job
    // A pipe or a device could keep the job waiting for ever.
    var status = stat()
    guard stat(path, &status) == 0 else { throw posixError("open", path, errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw RecorderError(.ioError, "\(path) is no file.") }
    var context = avformat_alloc_context()
    guard let fresh = context else { throw LibavFailure.memory }
    if let job { fresh.pointee.interrupt_callback = LibavInterrupt.callback(job) }
    var options: OpaquePointer?
    defer { av_dict_free(&options) }
    av_dict_set(&options, "format_whitelist", Self.formats, 0)
    av_dict_set(&options, "protocol_whitelist", "file", 0)
    let opened = avformat_open_input(&context, "file:" + path, nil, &options)
    guard opened >= 0, let context else { throw LibavFailure.error("open", path, opened) }
    do {
      stream = try Self.stream(context, kind, path)
    } catch {
      var context: UnsafeMutablePointer<AVFormatContext>? = context
      avformat_close_input(&context)
      throw error
    }
    self.context = context
  }

  deinit {
    avformat_close_input(&context)
  }

  /// libavformat's short name.
  var formatName: String { context?.pointee.iformat.pointee.name.map { String(cString: $0) } ?? "" }
  var parameters: UnsafeMutablePointer<AVCodecParameters> { stream.pointee.codecpar }

  /// As the file says it, within what a recording can be; nil when it says nothing.
  var durationMs: Double? { declaredMs.map { min(max(0, $0), MediaTime.latestMs) } }

  private var declaredMs: Double? {
    let base = stream.pointee.time_base
    if stream.pointee.duration != WS_AV_NOPTS, base.den > 0 {
      return Double(stream.pointee.duration) * 1000 * Double(base.num) / Double(base.den)
    }
    guard let context, context.pointee.duration != WS_AV_NOPTS else { return nil }
    return Double(context.pointee.duration) / 1000
  }

  /// The stream's next packet; false at the end.
  /// - Throws: `ioError` for a file that cannot be read or is torn.
  func read(_ packet: UnsafeMutablePointer<AVPacket>) throws(RecorderError) -> Bool {
    guard let context else { return false }
    while true {
      av_packet_unref(packet)
      let result = av_read_frame(context, packet)
      if result == WS_AVERROR_EOF {
        // The end of a file that could not be read looks like its end; the reason stands beside it.
        if let io = context.pointee.pb, io.pointee.error < 0, io.pointee.error != WS_AVERROR_EOF {
          throw LibavFailure.error("read", path, io.pointee.error)
        }
        return false
      }
      guard result >= 0 else { throw LibavFailure.error("read", path, result) }
      guard packet.pointee.stream_index == stream.pointee.index else { continue }
      guard packet.pointee.flags & WS_AV_PKT_CORRUPT == 0 else {
        throw LibavFailure.error("read", path, WS_AVERROR_INVALIDDATA)
      }
      return true
    }
  }

  /// Ticks that the file says, as a number to reckon with.
  /// - Throws: `ioError` for a time that is missing (the least number there is) or beyond all reason.
  func time(_ ticks: Int64) throws(RecorderError) -> Int64 {
    guard ticks > -(1 << 60), ticks < 1 << 60 else { throw LibavFailure.error("read", path, WS_AVERROR_INVALIDDATA) }
    return ticks
  }

  /// Whether the file's own lengths end where the file ends: the boxes of MP4, the RIFF chunk of WAV. Others have none.
  func isWhole() throws(RecorderError) -> Bool {
    guard formatName == "wav" || formatName.contains("mp4") else { return true }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw posixError("open", path, errno) }
    let file = PosixFile(descriptor, path: path)
    guard formatName == "wav" else { return try MediaProbe.boxesFill(file) }
    let head = try file.read(at: 4, count: 4)
    return head.count == 4 && head.reversed().reduce(0) { $0 << 8 | Int($1) } + 8 == file.size
  }

  private static func stream(
    _ context: UnsafeMutablePointer<AVFormatContext>, _ kind: AVMediaType, _ path: String
  ) throws(RecorderError) -> UnsafeMutablePointer<AVStream> {
    func find() -> UnsafeMutablePointer<AVStream>? {
      (0..<Int(context.pointee.nb_streams)).lazy.compactMap { context.pointee.streams[$0] }
        .first { $0.pointee.codecpar.pointee.codec_type == kind }
    }
    // MP4 says everything in its header; looking into the stream would decode pictures for nothing.
    if let found = find(), found.pointee.codecpar.pointee.codec_id == AV_CODEC_ID_H264,
      found.pointee.codecpar.pointee.extradata_size > 0, found.pointee.codecpar.pointee.width > 0
    {
      return found
    }
    let looked = avformat_find_stream_info(context, nil)
    guard looked >= 0 else { throw LibavFailure.error("read", path, looked) }
    guard let found = find() else {
      let what = kind == AVMEDIA_TYPE_VIDEO ? "picture" : "sound"
      throw RecorderError(.ioError, "\(path) holds no \(what).")
    }
    return found
  }
}

/// What libav asks again and again while it reads and writes: whether to give up.
enum LibavInterrupt {
  /// The job has to outlive the context that it is given to.
  static func callback(_ job: MediaJob) -> AVIOInterruptCB {
    AVIOInterruptCB(
      callback: { opaque in
        guard let opaque else { return 0 }
        return Unmanaged<MediaJob>.fromOpaque(opaque).takeUnretainedValue().isCancelled ? 1 : 0
      }, opaque: Unmanaged.passUnretained(job).toOpaque())
  }
}

/// libav's error numbers as the recorder's errors.
enum LibavFailure {
  static let memory = RecorderError(.internal, "There is not enough memory.")

  static func error(_ doing: String, _ path: String, _ code: Int32) -> RecorderError {
    if code == WS_AVERROR_INVALIDDATA {
      return RecorderError(.ioError, "\(path) is damaged or of an unknown kind; media_recover mends a recording.")
    }
    // Small numbers are errno with its sign turned.
    if code < 0, code > -4096 { return posixError(doing, path, -code) }
    return RecorderError(.ioError, "Cannot \(doing) \(path): \(describe(code)).")
  }

  static func describe(_ code: Int32) -> String {
    var text = [CChar](repeating: 0, count: 128)
    av_strerror(code, &text, text.count)
    return text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
  }
}

/// An AVPacket that is freed with its owner.
final class LibavPacket {
  let pointer: UnsafeMutablePointer<AVPacket>

  init() throws(RecorderError) {
    guard let packet = av_packet_alloc() else { throw LibavFailure.memory }
    pointer = packet
  }

  deinit {
    var packet: UnsafeMutablePointer<AVPacket>? = pointer
    av_packet_free(&packet)
  }
}
