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
  private let sampleRate: Int
  private let channels: Int
  /// What the resampler takes in, and what it is to take next: the frame that is decoded is of that kind.
  private var kind: Kind?
  private var nextKind: Kind?
  private var isDrained = false
  private let noPlanes = [UnsafePointer<UInt8>?](repeating: nil, count: 64)

  private struct Kind: Equatable {
    let sampleRate: Int32
    let channels: Int32
    let format: Int32
  }

  init(_ path: String, sampleRate: Int, channels: Int, job: MediaJob?) throws(RecorderError) {
    input = try LibavInput(path, AVMEDIA_TYPE_AUDIO, job: job)
    packet = try LibavPacket()
    self.sampleRate = sampleRate
    self.channels = channels
    declaredFrames = input.durationMs.map { Int(($0 * Double(sampleRate) / 1000).rounded(.up)) }
    codec = try LibavDecoder.open(input)
    frame = av_frame_alloc()
    guard let codec, frame != nil else { throw LibavFailure.memory }
    let kind = Kind(
      sampleRate: codec.pointee.sample_rate, channels: codec.pointee.ch_layout.nb_channels,
      format: codec.pointee.sample_fmt.rawValue)
    try resample(kind, codec.pointee.ch_layout)
  }

  deinit {
    swr_free(&resampler)
    av_frame_free(&frame)
    avcodec_free_context(&codec)
  }

  func read(into samples: UnsafeMutableBufferPointer<Int16>) throws(RecorderError) -> Int {
    guard let codec, let frame, let base = samples.baseAddress else { return 0 }
    let room = Int32(samples.count / channels)
    while true {
      // What the resampler still holds comes first: all of it at the end, and before sound of another kind.
      let isLast = isDrained || nextKind != nil
      if swr_get_out_samples(resampler, 0) >= (isLast ? 1 : room) {
        let got = isLast ? convert(into: base, room, nil, 0) : convertHeld(into: base, room)
        if got > 0 || isDrained { return Int(max(0, got)) }
      }
      if isDrained { return 0 }
      if let next = nextKind {
        try resample(next, frame.pointee.ch_layout)
        nextKind = nil
      } else {
        isDrained = try !decode(codec, frame)
        if isDrained { continue }
        // Files that were put together byte by byte change in the middle.
        let decoded = Kind(
          sampleRate: frame.pointee.sample_rate, channels: frame.pointee.ch_layout.nb_channels,
          format: frame.pointee.format)
        if decoded != kind {
          nextKind = decoded
          continue
        }
      }
      let got = frame.pointee.extended_data.withMemoryRebound(to: UnsafePointer<UInt8>?.self, capacity: 1) {
        convert(into: base, room, $0, frame.pointee.nb_samples)
      }
      av_frame_unref(frame)
      guard got >= 0 else { throw LibavFailure.error("resample", input.path, got) }
      if got > 0 { return Int(got) }
    }
  }

  /// The next frame; false at the end.
  private func decode(
    _ codec: UnsafeMutablePointer<AVCodecContext>, _ frame: UnsafeMutablePointer<AVFrame>
  ) throws(RecorderError) -> Bool {
    while true {
      let result = avcodec_receive_frame(codec, frame)
      if result >= 0 { return true }
      if result == WS_AVERROR_EOF { return false }
      guard result == WS_AVERROR_EAGAIN else { throw LibavFailure.error("decode", input.path, result) }
      let sent = avcodec_send_packet(codec, try input.read(packet.pointer) ? packet.pointer : nil)
      guard sent >= 0 else { throw LibavFailure.error("decode", input.path, sent) }
    }
  }

  /// Makes the resampler take sound of this kind; what it held is gone.
  private func resample(_ kind: Kind, _ layout: AVChannelLayout) throws(RecorderError) {
    var (from, to) = (layout, AVChannelLayout())
    if from.order == AV_CHANNEL_ORDER_UNSPEC { av_channel_layout_default(&from, kind.channels) }
    av_channel_layout_default(&to, Int32(channels))
    let made = swr_alloc_set_opts2(
      &resampler, &to, AV_SAMPLE_FMT_S16, Int32(sampleRate), &from, AVSampleFormat(kind.format), kind.sampleRate, 0,
      nil)
    let ready = made < 0 ? made : swr_init(resampler)
    guard ready >= 0 else { throw LibavFailure.error("resample", input.path, ready) }
    self.kind = kind
  }

  /// Resampled sound that found no room. Without planes the resampler would take this for the end of the sound.
  private func convertHeld(into base: UnsafeMutablePointer<Int16>, _ room: Int32) -> Int32 {
    noPlanes.withUnsafeBufferPointer { planes in
      planes.baseAddress.map { convert(into: base, room, UnsafeMutablePointer(mutating: $0), 0) } ?? 0
    }
  }

  private func convert(
    into base: UnsafeMutablePointer<Int16>, _ room: Int32, _ planes: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ count: Int32
  ) -> Int32 {
    base.withMemoryRebound(to: UInt8.self, capacity: Int(room) * channels * 2) { bytes in
      var target: UnsafeMutablePointer<UInt8>? = bytes
      return swr_convert(resampler, &target, room, planes, count)
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
