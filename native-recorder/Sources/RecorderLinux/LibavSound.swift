// Owns sound through libav: any file as 16-bit samples of the wanted rate, and samples as MP3 packets (libmp3lame).

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

/// Encodes a sequence of sound. Coding delays it (LAME by 1105 samples): silence in front makes that whole packets, and
/// the packets before media time 0 are left out in a movie. An edit list would say the same, but Chromium then skips the
/// delay twice and plays the sound 23 ms early (measured, Chromium 156). The price is the very first 24 ms of sound.
final class Mp3Source: PacketSource {
  let timeBase: AVRational
  private var sequence: SoundSequence
  private var codec: UnsafeMutablePointer<AVCodecContext>?
  private var frame: UnsafeMutablePointer<AVFrame>?
  private var samples: [Int16]
  private let channels: Int
  private let isForMovie: Bool
  /// Samples of silence in front that have not been taken in yet, and all of them.
  private var leading = 0
  private var padding = 0
  private var isDrained = false

  init(
    _ sequence: SoundSequence, _ format: SoundFormat, bitrateKbps: Int, isForMovie: Bool
  ) throws(RecorderError) {
    self.sequence = sequence
    self.isForMovie = isForMovie
    timeBase = AVRational(num: 1, den: Int32(format.sampleRate))
    channels = format.channels
    samples = []
    guard let encoder = avcodec_find_encoder_by_name("libmp3lame") else {
      throw RecorderError(.encoderFailed, "This libavcodec has no libmp3lame; install a build with MP3 encoding.")
    }
    codec = avcodec_alloc_context3(encoder)
    frame = av_frame_alloc()
    guard let codec, frame != nil else { throw LibavFailure.memory }
    codec.pointee.sample_rate = Int32(format.sampleRate)
    codec.pointee.sample_fmt = AV_SAMPLE_FMT_S16P
    codec.pointee.bit_rate = Int64(bitrateKbps * 1000)
    codec.pointee.time_base = timeBase
    av_channel_layout_default(&codec.pointee.ch_layout, Int32(channels))
    let result = avcodec_open2(codec, encoder, nil)
    guard result >= 0 else {
      throw RecorderError(.encoderFailed, "The MP3 encoder does not open: \(LibavFailure.describe(result)).")
    }
    let frameSize = Int(codec.pointee.frame_size)
    samples = [Int16](repeating: 0, count: frameSize * channels)
    padding = (frameSize - Int(codec.pointee.initial_padding) % frameSize) % frameSize
    leading = padding
  }

  deinit {
    av_frame_free(&frame)
    avcodec_free_context(&codec)
  }

  /// Sound taken in so far, without what the encoder adds.
  var writtenMs: Double { Double(sequence.position) * 1000 / Double(timeBase.den) }

  func describe(_ parameters: UnsafeMutablePointer<AVCodecParameters>) throws(RecorderError) {
    guard avcodec_parameters_from_context(parameters, codec) >= 0 else { throw LibavFailure.memory }
    if isForMovie { parameters.pointee.initial_padding = 0 }
  }

  func next(_ packet: UnsafeMutablePointer<AVPacket>) throws(RecorderError) -> Bool {
    guard let codec else { return false }
    while true {
      let result = avcodec_receive_packet(codec, packet)
      if result >= 0, !isForMovie || packet.pointee.pts >= 0 {
        SkippedSamples.add(padding, to: packet)
        return true
      }
      if result == WS_AVERROR_EOF { return false }
      guard result >= 0 || (result == WS_AVERROR_EAGAIN && !isDrained) else { throw failed(result) }
      if result < 0 { try feed(codec) }
    }
  }

