// Owns H.264 encoding by a graphics card, through libavcodec's h264_vaapi: pictures are copied up, encoded frames come back.

import CLibav
import Glibc
import RecorderCore

final class VaapiEncoder: VideoEncoder {
  let name = "h264_vaapi"
  let isHardware = true
  private(set) var decoderConfiguration: [UInt8] = []

  private var device: UnsafeMutablePointer<AVBufferRef>?
  private var context: UnsafeMutablePointer<AVCodecContext>?
  private var packet: UnsafeMutablePointer<AVPacket>?
  private var software: UnsafeMutablePointer<AVFrame>?
  private var surface: UnsafeMutablePointer<AVFrame>?

  /// The first card that really encodes; drivers exist that open and then fail.
  /// - Throws: `encoderFailed` when there is none. Nothing is loaded on a machine without a card.
  static func open(_ settings: VideoEncoderSettings) throws(RecorderError) -> any VideoEncoder {
    for number in 128..<136 where access("/dev/dri/renderD\(number)", R_OK | W_OK) == 0 {
      guard let encoder = try? VaapiEncoder(settings, card: "/dev/dri/renderD\(number)"),
        let trial = try? encoder.encode(Nv12Picture(size: settings.size), presentationTicks: -1, keyframe: true),
        !trial.isEmpty
      else { continue }
      return encoder
    }
    throw RecorderError(.encoderFailed, "No graphics card encodes H.264.")
  }

  private init(_ settings: VideoEncoderSettings, card: String) throws(RecorderError) {
    packet = av_packet_alloc()
    software = av_frame_alloc()
    surface = av_frame_alloc()
    guard let codec = avcodec_find_encoder_by_name(name) else {
      throw RecorderError(.encoderFailed, "This libavcodec has no \(name).")
    }
    try Self.check(av_hwdevice_ctx_create(&device, AV_HWDEVICE_TYPE_VAAPI, card, nil, 0), "open \(card)")
    context = avcodec_alloc_context3(codec)
    guard let context, packet != nil, software != nil, surface != nil else {
      throw RecorderError(.encoderFailed, "There is not enough memory for the encoder.")
    }
    context.pointee.width = Int32(settings.size.width)
    context.pointee.height = Int32(settings.size.height)
    context.pointee.pix_fmt = AV_PIX_FMT_VAAPI
    context.pointee.time_base = AVRational(num: 1, den: Int32(settings.timescale))
    context.pointee.framerate = AVRational(num: Int32(max(1, settings.fps.rounded())), den: 1)
    context.pointee.color_primaries = AVCOL_PRI_BT709
    context.pointee.color_trc = AVCOL_TRC_BT709
    context.pointee.colorspace = AVCOL_SPC_BT709
    context.pointee.color_range = AVCOL_RANGE_MPEG
    context.pointee.flags |= Int32(bitPattern: UInt32(WS_AV_FLAG_GLOBAL_HEADER))
    context.pointee.max_b_frames = 0
    // Keyframes are asked for one by one; this is only the encoder's own bound, in frames.
    context.pointee.gop_size = 100_000
    try makeSurfaces(settings.size, context)
    var options: OpaquePointer?
    defer { av_dict_free(&options) }
    // Depth 1: a frame comes out before the next one goes in. The quantiser is that of the software encoder.
    let quantiser = String(Int((44 - settings.quality * 20).rounded()))
    for (key, value) in [("rc_mode", "CQP"), ("qp", quantiser), ("async_depth", "1"), ("profile", "high")] {
      av_dict_set(&options, key, value, 0)
    }
    try Self.check(avcodec_open2(context, codec, &options), "open the encoder")
    let extra = UnsafeBufferPointer(start: context.pointee.extradata, count: Int(context.pointee.extradata_size))
    guard let record = H264.decoderConfiguration(extra) else {
      throw RecorderError(.encoderFailed, "The graphics card gives no parameter sets.")
    }
    decoderConfiguration = record
  }

