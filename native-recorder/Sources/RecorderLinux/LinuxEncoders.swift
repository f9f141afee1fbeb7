// Owns the choice of an encoder: a graphics card where one works, x264 everywhere else.

import RecorderCore

enum LinuxEncoders {
  /// - Throws: `encoderFailed` when software fails too.
  static func open(
    _ settings: VideoEncoderSettings,
    hardware: (VideoEncoderSettings) throws(RecorderError) -> any VideoEncoder = VaapiEncoder.open
  ) throws(RecorderError) -> any VideoEncoder {
    if settings.allowsHardware, let encoder = try? hardware(settings) { return encoder }
    return try X264Encoder(settings)
  }
}
