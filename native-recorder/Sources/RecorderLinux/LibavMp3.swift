// Owns MP3 packets for a `LibavMuxer`: encoded from samples by libmp3lame, or copied from a finished file.

import CLibav
import RecorderCore

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
      packet.pointee.pts = try input.time(packet.pointee.pts)
      if begins == nil { begins = try firstKept(packet) }
      packet.pointee.pts -= begins ?? 0
      packet.pointee.dts = packet.pointee.pts
      if packet.pointee.pts >= 0 { return true }
    }
    return false
  }

  private func firstKept(_ packet: UnsafeMutablePointer<AVPacket>) throws(RecorderError) -> Int64 {
    let length = try input.time(max(1, packet.pointee.duration))
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
