// Owns what a recorded file says about itself, read from the file alone.

public struct MediaProbe: Codable, Sendable, Equatable {
  public enum Kind: String, Codable, Sendable { case mp4, wav, png, mp3 }

  public var kind: Kind
  public var bytes: Int
  /// False when the file ends in the middle of something, or its header does not agree with what it holds.
  public var complete: Bool
  public var durationMs: Double?
  public var width: Int?
  public var height: Int?
  public var frames: Int?
  public var fragments: Int?
  public var sampleRate: Int?
  public var channels: Int?

  /// - Throws: `ioError` when the file cannot be read, `unsupported` when it is none that the recorder writes.
  public static func probe(path: String, platform: any RecorderPlatform) throws(RecorderError) -> MediaProbe {
    guard path.hasPrefix("/"), !path.utf8.contains(0), let slash = path.lastIndex(of: "/") else {
      throw RecorderError(.invalidConfig, "path has to be an absolute path.")
    }
    let name = String(path[path.index(after: slash)...])
    guard !name.isEmpty, name != ".", name != ".." else {
      throw RecorderError(.invalidConfig, "path has to name a file.")
    }
    let folder = try platform.readFolder(slash == path.startIndex ? "/" : String(path[..<slash]))
    defer { folder.close() }
    let file = try folder.open(name, writable: false)
    defer { file.close() }
    if let wave = try WaveScan.read(file) { return MediaProbe(wave) }
    if let png = try png(file) { return png }
    if let movie = try MovieScan.read(file), movie.isTake { return MediaProbe(movie) }
    throw RecorderError(.unsupported, "\(name) is no take, segment or screenshot of this recorder.")
  }

  init(_ wave: WaveScan) {
    kind = .wav
    bytes = wave.fileBytes
    complete = wave.isComplete
    durationMs = wave.durationMs.roundedMs
    sampleRate = wave.sampleRate
    channels = wave.channels
  }

  init(_ movie: MovieScan) {
    kind = .mp4
    bytes = movie.fileBytes
    complete = movie.hasRandomAccessIndex
    durationMs = movie.durationMs.roundedMs
    width = movie.front.width
    height = movie.front.height
    frames = movie.frames
    fragments = movie.fragments.count
  }

  public init(kind: Kind, bytes: Int, complete: Bool) {
    self.kind = kind
    self.bytes = bytes
    self.complete = complete
  }

  /// PNG (ISO/IEC 15948): signature, then IHDR with width and height; the file ends with IEND.
  static func png(_ file: any MediaFile) throws(RecorderError) -> MediaProbe? {
    let reader = ByteReader(bytes: try file.read(at: 0, count: 24))
    guard reader.bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) else { return nil }
    let tail = try file.read(at: max(0, file.size - 8), count: 4)
    var probe = MediaProbe(kind: .png, bytes: file.size, complete: tail.elementsEqual("IEND".utf8))
    probe.width = reader.u32(16)
    probe.height = reader.u32(20)
    return probe
  }

  /// Whether the boxes of an MP4 end exactly where the file ends.
  public static func boxesFill(_ file: any MediaFile) throws(RecorderError) -> Bool {
    var offset = 0
    while let box = try BoxHeader.read(file, at: offset), box.end <= file.size { offset = box.end }
    return offset == file.size && offset > 0
  }
}
