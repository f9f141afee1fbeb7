// Owns encoding a take again: decoded, fitted into the wanted size with black bars, encoded by libx264 without reordering.

import CLibav
import RecorderCore

struct H264Quality {
  /// x264's constant rate factor: 20 cannot be told from the recording, 34 still lets text be read.
  let crf: Double
  /// Id of the parameter sets, so that another encoder's can stand beside them in one record.
  let parameterSetId: Int

  init(compressionLevel: Double, parameterSetId: Int) {
    crf = 20 + 14 * compressionLevel
    self.parameterSetId = parameterSetId
  }
}

final class H264Transcoder: TakePackets {
  private static let mostTicksBetweenKeyframes = Int64(10 * MoviePlan.timescale)

  private let input: LibavInput
  private let size: PictureSize
  private let timeBase: AVRational
  private let job: MediaJob
  private let packet: LibavPacket
  private var decoder: UnsafeMutablePointer<AVCodecContext>?
  private var encoder: UnsafeMutablePointer<AVCodecContext>?
  private var decoded: UnsafeMutablePointer<AVFrame>?
  private var fitted: UnsafeMutablePointer<AVFrame>?
  private var scaler: OpaquePointer?
  private var origin: Int64?
  private var lastTicks: Int64 = -1
  private var keyframeTicks: Int64?
  private var isDrained = false

  init(
    _ input: LibavInput, _ size: PictureSize, _ quality: H264Quality, timeBase: AVRational, job: MediaJob
  ) throws(RecorderError) {
    self.input = input
    self.size = size
    self.timeBase = timeBase
    self.job = job
    packet = try LibavPacket()
    decoder = try LibavDecoder.open(input)
    encoder = try Self.openEncoder(size, quality)
    decoded = av_frame_alloc()
    fitted = av_frame_alloc()
    guard decoded != nil, fitted != nil else { throw LibavFailure.memory }
  }

  deinit {
    sws_freeContext(scaler)
    av_frame_free(&decoded)
    av_frame_free(&fitted)
    avcodec_free_context(&encoder)
    avcodec_free_context(&decoder)
  }

  /// The avcC record of what this encoder will write.
  static func configuration(_ size: PictureSize, _ quality: H264Quality) throws(RecorderError) -> [UInt8] {
    var encoder: UnsafeMutablePointer<AVCodecContext>? = try openEncoder(size, quality)
    defer { avcodec_free_context(&encoder) }
    let extra = UnsafeBufferPointer(start: encoder?.pointee.extradata, count: Int(encoder?.pointee.extradata_size ?? 0))
    guard let record = H264.decoderConfiguration(extra) else {
      throw RecorderError(.encoderFailed, "libx264 gave no parameter sets.")
    }
    return record
  }

  func next(_ packet: UnsafeMutablePointer<AVPacket>) throws(RecorderError) -> Bool {
    while true {
      let result = avcodec_receive_packet(encoder, packet)
      if result == WS_AVERROR_EOF { return false }
      if result >= 0 {
        try replaceStartCodes(packet)
        return true
      }
      guard result == WS_AVERROR_EAGAIN, !isDrained else { throw failed(result) }
      // Several frames go in before the first packet comes out.
      guard !job.isCancelled else { throw RecorderError(.invalidState, "The job was cancelled.") }
      try feed()
    }
  }

  private func feed() throws(RecorderError) {
    guard let decoded, let decoder else { return }
    while true {
      let result = avcodec_receive_frame(decoder, decoded)
      if result >= 0 { break }
      if result == WS_AVERROR_EOF {
        isDrained = true
        avcodec_send_frame(encoder, nil)
        return
      }
      guard result == WS_AVERROR_EAGAIN else { throw LibavFailure.error("decode", input.path, result) }
      let sent = avcodec_send_packet(decoder, try input.read(packet.pointer) ? packet.pointer : nil)
      guard sent >= 0 else { throw LibavFailure.error("decode", input.path, sent) }
    }
    let timestamp = try input.time(decoded.pointee.best_effort_timestamp)
    let begins = origin ?? timestamp
    origin = begins
    let ticks = try input.time(av_rescale_q(timestamp - begins, input.stream.pointee.time_base, timeBase))
    let frame = try fit(decoded)
    frame.pointee.pts = max(lastTicks + 1, ticks)
    lastTicks = frame.pointee.pts
    let isKeyframe = lastTicks - (keyframeTicks ?? -Self.mostTicksBetweenKeyframes) >= Self.mostTicksBetweenKeyframes
    if isKeyframe { keyframeTicks = lastTicks }
    frame.pointee.pict_type = isKeyframe ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE
    let sent = avcodec_send_frame(encoder, frame)
    av_frame_unref(frame)
    guard sent >= 0 else { throw failed(sent) }
  }

