// Owns H.264 encoding in software, through x264's own API: libavcodec hands on neither which blocks are unchanged nor
// a quantiser for each frame, and both save more than everything else.

import CX264
import RecorderCore

final class X264Encoder: VideoEncoder {
  let name = "libx264"
  let isHardware = false
  private(set) var decoderConfiguration: [UInt8] = []

  private var parameters = x264_param_t()
  private let encoder: OpaquePointer
  /// x264 reads it while it encodes: a mark for each block of 16x16 pixels, row by row.
  private let marks: UnsafeMutableBufferPointer<UInt8>
  private let timescale: Double
  private var motion = MotionQuantizer()
  private var searchesFar = true
  private var still = StillKeyframes()

  /// - Throws: `encoderFailed`.
  init(_ settings: VideoEncoderSettings) throws(RecorderError) {
    timescale = Double(settings.timescale)
    Self.choose(settings, &parameters)
    guard let opened = ws_x264_open(&parameters) else {
      throw RecorderError(
        .encoderFailed, "libx264 does not open for \(settings.size.width)x\(settings.size.height) pixels.")
    }
    encoder = opened
    marks = .allocate(capacity: (settings.size.width + 15) / 16 * ((settings.size.height + 15) / 16))
    marks.initialize(repeating: 0)
    var units: UnsafeMutablePointer<x264_nal_t>?
    var count: Int32 = 0
    let bytes = x264_encoder_headers(encoder, &units, &count)
    guard bytes > 0, let first = units?.pointee.p_payload,
      let record = H264.decoderConfiguration(UnsafeBufferPointer(start: first, count: Int(bytes)))
    else { throw RecorderError(.encoderFailed, "libx264 gave no parameter sets.") }
    decoderConfiguration = record
  }

  deinit {
    x264_encoder_close(encoder)
    marks.deallocate()
  }

  func encode(
    _ picture: Nv12Picture, presentationTicks: Int64, keyframe: Bool
  ) throws(RecorderError) -> [EncodedFrame] {
    let atMs = Double(presentationTicks) * 1000 / timescale
    let extra = motion.extraSteps(share: picture.changedShare, atMs: atMs)
    if keyframe, !picture.hasChanges, let again = still.next() {
      return [EncodedFrame(bytes: again, presentationTicks: presentationTicks, isKeyframe: true)]
    }
    try search(far: !motion.isBusy)
    if keyframe {
      // Twice where the number of x264's next keyframe is that of the last frame written; the first is thrown away.
      if still.isOutOfStep { _ = try run(picture, presentationTicks, keyframe: true, extra: 0) }
      let frame = try run(picture, presentationTicks, keyframe: true, extra: 0)
      still.encoded(frame.bytes, isNewPicture: picture.hasChanges)
      return [frame]
    }
    still.forget()
    return [try run(picture, presentationTicks, keyframe: false, extra: extra)]
  }

  func finish() throws(RecorderError) -> [EncodedFrame] { [] }

  private func run(
    _ source: Nv12Picture, _ ticks: Int64, keyframe: Bool, extra: Int
  ) throws(RecorderError) -> EncodedFrame {
    var picture = x264_picture_t()
    x264_picture_init(&picture)
    picture.i_type = keyframe ? WS_X264_TYPE_IDR : WS_X264_TYPE_P
    picture.i_qpplus1 = extra == 0 ? 0 : min(51, parameters.rc.i_qp_constant + Int32(extra)) + 1
    picture.i_pts = ticks
    picture.img.i_csp = WS_X264_CSP_NV12
    picture.img.i_plane = 2
    picture.img.plane.0 = source.luma
    picture.img.plane.1 = source.chroma
    picture.img.i_stride.0 = Int32(source.lumaStride)
    picture.img.i_stride.1 = Int32(source.lumaStride)
    for (block, changed) in source.changed.enumerated() { marks[block] = changed == 0 ? WS_X264_CONSTANT : 0 }
    picture.prop.mb_info = marks.baseAddress
    var units: UnsafeMutablePointer<x264_nal_t>?
    var count: Int32 = 0
    var out = x264_picture_t()
    let bytes = x264_encoder_encode(encoder, &units, &count, &picture, &out)
    guard bytes > 0, let first = units?.pointee.p_payload else {
      throw RecorderError(.encoderFailed, "libx264 gave no frame (\(bytes)).")
    }
    return EncodedFrame(
      bytes: H264.lengthPrefixed(UnsafeBufferPointer(start: first, count: Int(bytes))), presentationTicks: out.i_pts,
      isKeyframe: out.b_keyframe != 0)
  }

