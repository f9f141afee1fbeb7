// Owns reading sound through libav: any file as 16-bit samples of the wanted rate and channels.

import CLibav
import RecorderCore

/// A stream of packets for a `LibavMuxer`. Used by one thread.
protocol PacketSource: AnyObject {
  /// What the muxer's stream is made from; `timeBase` is that of the packets' times.
  var timeBase: AVRational { get }
  func describe(_ parameters: UnsafeMutablePointer<AVCodecParameters>) throws(RecorderError)
  /// Moves the next packet into `packet`; false at the end.
  func next(_ packet: UnsafeMutablePointer<AVPacket>) throws(RecorderError) -> Bool
}

/// A file's sound, decoded and resampled.
final class LibavSoundReader: SoundReader {
  let declaredFrames: Int?
  private let input: LibavInput
  private let packet: LibavPacket
  private var codec: UnsafeMutablePointer<AVCodecContext>?
  private var frame: UnsafeMutablePointer<AVFrame>?
  private var resampler: OpaquePointer?
  private let channels: Int
  private var isDrained = false

  init(_ path: String, sampleRate: Int, channels: Int, job: MediaJob?) throws(RecorderError) {
    input = try LibavInput(path, AVMEDIA_TYPE_AUDIO, job: job)
    packet = try LibavPacket()
    self.channels = channels
    declaredFrames = input.durationMs.map { Int(($0 * Double(sampleRate) / 1000).rounded(.up)) }
    codec = try LibavDecoder.open(input)
    frame = av_frame_alloc()
    guard let codec, frame != nil else { throw LibavFailure.memory }
    if codec.pointee.ch_layout.order == AV_CHANNEL_ORDER_UNSPEC {
      av_channel_layout_default(&codec.pointee.ch_layout, codec.pointee.ch_layout.nb_channels)
    }
    var layout = AVChannelLayout()
    av_channel_layout_default(&layout, Int32(channels))
    let made = swr_alloc_set_opts2(
      &resampler, &layout, AV_SAMPLE_FMT_S16, Int32(sampleRate), &codec.pointee.ch_layout, codec.pointee.sample_fmt,
      codec.pointee.sample_rate, 0, nil)
    let ready = made < 0 ? made : swr_init(resampler)
    guard ready >= 0 else { throw LibavFailure.error("resample", path, ready) }
  }

  deinit {
    swr_free(&resampler)
    av_frame_free(&frame)
    avcodec_free_context(&codec)
  }

  func read(into samples: UnsafeMutableBufferPointer<Int16>) throws(RecorderError) -> Int {
    guard let codec, let frame, let resampler, let base = samples.baseAddress else { return 0 }
    let room = Int32(samples.count / channels)
    while true {
      // What the resampler still holds comes first.
      if swr_get_out_samples(resampler, 0) >= (isDrained ? 1 : room) {
        let got = convert(resampler, into: base, room: room, from: nil, count: 0)
        if got > 0 || isDrained { return Int(max(0, got)) }
      }
      if isDrained { return 0 }
      let result = avcodec_receive_frame(codec, frame)
      if result == WS_AVERROR_EAGAIN {
        if try input.read(packet.pointer) {
          let sent = avcodec_send_packet(codec, packet.pointer)
          guard sent >= 0 else { throw LibavFailure.error("decode", input.path, sent) }
        } else {
          avcodec_send_packet(codec, nil)
        }
      } else if result == WS_AVERROR_EOF {
        isDrained = true
      } else {
        guard result >= 0 else { throw LibavFailure.error("decode", input.path, result) }
        let got = convert(
          resampler, into: base, room: room, from: frame.pointee.extended_data, count: frame.pointee.nb_samples)
        av_frame_unref(frame)
        guard got >= 0 else { throw LibavFailure.error("resample", input.path, got) }
        if got > 0 { return Int(got) }
      }
    }
  }

  private func convert(
    _ resampler: OpaquePointer, into base: UnsafeMutablePointer<Int16>, room: Int32,
    from planes: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, count: Int32
  ) -> Int32 {
    base.withMemoryRebound(to: UInt8.self, capacity: Int(room) * channels * 2) { bytes in
      var target: UnsafeMutablePointer<UInt8>? = bytes
      guard let planes else { return swr_convert(resampler, &target, room, nil, 0) }
      return planes.withMemoryRebound(to: UnsafePointer<UInt8>?.self, capacity: 8) {
        swr_convert(resampler, &target, room, $0, count)
      }
    }
  }
}

enum LibavDecoder {
  static func open(_ input: LibavInput) throws(RecorderError) -> UnsafeMutablePointer<AVCodecContext> {
    guard let decoder = avcodec_find_decoder(input.parameters.pointee.codec_id) else {
      throw RecorderError(.unsupported, "This libavcodec cannot decode \(input.path).")
    }
    var context = avcodec_alloc_context3(decoder)
    guard let fresh = context else { throw LibavFailure.memory }
    fresh.pointee.pkt_timebase = input.stream.pointee.time_base
    var result = avcodec_parameters_to_context(fresh, input.parameters)
    if result >= 0 { result = avcodec_open2(fresh, decoder, nil) }
    guard result >= 0 else {
      avcodec_free_context(&context)
      throw LibavFailure.error("decode", input.path, result)
    }
    return fresh
  }
}

/// Rate and channels of the MP3 that pieces of sound become.
struct SoundFormat {
  let sampleRate: Int
  let channels: Int
  /// The end of the last piece, in media time.
  let endMs: Double

  /// The best of what the pieces have; MP3 in MP4 knows these rates (MPEG-1 and MPEG-2 layer III).
  init(_ pieces: [MediaPiece], job: MediaJob) throws(RecorderError) {
    var rate = 0
    var channels = 1
    var endMs = 0.0
    for piece in pieces {
      let input = try LibavInput(piece.path, AVMEDIA_TYPE_AUDIO, job: job)
      rate = max(rate, Int(input.parameters.pointee.sample_rate))
      channels = max(channels, min(2, Int(input.parameters.pointee.ch_layout.nb_channels)))
      endMs = max(endMs, piece.offsetMs + (input.durationMs ?? 0))
      try job.proceed(0)
    }
    sampleRate = [16_000, 22_050, 24_000, 32_000, 44_100].first { $0 >= rate } ?? 48_000
    self.channels = channels
    self.endMs = endMs
  }
}
