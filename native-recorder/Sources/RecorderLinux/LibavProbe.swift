// Owns what libavformat says of media that the recorder did not write: imported files, merged movies, MP3s.

import CLibav
import Glibc
import RecorderCore

public enum LibavProbe {
  /// - Throws: `unsupported` for other kinds than MP4, WAV and MP3, `ioError` for a file that cannot be read.
  public static func probe(_ path: String) throws(RecorderError) -> MediaProbe {
    var status = stat()
    guard stat(path, &status) == 0 else { throw posixError("read", path, errno) }
    let bytes = Int(status.st_size)
    var probe: MediaProbe?
    for kind in [AVMEDIA_TYPE_VIDEO, AVMEDIA_TYPE_AUDIO] {
      // A file has picture, sound, or both.
      if let input = try? LibavInput(path, kind, job: nil), let format = Self.kind(input.formatName) {
        if probe == nil {
          probe = MediaProbe(kind: format, bytes: bytes, complete: try input.isWhole())
        }
        if let known = probe { probe = input.described(known) }
      }
    }
    if let probe { return probe }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    throw RecorderError(.unsupported, "\(name) is no MP4, WAV, MP3 or PNG file that can be read.")
  }

  private static func kind(_ format: String) -> MediaProbe.Kind? {
    if format.contains("mp4") { return .mp4 }
    return MediaProbe.Kind(rawValue: format)
  }
}

extension LibavInput {
  fileprivate func described(_ known: MediaProbe) -> MediaProbe {
    var probe = known
    if let durationMs { probe.durationMs = max(probe.durationMs ?? 0, durationMs) }
    let parameters = parameters.pointee
    if parameters.codec_type == AVMEDIA_TYPE_VIDEO {
      probe.width = Int(parameters.width)
      probe.height = Int(parameters.height)
      if stream.pointee.nb_frames > 0 { probe.frames = Int(stream.pointee.nb_frames) }
    } else {
      probe.sampleRate = Int(parameters.sample_rate)
      probe.channels = Int(parameters.ch_layout.nb_channels)
    }
    return probe
  }
}
