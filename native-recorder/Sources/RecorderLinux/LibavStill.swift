// Owns PNG encoding and SHA-256 through libav.

import CLibav
import RecorderCore

enum LibavPng {
  /// Level 4 without prediction, chosen by measuring a coding screen, 1920x1080 and 8-bit, on one core (libavcodec 59):
  ///
  ///     PNG level 1, none / sub / paeth / mixed    16 / 14 / 21 / 45 ms    238 / 288 / 287 / 269 kB
  ///     PNG level 3, none / sub / paeth / mixed    14 / 14 / 22 / 45 ms    231 / 282 / 280 / 263 kB
  ///     PNG level 4 / 5 / 6 / 9, none              22 / 23 / 27 / 175 ms   216 / 212 / 211 / 208 kB
  ///     WebP lossless, method 0 / 1 / 2            33 / 59 / 92 ms         258 / 124 / 73 kB
  ///     JPEG 4:4:4, quantiser 3                    11 ms                   285 kB, with fringes round the letters
  ///
  /// Prediction spoils the repetition that text is made of. WebP halves the bytes, for more than the 60 ms that a
  /// screenshot may take, and not every libavcodec can write it.
  static func encode(rgb: UnsafeRawBufferPointer, width: Int, height: Int) throws(RecorderError) -> [UInt8] {
    guard let codec = avcodec_find_encoder(AV_CODEC_ID_PNG) else {
      throw RecorderError(.encoderFailed, "This libavcodec cannot write PNG.")
    }
    var context = avcodec_alloc_context3(codec)
    var packet = av_packet_alloc()
    var frame = av_frame_alloc()
    defer {
      av_frame_free(&frame)
      av_packet_free(&packet)
      avcodec_free_context(&context)
    }
    guard let context, let packet, let frame, let base = rgb.baseAddress, rgb.count >= width * height * 3 else {
      throw RecorderError(.encoderFailed, "There is not enough memory for a screenshot.")
    }
    context.pointee.width = Int32(width)
    context.pointee.height = Int32(height)
    context.pointee.pix_fmt = AV_PIX_FMT_RGB24
    context.pointee.time_base = AVRational(num: 1, den: 1)
    context.pointee.compression_level = 4
    guard avcodec_open2(context, codec, nil) >= 0 else {
      throw RecorderError(.encoderFailed, "The PNG encoder does not open for \(width)x\(height).")
    }
    frame.pointee.format = AV_PIX_FMT_RGB24.rawValue
    frame.pointee.width = Int32(width)
    frame.pointee.height = Int32(height)
    let pixels = UnsafeMutableRawPointer(mutating: base).assumingMemoryBound(to: UInt8.self)
    frame.pointee.data.0 = pixels
    frame.pointee.linesize.0 = Int32(width * 3)
    frame.pointee.buf.0 = ws_av_lend(pixels, rgb.count)
    guard avcodec_send_frame(context, frame) >= 0, avcodec_receive_packet(context, packet) >= 0 else {
      throw RecorderError(.encoderFailed, "The screenshot could not be encoded.")
    }
    return Array(UnsafeBufferPointer(start: packet.pointee.data, count: Int(packet.pointee.size)))
  }
}

enum LibavHash {
  /// 64 lowercase hex digits (FIPS 180-4).
  static func sha256(_ bytes: UnsafeRawBufferPointer) -> String {
    guard let state = av_sha_alloc() else { return "" }
    defer { av_free(UnsafeMutableRawPointer(state)) }
    av_sha_init(state, 256)
    av_sha_update(state, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    var digest = [UInt8](repeating: 0, count: 32)
    av_sha_final(state, &digest)
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
