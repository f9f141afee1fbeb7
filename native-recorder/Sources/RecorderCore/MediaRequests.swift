// Owns what the media calls are asked for: requests checked before anything is opened, folders turned into their files.

/// A file and where in media time it begins.
public struct MediaPiece: Codable, Sendable, Equatable {
  public let path: String
  public let offsetMs: Double

  public init(path: String, offsetMs: Double) {
    self.path = path
    self.offsetMs = offsetMs
  }
}

public struct MediaChapter: Codable, Sendable, Equatable {
  public let title: String
  public let startMs: Double
  /// Without it the chapter lasts until the next one, or until the end.
  public let endMs: Double?

  public init(title: String, startMs: Double, endMs: Double?) {
    self.title = title
    self.startMs = startMs
    self.endMs = endMs
  }
}

/// media_concatenate_audio's request, with its folder read.
public struct ConcatenateRequest: Sendable {
  public let segments: [MediaPiece]
  public let outputPath: String
  public let bitrateKbps: Int
  /// The part of media time that is written.
  public let fromMs: Double
  public let durationMs: Double?
}

/// Where a merged movie's sound comes from.
public enum MediaSound: Sendable, Equatable {
  case none
  /// A finished file that begins at media time 0; MP3 is copied.
  case file(String)
  case segments([MediaPiece])
}

/// media_merge's request, with its folder read.
public struct MergeRequest: Sendable {
  public let takes: [MediaPiece]
  public let sound: MediaSound
  public let outputPath: String
  public let bitrateKbps: Int
  public let chapters: [MediaChapter]
  /// Nil copies; 0 (best) to 1 (smallest) encodes again.
  public let compressionLevel: Double?
  /// ISO 8601; empty when it is not known.
  public let startedAt: String
}

/// The JSON of media_concatenate_audio as it arrives.
public struct ConcatenateInput: Decodable, Sendable {
  let directory: String?
  let segments: [MediaPiece]?
  let outputPath: String
  let bitrateKbps: Int?
  let fromMs: Double?
  let durationMs: Double?

  /// - Throws: `invalidConfig` for values that make no sense, and what reading the folder's manifest throws.
  public func read(platform: any RecorderPlatform) throws(RecorderError) -> ConcatenateRequest {
    let pieces: [MediaPiece]
    switch (directory, segments) {
    case (let directory?, nil): pieces = try MediaFolderContents.read(directory, platform: platform).segments
    case (nil, let segments?): pieces = segments
    default: throw RecorderError(.invalidConfig, "Give either “directory” or “segments”.")
    }
    guard !pieces.isEmpty else { throw RecorderError(.sourceNotFound, "There is no sound to put together.") }
    try Checks.pieces(pieces, output: outputPath)
    try Checks.time(fromMs ?? 0, "fromMs")
    try Checks.time(durationMs ?? 1, "durationMs")
    guard durationMs != 0 else { throw RecorderError(.invalidConfig, "durationMs has to be greater than 0.") }
    return ConcatenateRequest(
      segments: pieces, outputPath: outputPath, bitrateKbps: try Checks.bitrate(bitrateKbps), fromMs: fromMs ?? 0,
      durationMs: durationMs)
  }
}

/// The JSON of media_merge as it arrives.
public struct MergeInput: Decodable, Sendable {
  let directory: String?
  let takes: [MediaPiece]?
  let audio: String?
  let segments: [MediaPiece]?
  let outputPath: String
  let bitrateKbps: Int?
  let chapters: [MediaChapter]?
  let compressionLevel: Double?
  let startedAt: String?