  /// The frame as it is where it fits; otherwise as large as it can be in the middle of a black picture.
  private func fit(_ frame: UnsafeMutablePointer<AVFrame>) throws(RecorderError) -> UnsafeMutablePointer<AVFrame> {
    let (width, height) = (Int(frame.pointee.width), Int(frame.pointee.height))
    if width == size.width, height == size.height, frame.pointee.format == AV_PIX_FMT_YUV420P.rawValue { return frame }
    guard let fitted, width > 0, height > 0 else { throw LibavFailure.memory }
    fitted.pointee.format = AV_PIX_FMT_YUV420P.rawValue
    fitted.pointee.width = Int32(size.width)
    fitted.pointee.height = Int32(size.height)
    guard av_frame_get_buffer(fitted, 0) >= 0 else { throw LibavFailure.memory }
    let scale = min(Double(size.width) / Double(width), Double(size.height) / Double(height))
    // Chroma is halved both ways: sizes and places are even.
    let inner = (width: max(2, Int(Double(width) * scale / 2) * 2), height: max(2, Int(Double(height) * scale / 2) * 2))
    let left = (size.width - inner.width) / 4 * 2
    let top = (size.height - inner.height) / 4 * 2
    scaler = sws_getCachedContext(
      scaler, Int32(width), Int32(height), AVPixelFormat(frame.pointee.format), Int32(inner.width),
      Int32(inner.height), AV_PIX_FMT_YUV420P, SWS_BICUBIC, nil, nil, nil)
    guard let scaler else { throw RecorderError(.encoderFailed, "A picture of \(width)x\(height) cannot be scaled.") }
    var lines: [Int] = [0, 0, 0, 0]
    lines[0] = Int(fitted.pointee.linesize.0)
    lines[1] = Int(fitted.pointee.linesize.1)
    lines[2] = Int(fitted.pointee.linesize.2)
    av_image_fill_black(
      &fitted.pointee.data.0, &lines, AV_PIX_FMT_YUV420P, AVCOL_RANGE_MPEG, Int32(size.width), Int32(size.height))
    var target: [UnsafeMutablePointer<UInt8>?] = [
      fitted.pointee.data.0?.advanced(by: top * lines[0] + left),
      fitted.pointee.data.1?.advanced(by: top / 2 * lines[1] + left / 2),
      fitted.pointee.data.2?.advanced(by: top / 2 * lines[2] + left / 2), nil,
    ]
    let source: [UnsafePointer<UInt8>?] = [
      UnsafePointer(frame.pointee.data.0), UnsafePointer(frame.pointee.data.1), UnsafePointer(frame.pointee.data.2),
      UnsafePointer(frame.pointee.data.3),
    ]
    let sourceLines = [
      frame.pointee.linesize.0, frame.pointee.linesize.1, frame.pointee.linesize.2, frame.pointee.linesize.3,
    ]
    let scaled = sws_scale(
      scaler, source, sourceLines, 0, Int32(height), &target, lines.map { Int32($0) })
    guard scaled > 0 else { throw failed(scaled) }
    return fitted
  }

  /// MP4 holds lengths in place of start codes, and parameter sets beside the stream.
  private func replaceStartCodes(_ packet: UnsafeMutablePointer<AVPacket>) throws(RecorderError) {
    let bytes = H264.lengthPrefixed(UnsafeBufferPointer(start: packet.pointee.data, count: Int(packet.pointee.size)))
    let (pts, flags) = (packet.pointee.pts, packet.pointee.flags)
    av_packet_unref(packet)
    guard av_new_packet(packet, Int32(bytes.count)) >= 0, let data = packet.pointee.data else {
      throw LibavFailure.memory
    }
    data.update(from: bytes, count: bytes.count)
    packet.pointee.pts = pts
    packet.pointee.flags = flags
  }

  private func failed(_ code: Int32) -> RecorderError {
    RecorderError(.encoderFailed, "\(input.path) cannot be encoded again: \(LibavFailure.describe(code)).")
  }

  private static func openEncoder(
    _ size: PictureSize, _ quality: H264Quality
  ) throws(RecorderError) -> UnsafeMutablePointer<AVCodecContext> {
    guard let codec = avcodec_find_encoder_by_name("libx264") else {
      throw RecorderError(.encoderFailed, "This libavcodec has no libx264; install a build with H.264 encoding.")
    }
    var context = avcodec_alloc_context3(codec)
    guard let fresh = context else { throw LibavFailure.memory }
    fresh.pointee.width = Int32(size.width)
    fresh.pointee.height = Int32(size.height)
    fresh.pointee.pix_fmt = AV_PIX_FMT_YUV420P
    fresh.pointee.time_base = AVRational(num: 1, den: Int32(MoviePlan.timescale))
    fresh.pointee.framerate = AVRational(num: 15, den: 1)
    fresh.pointee.color_primaries = AVCOL_PRI_BT709
    fresh.pointee.color_trc = AVCOL_TRC_BT709
    fresh.pointee.colorspace = AVCOL_SPC_BT709
    fresh.pointee.color_range = AVCOL_RANGE_MPEG
    fresh.pointee.max_b_frames = 0
    fresh.pointee.gop_size = 100_000
    fresh.pointee.flags |= Int32(bitPattern: UInt32(WS_AV_FLAG_GLOBAL_HEADER))
    var options: OpaquePointer?
    defer { av_dict_free(&options) }
    av_dict_set(&options, "preset", "fast", 0)
    av_dict_set(&options, "crf", String(quality.crf), 0)
    av_dict_set(&options, "forced-idr", "1", 0)
    av_dict_set(&options, "x264-params", "sps-id=\(quality.parameterSetId):rc-lookahead=20:annexb=1", 0)
    let result = avcodec_open2(fresh, codec, &options)
    guard result >= 0 else {
      avcodec_free_context(&context)
      throw RecorderError(
        .encoderFailed, "libx264 does not open for \(size.width)x\(size.height): \(LibavFailure.describe(result)).")
    }
    return fresh
  }
}
