// Owns making a session's folder whole after a crash: every byte that can be played is kept and named, every other byte
// is set aside, none is deleted.

public struct Recovery {
  private let folder: any MediaFolder
  private let platform: any RecorderPlatform
  private var manifest: Manifest
  private var isKnown = false
  private var mended = false
  private var endOfWhatWasMs = 0.0

  /// Mends the folder and writes manifest.json.
  /// - Throws: `ioError` when the folder cannot be read or written, `invalidState` while a recorder writes to it,
  ///   `sourceNotFound` when there is nothing of a recording in it.
  public static func recover(directory: String, platform: any RecorderPlatform) throws(RecorderError) -> Manifest {
    guard directory.hasPrefix("/"), !directory.utf8.contains(0) else {
      throw RecorderError(.invalidConfig, "directory has to be an absolute path.")
    }
    let folder = try platform.openFolder(directory, forRecording: false)
    defer { folder.close() }
    var recovery = try Recovery(folder, directory: directory, platform: platform)
    try recovery.run()
    return recovery.manifest
  }

  private init(_ folder: any MediaFolder, directory: String, platform: any RecorderPlatform) throws(RecorderError) {
    self.folder = folder
    self.platform = platform
    let names = try folder.list()
    let name = directory.split(separator: "/").last.map(String.init) ?? "session"
    manifest = Manifest(sessionId: name, startedAt: "", startedAtMonotonicMs: 0)
    if names.contains(Manifest.fileName) {
      let file = try folder.open(Manifest.fileName, writable: false)
      defer { file.close() }
      if file.size <= 64 << 20, let read = try? Json.decode(Manifest.self, from: try file.read(at: 0, count: file.size))
      {
        manifest = read
        isKnown = true
      } else {
        try setAside(Manifest.fileName)
      }
    }
    let hasMedia = names.contains { Self.isMedia($0) }
    guard isKnown || hasMedia else {
      throw RecorderError(.sourceNotFound, "There is no recording in \(directory).")
    }
  }

  private mutating func run() throws(RecorderError) {
    endOfWhatWasMs = manifest.durationMs
    let names = try folder.list()
    let known = manifest
    manifest.takes = []
    manifest.segments = []
    manifest.durationMs = 0
    let takes = Self.numbered(names, "video-", ".mp4")
    for (index, name) in takes { try recoverTake(index, name, known.takes.first { $0.index == index }) }
    let segments = Self.numbered(names, "audio-", ".wav")
    for (index, name) in segments { try recoverSegment(index, name, known.segments.first { $0.index == index }) }
    try recoverScreenshots(names)
    let wasFinished = known.state == .finished && isKnown
    if manifest.takes != known.takes || manifest.segments != known.segments { mended = true }
    endOfWhatWasMs = max(endOfWhatWasMs, manifest.durationMs)
    // Lost is what one service is known to have recorded beyond the end of what was kept of the picture (or sound).
    let kept = manifest.takes.last.map { $0.offsetMs + $0.durationMs } ?? manifest.durationMs
    manifest.lostMs = max(0, endOfWhatWasMs - (takes.isEmpty ? manifest.durationMs : kept)).roundedMs
    manifest.state = wasFinished && !mended ? .finished : .recovered
    if wasFinished { manifest.durationMs = max(manifest.durationMs, known.durationMs) }
    if manifest.state == .finished { manifest.lostMs = 0 }
    try folder.replace(Manifest.fileName, with: Array(Json.encode(manifest).utf8))
  }

  // MARK: - Takes

  private mutating func recoverTake(_ index: Int, _ name: String, _ known: Manifest.Take?) throws(RecorderError) {
    let file = try folder.open(name, writable: true)
    defer { file.close() }
    guard let scan = try MovieScan.read(file), !scan.fragments.isEmpty else {
      if let known { endOfWhatWasMs = max(endOfWhatWasMs, known.offsetMs + known.durationMs) }
      try setAside(name)
      return
    }
    let offsetMs = known?.offsetMs ?? manifest.takes.last.map { $0.offsetMs + $0.durationMs } ?? 0
    if !scan.hasRandomAccessIndex {
      try mend(scan, file, name, offsetMs: offsetMs)
    }
    manifest.put(
      Manifest.Take(
        index: index, path: name, offsetMs: offsetMs, durationMs: scan.durationMs.roundedMs, frames: scan.frames,
        width: scan.front.width, height: scan.front.height, bytes: file.size, codec: "h264",
        encoder: known?.encoder ?? "unknown"))
  }

  private mutating func mend(
    _ scan: MovieScan, _ file: any MediaFile, _ name: String, offsetMs: Double
  ) throws(RecorderError) {
    mended = true
    if scan.isTorn {
      if let tornTicks = try MovieScan.declaredTicks(file, at: scan.wholeBytes) {
        let tornMs = Double(tornTicks) * 1000 / Double(scan.front.timescale)
        endOfWhatWasMs = max(endOfWhatWasMs, offsetMs + scan.durationMs + tornMs)
      }
      try copyAside(file, from: scan.wholeBytes, name)
      try file.truncate(to: scan.wholeBytes)
    }
    try scan.front.patchDuration(scan.endTicks, in: file)
    if let room = scan.front.indexRoom, room.size == MovieHeader.indexRoom {
      var index = MovieIndex()
      for fragment in scan.fragments {
        index.add(
          bytes: fragment.bytes, ticks: fragment.endTicks - fragment.startTicks,
          beginsWithKeyframe: fragment.beginsWithKeyframe)
      }
      try file.write(index.bytes(room: room.size), at: room.offset)
    }
    let keyframes = scan.fragments.flatMap { fragment in fragment.keyframes.map { (ticks: $0, moof: fragment.offset) } }
    try file.write(FragmentedMovieWriter.randomAccessIndex(keyframes), at: scan.wholeBytes)
    try file.sync()
  }