  /// - Throws: `invalidConfig` for values that make no sense, and what reading the folder's manifest throws.
  public func read(platform: any RecorderPlatform) throws(RecorderError) -> MergeRequest {
    var pieces = takes ?? []
    var started = startedAt ?? ""
    var sound = segments.map(MediaSound.segments) ?? .none
    if let directory {
      guard takes == nil else { throw RecorderError(.invalidConfig, "Give either “directory” or “takes”.") }
      let contents = try MediaFolderContents.read(directory, platform: platform)
      pieces = contents.takes
      if segments == nil { sound = contents.segments.isEmpty ? .none : .segments(contents.segments) }
      if startedAt == nil { started = contents.startedAt }
    }
    if let audio {
      guard segments == nil else { throw RecorderError(.invalidConfig, "Give either “audio” or “segments”.") }
      sound = .file(audio)
      try Checks.pieces([MediaPiece(path: audio, offsetMs: 0)], output: outputPath)
    }
    if case .segments(let pieces) = sound { try Checks.pieces(pieces, output: outputPath) }
    guard !pieces.isEmpty else { throw RecorderError(.sourceNotFound, "There is no video to merge.") }
    try Checks.pieces(pieces, output: outputPath)
    if let level = compressionLevel, !(0...1).contains(level) {
      throw RecorderError(.invalidConfig, "compressionLevel has to be between 0 and 1.")
    }
    for chapter in chapters ?? [] {
      try Checks.time(chapter.startMs, "chapters.startMs")
      try Checks.time(chapter.endMs ?? 0, "chapters.endMs")
    }
    return MergeRequest(
      takes: pieces, sound: sound, outputPath: outputPath, bitrateKbps: try Checks.bitrate(bitrateKbps),
      chapters: chapters ?? [], compressionLevel: compressionLevel, startedAt: started)
  }
}

/// The media that a session's folder names in its manifest.
struct MediaFolderContents {
  let takes: [MediaPiece]
  let segments: [MediaPiece]
  let startedAt: String

  static func read(_ directory: String, platform: any RecorderPlatform) throws(RecorderError) -> MediaFolderContents {
    try Checks.path(directory, "directory")
    let folder = try platform.readFolder(directory)
    defer { folder.close() }
    let file = try folder.open(Manifest.fileName, writable: false)
    defer { file.close() }
    guard file.size <= Manifest.mostBytes,
      let manifest = try? Json.decode(Manifest.self, from: try file.read(at: 0, count: file.size))
    else {
      throw RecorderError(.ioError, "\(directory)/\(Manifest.fileName) cannot be read; call media_recover first.")
    }
    // Names from a file meet a path only when they are names that the recorder gives.
    let takes = manifest.takes.filter { $0.path == MediaName.take($0.index) }
    let segments = manifest.segments.filter { $0.path == MediaName.segment($0.index) }
    return MediaFolderContents(
      takes: takes.map { MediaPiece(path: folder.path($0.path), offsetMs: $0.offsetMs) },
      segments: segments.map { MediaPiece(path: folder.path($0.path), offsetMs: $0.offsetMs) },
      startedAt: manifest.startedAt)
  }
}

private enum Checks {
  static func pieces(_ pieces: [MediaPiece], output: String) throws(RecorderError) {
    try path(output, "outputPath")
    for piece in pieces {
      try path(piece.path, "path")
      try time(piece.offsetMs, "offsetMs")
      guard piece.path != output else {
        throw RecorderError(.invalidConfig, "outputPath is one of the files that are read: \(output).")
      }
    }
  }

  static func path(_ path: String, _ name: String) throws(RecorderError) {
    guard path.hasPrefix("/"), !path.hasSuffix("/"), !path.utf8.contains(0), path.utf8.count < 4096 else {
      throw RecorderError(.invalidConfig, "\(name) has to be an absolute path.")
    }
  }

  static func time(_ ms: Double, _ name: String) throws(RecorderError) {
    guard ms >= 0, ms <= MediaTime.latestMs else {
      throw RecorderError(.invalidConfig, "\(name) has to be a time in milliseconds, 0 or later.")
    }
  }

  /// The bit rates of MPEG-1 layer III (ISO/IEC 11172-3, 2.4.2.3).
  static func bitrate(_ kbps: Int?) throws(RecorderError) -> Int {
    let known = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
    guard let kbps else { return 128 }
    guard known.contains(kbps) else {
      throw RecorderError(
        .invalidConfig, "bitrateKbps has to be one of \(known.map(String.init).joined(separator: ", ")).")
    }
    return kbps
  }
}
