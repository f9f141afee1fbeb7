// Owns turning a camera's bytes into BGRX pixels: libswscale for YUYV and NV12, libavcodec before it for MJPEG.

import CLibav
import CLinux
import RecorderCore

final class CameraPixels {
  /// Best first.
  static let known = [WS_V4L2_YUYV, WS_V4L2_NV12, WS_V4L2_MJPEG, WS_V4L2_JPEG]

  private let fourcc: UInt32
  private let size: PictureSize
  /// Of the first plane, in bytes.
  private let stride: Int
  private var scaler: OpaquePointer?
  private var decoder: UnsafeMutablePointer<AVCodecContext>?
  private var packet = av_packet_alloc()
  private var frame = av_frame_alloc()

  init(fourcc: UInt32, size: PictureSize, stride: Int) throws(RecorderError) {
    self.fourcc = fourcc
    self.size = size
    self.stride = fourcc == WS_V4L2_YUYV ? max(stride, size.width * 2) : max(stride, size.width)
    guard packet != nil, frame != nil else {
      throw RecorderError(.internal, "There is not enough memory for a camera.")
    }
    guard fourcc == WS_V4L2_MJPEG || fourcc == WS_V4L2_JPEG else { return }
    let codec = avcodec_find_decoder(AV_CODEC_ID_MJPEG)
    decoder = avcodec_alloc_context3(codec)
    decoder?.pointee.thread_count = 1
    guard codec != nil, decoder != nil, avcodec_open2(decoder, codec, nil) >= 0 else {
      throw RecorderError(.unsupported, "This libavcodec cannot read the camera's MJPEG.")
    }
  }

  deinit {
    sws_freeContext(scaler)
    avcodec_free_context(&decoder)
    av_packet_free(&packet)
    av_frame_free(&frame)
  }

  /// Fills the picture. False when the bytes are no whole picture; it is then as it was.
  func convert(_ bytes: UnsafeRawBufferPointer, into picture: BgraPicture) -> Bool {
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
    if decoder != nil { return decode(base, bytes.count, into: picture) }
    if fourcc == WS_V4L2_YUYV {
      guard bytes.count >= stride * size.height else { return false }
      return scale([base, nil, nil, nil], [Int32(stride), 0, 0, 0], AV_PIX_FMT_YUYV422, into: picture)
    }
    guard bytes.count >= stride * size.height + stride * (size.height / 2) else { return false }
    return scale(
      [base, base + stride * size.height, nil, nil], [Int32(stride), Int32(stride), 0, 0], AV_PIX_FMT_NV12,
      into: picture)
  }

  private func decode(_ base: UnsafePointer<UInt8>, _ count: Int, into picture: BgraPicture) -> Bool {
    guard Self.isWholeJpeg(UnsafeBufferPointer(start: base, count: count)) else { return false }
    guard let packet, let frame, av_new_packet(packet, Int32(count)) >= 0 else { return false }
    defer { av_packet_unref(packet) }
    packet.pointee.data.update(from: base, count: count)
    guard avcodec_send_packet(decoder, packet) >= 0, avcodec_receive_frame(decoder, frame) >= 0 else { return false }
    defer { av_frame_unref(frame) }
    let it = frame.pointee
    // A torn picture decodes to its upper part and grey.
    guard it.decode_error_flags == 0, it.flags & AV_FRAME_FLAG_CORRUPT == 0, Int(it.width) == size.width,
      Int(it.height) == size.height
    else { return false }
    return scale(
      [UnsafePointer(it.data.0), UnsafePointer(it.data.1), UnsafePointer(it.data.2), nil],
      [it.linesize.0, it.linesize.1, it.linesize.2, 0], AVPixelFormat(rawValue: it.format), into: picture)
  }

  /// From the start marker to the end marker (ISO/IEC 10918-1, B.1.1.3); cameras may add zeros.
  private static func isWholeJpeg(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard bytes.count > 4, bytes[0] == 0xff, bytes[1] == 0xd8 else { return false }
    guard let last = bytes.lastIndex(where: { $0 != 0 }), last > 1 else { return false }
    return bytes[last] == 0xd9 && bytes[last - 1] == 0xff
  }

  private func scale(
    _ planes: [UnsafePointer<UInt8>?], _ strides: [Int32], _ format: AVPixelFormat, into picture: BgraPicture
  ) -> Bool {
    let width = Int32(size.width)
    let height = Int32(size.height)
    scaler = sws_getCachedContext(
      scaler, width, height, format, width, height, AV_PIX_FMT_BGR0, WS_SWS_BILINEAR, nil, nil, nil)
    guard let scaler else { return false }
    var targets: [UnsafeMutablePointer<UInt8>?] = [picture.base.assumingMemoryBound(to: UInt8.self), nil, nil, nil]
    var targetStrides = [Int32(picture.stride), 0, 0, 0]
    return sws_scale(scaler, planes, strides, 0, height, &targets, &targetStrides) == height
  }
}
