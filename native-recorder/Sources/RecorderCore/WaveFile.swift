// Owns 16-bit PCM in WAV files: the header on disk never promises more than the file holds.

/// A WAV file that grows (RIFF/WAVE, “Multimedia Programming Interface and Data Specifications 1.0”, 1991): a 44-byte
/// header, then interleaved little-endian samples. Its 32-bit sizes suffice: an hour at 192 kHz, the most that a segment
/// can be, is 2.8 GB. Used by one thread at a time.
public final class WaveFileWriter {
  public static let headerBytes = 44
  public let sampleRate: Int
  public let channels: Int
  /// Frames (samples of each channel) handed over so far.
  public private(set) var frames = 0
  public var bytes: Int { Self.headerBytes + frames * channels * 2 }

  private let file: any MediaFile

  public init(file: any MediaFile, sampleRate: Int, channels: Int) throws(RecorderError) {
    self.file = file
    self.sampleRate = sampleRate
    self.channels = channels
    try file.write(Self.header(sampleRate: sampleRate, channels: channels, dataBytes: 0), at: 0)
  }

  /// Appends interleaved samples.
  /// - Throws: `diskFull` or `ioError`; the file then ends where it ended before.
  public func append(_ samples: [Int16]) throws(RecorderError) {
    guard !samples.isEmpty else { return }
    let end = bytes
    let result = samples.withUnsafeBytes { raw in
      Result { () throws(RecorderError) in try file.write(raw, at: end) }
    }
    do {
      try result.get()
    } catch {
      try? file.truncate(to: end)
      throw error
    }
    frames += samples.count / channels
  }

  /// Makes the data durable, then lets the header promise it; the header is durable with the next sync. So at every
  /// moment, after a kill or a power cut, the header promises no more than the file holds, and at most what came since
  /// the last sync (before a power cut: the last two) is missing from it until the file is mended.
  public func sync() throws(RecorderError) {
    try file.sync()
    let data = frames * channels * 2
    try file.write(Self.header(sampleRate: sampleRate, channels: channels, dataBytes: data), at: 0)
  }

  public func finish() throws(RecorderError) {
    defer { file.close() }
    try sync()
    try file.sync()
  }

  static func header(sampleRate: Int, channels: Int, dataBytes: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    func text(_ four: StaticString) { four.withUTF8Buffer { bytes.append(contentsOf: $0) } }
    func u16(_ value: Int) {
      withUnsafeBytes(of: UInt16(truncatingIfNeeded: value).littleEndian) { bytes.append(contentsOf: $0) }
    }
    func u32(_ value: Int) {
      withUnsafeBytes(of: UInt32(truncatingIfNeeded: value).littleEndian) { bytes.append(contentsOf: $0) }
    }
    text("RIFF")
    u32(dataBytes + 36)
    text("WAVE")
    text("fmt ")
    u32(16)
    u16(1)  // PCM
    u16(channels)
    u32(sampleRate)
    u32(sampleRate * channels * 2)
    u16(channels * 2)
    u16(16)
    text("data")
    u32(dataBytes)
    return bytes
  }
}

/// What a WAV file says and holds.
struct WaveScan {
  let sampleRate: Int
  let channels: Int
  /// Where the samples begin.
  let dataOffset: Int
  /// What the header promises, in bytes.
  let promisedBytes: Int
  let fileBytes: Int

  /// Whole frames that are really there.
  var frames: Int { max(0, fileBytes - dataOffset) / max(1, channels * 2) }
  var wholeBytes: Int { dataOffset + frames * channels * 2 }
  /// The header promises exactly what is there: false for a file that is being written or whose writer was killed; a
  /// reader that believes the header then misses its end.
  var isComplete: Bool { promisedBytes == fileBytes - dataOffset && wholeBytes == fileBytes }
  var durationMs: Double { Double(frames) * 1000 / Double(max(1, sampleRate)) }

  /// Nil when it is not a 16-bit PCM WAV file with its data right behind the format, as written here.
  static func read(_ file: any MediaFile) throws(RecorderError) -> WaveScan? {
    let bytes = try file.read(at: 0, count: WaveFileWriter.headerBytes)
    guard bytes.count == WaveFileWriter.headerBytes, bytes[0..<4].elementsEqual("RIFF".utf8),
      bytes[8..<16].elementsEqual("WAVEfmt ".utf8), bytes[36..<40].elementsEqual("data".utf8)
    else { return nil }
    func little(_ at: Int, _ count: Int) -> Int {
      (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
    }
    let channels = little(22, 2)
    guard little(20, 2) == 1, little(34, 2) == 16, (1...32).contains(channels), little(24, 4) > 0 else { return nil }
    return WaveScan(
      sampleRate: little(24, 4), channels: channels, dataOffset: WaveFileWriter.headerBytes,
      promisedBytes: little(40, 4), fileBytes: file.size)
  }

  /// What the samples measure, as their segment's recorder would have said.
  func measured(_ file: any MediaFile) throws(RecorderError) -> SegmentMeter {
    var meter = SegmentMeter(sampleRate: sampleRate, channels: channels)
    var offset = dataOffset
    while offset < wholeBytes {
      let bytes = try file.read(at: offset, count: min(1 << 20, wholeBytes - offset))
      if bytes.isEmpty { break }
      let samples = stride(from: 0, to: bytes.count - 1, by: 2).lazy.map { at in
        Int16(bitPattern: UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8)
      }
      meter.add(samples)
      offset += bytes.count
    }
    return meter
  }
}