  // MARK: - Sound

  private mutating func recoverSegment(
    _ index: Int, _ name: String, _ known: Manifest.Segment?
  ) throws(RecorderError) {
    let file = try folder.open(name, writable: true)
    defer { file.close() }
    guard let scan = try WaveScan.read(file) else {
      try setAside(name)
      return
    }
    if !scan.isComplete {
      mended = true
      if scan.wholeBytes < file.size {
        try copyAside(file, from: scan.wholeBytes, name)
        try file.truncate(to: scan.wholeBytes)
      }
      let data = scan.wholeBytes - scan.dataOffset
      try file.write(
        WaveFileWriter.header(sampleRate: scan.sampleRate, channels: scan.channels, dataBytes: data), at: 0)
      try file.sync()
    }
    let offsetMs = known?.offsetMs ?? manifest.segments.last.map { $0.offsetMs + $0.durationMs } ?? 0
    let peak: Double
    if let known, scan.isComplete, known.bytes == file.size {
      peak = known.peak
    } else {
      peak = try Self.peak(file, scan)
    }
    manifest.put(
      Manifest.Segment(
        index: index, path: name, offsetMs: offsetMs, durationMs: scan.durationMs.roundedMs,
        sampleRate: scan.sampleRate, channels: scan.channels, bytes: scan.wholeBytes,
        peak: (peak * 1_000_000).rounded() / 1_000_000, isEmpty: peak < AudioLevels.silencePeak))
  }

  private static func peak(_ file: any MediaFile, _ scan: WaveScan) throws(RecorderError) -> Double {
    var largest: UInt16 = 0
    var offset = scan.dataOffset
    while offset < scan.wholeBytes {
      let bytes = try file.read(at: offset, count: min(1 << 20, scan.wholeBytes - offset))
      if bytes.isEmpty { break }
      for at in stride(from: 0, to: bytes.count - 1, by: 2) {
        largest = max(largest, Int16(bitPattern: UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8).magnitude)
      }
      offset += bytes.count
    }
    return Double(largest) / 32768
  }

  // MARK: - Screenshots

  /// A screenshot appears under its name only when it is whole; one that the manifest had no time to name is named
  /// without the hash of its picture and without its moment.
  private mutating func recoverScreenshots(_ names: [String]) throws(RecorderError) {
    let present = Set(names)
    manifest.screenshots.removeAll { !present.contains($0.path) }
    let known = Set(manifest.screenshots.map(\.path))
    for (_, name) in Self.numbered(names, "screenshot-", ".png") where !known.contains(name) {
      guard let probe = try? MediaProbe.probe(path: folder.path(name), platform: platform), probe.complete else {
        continue
      }
      let file = try folder.open(name, writable: false)
      defer { file.close() }
      let bytes = try file.read(at: 0, count: file.size)
      manifest.screenshots.append(
        Manifest.Screenshot(
          path: name, offsetMs: manifest.durationMs, sha256: bytes.withUnsafeBytes { platform.sha256($0) },
          perceptualHash: "", bytes: bytes.count, width: probe.width ?? 0, height: probe.height ?? 0))
    }
  }

  // MARK: - Setting aside

  /// Moves a whole file that cannot be read out of the way.
  private func setAside(_ name: String) throws(RecorderError) {
    try folder.rename(name, to: try freeName(name))
  }

  /// Copies a file's unreadable end into a file of its own.
  private func copyAside(_ file: any MediaFile, from: Int, _ name: String) throws(RecorderError) {
    let target = try folder.create(try freeName(name))
    defer { target.close() }
    var offset = from
    while offset < file.size {
      let bytes = try file.read(at: offset, count: min(1 << 20, file.size - offset))
      if bytes.isEmpty { break }
      try target.write(bytes, at: offset - from)
      offset += bytes.count
    }
    try target.sync()
  }

  private func freeName(_ name: String) throws(RecorderError) -> String {
    let taken = Set(try folder.list())
    var number = 1
    while taken.contains("\(name).torn-\(number)") { number += 1 }
    return "\(name).torn-\(number)"
  }

  private static func numbered(_ names: [String], _ prefix: String, _ suffix: String) -> [(Int, String)] {
    names.compactMap { name in MediaName.index(of: name, prefix: prefix, suffix: suffix).map { ($0, name) } }
      .sorted { $0.0 < $1.0 }
  }

  private static func isMedia(_ name: String) -> Bool {
    MediaName.index(of: name, prefix: "video-", suffix: ".mp4") != nil
      || MediaName.index(of: name, prefix: "audio-", suffix: ".wav") != nil
      || MediaName.index(of: name, prefix: "screenshot-", suffix: ".png") != nil
  }
}