  private func feed(_ codec: UnsafeMutablePointer<AVCodecContext>) throws(RecorderError) {
    guard let frame else { return }
    let begins = sequence.position - leading
    let silent = leading
    leading = 0
    for index in 0..<silent * channels { samples[index] = 0 }
    let read = samples.withUnsafeMutableBufferPointer { all in
      let room = UnsafeMutableBufferPointer(rebasing: all[(silent * channels)...])
      return Result { () throws(RecorderError) in try sequence.read(into: room) }
    }
    let count = try read.get() + silent
    guard count > silent else {
      isDrained = true
      avcodec_send_frame(codec, nil)
      return
    }
    frame.pointee.format = AV_SAMPLE_FMT_S16P.rawValue
    frame.pointee.nb_samples = Int32(count)
    frame.pointee.sample_rate = codec.pointee.sample_rate
    frame.pointee.pts = Int64(begins)
    av_channel_layout_copy(&frame.pointee.ch_layout, &codec.pointee.ch_layout)
    defer { av_frame_unref(frame) }
    guard av_frame_get_buffer(frame, 0) >= 0 else { throw LibavFailure.memory }
    for channel in 0..<channels {
      guard let plane = frame.pointee.extended_data[channel] else { throw LibavFailure.memory }
      plane.withMemoryRebound(to: Int16.self, capacity: count) { plane in
        for index in 0..<count { plane[index] = samples[index * channels + channel] }
      }
    }
    let sent = avcodec_send_frame(codec, frame)
    guard sent >= 0 else { throw failed(sent) }
  }

  private func failed(_ code: Int32) -> RecorderError {
    RecorderError(.encoderFailed, "The MP3 encoder failed: \(LibavFailure.describe(code)).")
  }
}

/// Copies a finished MP3 file into a movie, without the packets that its header says are only delay (see `Mp3Source`).
/// That is exact for files made here; others come at most half a packet, those of LAME 1 ms, from where they were.
final class Mp3Copy: PacketSource {
  let timeBase: AVRational
  private let input: LibavInput
  /// Time of the first packet that is kept, in samples of the file.
  private var begins: Int64?

  init(_ input: LibavInput) {
    self.input = input
    timeBase = AVRational(num: 1, den: input.parameters.pointee.sample_rate)
  }

  func describe(_ parameters: UnsafeMutablePointer<AVCodecParameters>) throws(RecorderError) {
    guard avcodec_parameters_copy(parameters, input.parameters) >= 0 else { throw LibavFailure.memory }
    parameters.pointee.codec_tag = 0
    parameters.pointee.initial_padding = 0
  }

  func next(_ packet: UnsafeMutablePointer<AVPacket>) throws(RecorderError) -> Bool {
    while try input.read(packet) {
      av_packet_rescale_ts(packet, input.stream.pointee.time_base, timeBase)
      let first = begins ?? firstKept(packet)
      begins = first
      packet.pointee.pts -= first
      packet.pointee.dts = packet.pointee.pts
      if packet.pointee.pts >= 0 { return true }
    }
    return false
  }

  private func firstKept(_ packet: UnsafeMutablePointer<AVPacket>) -> Int64 {
    let length = max(1, packet.pointee.duration)
    return packet.pointee.pts + (Int64(SkippedSamples.read(packet)) + length / 2) / length * length
  }
}

/// Samples at the front of a packet that are not part of the sound: the first number of its side data, little-endian.
/// The MP3 muxer writes it into the header, for players to skip.
private enum SkippedSamples {
  static func read(_ packet: UnsafeMutablePointer<AVPacket>) -> Int {
    guard let data = sideData(packet) else { return 0 }
    return (0..<4).reduce(0) { $0 | Int(data[$1]) << (8 * $1) }
  }

  /// Where there are none, there is no delay to add to.
  static func add(_ count: Int, to packet: UnsafeMutablePointer<AVPacket>) {
    let known = read(packet)
    guard known > 0, let data = sideData(packet) else { return }
    for index in 0..<4 { data[index] = UInt8(truncatingIfNeeded: (known + count) >> (8 * index)) }
  }

  private static func sideData(_ packet: UnsafeMutablePointer<AVPacket>) -> UnsafeMutablePointer<UInt8>? {
    var size = 0
    let data = av_packet_get_side_data(packet, AV_PKT_DATA_SKIP_SAMPLES, &size)
    return size >= 4 ? data : nil
  }
}