  deinit {
    av_frame_free(&software)
    av_frame_free(&surface)
    av_packet_free(&packet)
    avcodec_free_context(&context)
    av_buffer_unref(&device)
  }

  /// The card's memory for pictures, which belongs to the encoder from then on.
  private func makeSurfaces(
    _ size: PictureSize, _ context: UnsafeMutablePointer<AVCodecContext>
  ) throws(RecorderError) {
    var pool = device.flatMap { av_hwframe_ctx_alloc($0) }
    guard let memory = pool?.pointee.data else {
      throw RecorderError(.encoderFailed, "There is not enough memory for the encoder.")
    }
    defer { av_buffer_unref(&pool) }
    memory.withMemoryRebound(to: AVHWFramesContext.self, capacity: 1) { frames in
      frames.pointee.format = AV_PIX_FMT_VAAPI
      frames.pointee.sw_format = AV_PIX_FMT_NV12
      frames.pointee.width = Int32(size.width)
      frames.pointee.height = Int32(size.height)
      frames.pointee.initial_pool_size = 8
    }
    try Self.check(av_hwframe_ctx_init(pool), "make pictures of \(size.width)x\(size.height)")
    context.pointee.hw_frames_ctx = av_buffer_ref(pool)
  }

  func encode(
    _ picture: Nv12Picture, presentationTicks: Int64, keyframe: Bool
  ) throws(RecorderError) -> [EncodedFrame] {
    guard let context, let software, let surface else { return [] }
    defer {
      av_frame_unref(software)
      av_frame_unref(surface)
    }
    software.pointee.format = AV_PIX_FMT_NV12.rawValue
    software.pointee.width = Int32(picture.size.width)
    software.pointee.height = Int32(picture.size.height)
    software.pointee.data.0 = picture.luma
    software.pointee.data.1 = picture.chroma
    software.pointee.linesize.0 = Int32(picture.lumaStride)
    software.pointee.linesize.1 = Int32(picture.lumaStride)
    try Self.check(av_hwframe_get_buffer(context.pointee.hw_frames_ctx, surface, 0), "get a picture")
    try Self.check(av_hwframe_transfer_data(surface, software, 0), "copy a picture to the card")
    surface.pointee.pts = presentationTicks
    surface.pointee.pict_type = keyframe ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE
    surface.pointee.color_range = AVCOL_RANGE_MPEG
    try Self.check(avcodec_send_frame(context, surface), "encode a frame")
    return try receive(context)
  }

  func finish() throws(RecorderError) -> [EncodedFrame] {
    guard let context else { return [] }
    try Self.check(avcodec_send_frame(context, nil), "end")
    return try receive(context)
  }

  private func receive(_ context: UnsafeMutablePointer<AVCodecContext>) throws(RecorderError) -> [EncodedFrame] {
    guard let packet else { return [] }
    var frames: [EncodedFrame] = []
    while true {
      let result = avcodec_receive_packet(context, packet)
      if result == WS_AVERROR_EAGAIN || result == WS_AVERROR_EOF { return frames }
      try Self.check(result, "encode a frame")
      defer { av_packet_unref(packet) }
      let bytes = UnsafeBufferPointer(start: packet.pointee.data, count: Int(packet.pointee.size))
      frames.append(
        EncodedFrame(
          bytes: H264.lengthPrefixed(bytes), presentationTicks: packet.pointee.pts,
          isKeyframe: packet.pointee.flags & WS_AV_PKT_KEY != 0))
    }
  }

  private static func check(_ result: Int32, _ doing: String) throws(RecorderError) {
    guard result < 0 else { return }
    var text = [CChar](repeating: 0, count: 128)
    av_strerror(result, &text, text.count)
    let reason = text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    throw RecorderError(.encoderFailed, "The graphics card cannot \(doing): \(reason).")
  }
}