  /// A long search finds scrolled text again. In a moving picture it finds nothing and takes longer than a frame lasts.
  private func search(far: Bool) throws(RecorderError) {
    guard far != searchesFar else { return }
    searchesFar = far
    Self.setSearch(far: far, &parameters)
    guard x264_encoder_reconfig(encoder, &parameters) == 0 else {
      throw RecorderError(.encoderFailed, "libx264 does not take other settings.")
    }
  }

  private static func setSearch(far: Bool, _ parameters: inout x264_param_t) {
    parameters.analyse.i_me_method = far ? WS_X264_ME_UMH : WS_X264_ME_HEX
    parameters.analyse.i_me_range = far ? 96 : 16
  }

  /// Chosen by measuring CPU, bytes and SSIM on a coding workload at 1080p15 against x264's own presets.
  private static func choose(_ settings: VideoEncoderSettings, _ parameters: inout x264_param_t) {
    x264_param_default_preset(&parameters, "veryfast", nil)
    parameters.i_log_level = WS_X264_LOG_NONE
    parameters.i_width = Int32(settings.size.width)
    parameters.i_height = Int32(settings.size.height)
    parameters.i_csp = WS_X264_CSP_NV12
    parameters.i_fps_num = UInt32(max(1, settings.fps.rounded()))
    parameters.i_fps_den = 1
    // Frames come out at once: no thread, no lookahead, no reordering. (With b_vfr_input x264 waits for the next frame.)
    parameters.i_threads = 1
    parameters.i_lookahead_threads = 1
    parameters.b_vfr_input = 0
    parameters.i_bframe = 0
    parameters.i_sync_lookahead = 0
    parameters.rc.i_lookahead = 0
    parameters.rc.b_mb_tree = 0
    // Keyframes are placed by the recorder.
    parameters.i_keyint_max = 1 << 30
    parameters.i_scenecut_threshold = 0
    parameters.b_annexb = 1
    parameters.b_repeat_headers = 0
    parameters.vui.i_colorprim = 1
    parameters.vui.i_transfer = 1
    parameters.vui.i_colmatrix = 1
    parameters.vui.b_fullrange = 0
    // A fixed quantiser needs no half-size planes and no estimate of each frame's cost, which CRF pays for in full.
    parameters.rc.i_rc_method = WS_X264_RC_CQP
    parameters.rc.i_qp_constant = Int32((44 - settings.quality * 20).rounded())
    parameters.rc.f_ip_factor = 1.1
    // Blocks that did not change are skipped without being looked at.
    parameters.analyse.b_mb_info = 1
    parameters.analyse.i_weighted_pred = 0
    // Text moves by whole pixels: no interpolated planes are made, none are searched.
    parameters.analyse.i_subpel_refine = 0
    parameters.analyse.b_chroma_me = 0
    setSearch(far: true, &parameters)
  }
}

/// Keyframes of a picture that stays as it is: two are encoded, then their bytes come again in turn. Two, because
/// neighbouring IDR pictures have to differ in idr_pic_id (ITU-T H.264, 7.4.3), which x264 lets alternate.
private struct StillKeyframes {
  private var frames: [[UInt8]] = []
  private var repeats = 0

  /// x264's next IDR picture would have the number of the last one written.
  var isOutOfStep: Bool { repeats % 2 == 1 }

  mutating func next() -> [UInt8]? {
    guard frames.count == 2 else { return nil }
    repeats += 1
    return frames[isOutOfStep ? 0 : 1]
  }

  mutating func encoded(_ bytes: [UInt8], isNewPicture: Bool) {
    if isNewPicture { frames = [] }
    repeats = 0
    frames = frames.suffix(1) + [bytes]
  }

  mutating func forget() {
    frames = []
    repeats = 0
  }
}
