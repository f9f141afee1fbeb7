// Owns making a session's folder whole after a crash: every byte that can be played is kept and named, every other byte
// is set aside, none is deleted. It can be stopped at any moment and started again, and then comes to the same end.

public struct Recovery {
  private let folder: any MediaFolder
  private let platform: any RecorderPlatform
  private let aside: SetAside
  private let known: Manifest
  private let isKnown: Bool
  private var manifest: Manifest
  private var mended = false
  /// How far each service had come, kept or not, and how far it is kept.
  private var reached: [ServiceKind: Double] = [:]
  private var kept: [ServiceKind: Double] = [:]

  /// Mends the folder and writes manifest.json.
  /// - Throws: `ioError` when the folder cannot be read or written, `diskFull`, `invalidState` while a recorder writes to
  ///   it, `sourceNotFound` when there is nothing of a recording in it, `unsupported` when a newer version wrote it.
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
    aside = SetAside(folder)
    let read = try Self.readManifest(folder, aside)
    let hasMedia = try folder.list().contains(where: Self.isMedia)
    guard read != nil || hasMedia else {
      throw RecorderError(.sourceNotFound, "There is no recording in \(directory).")
    }
    let name = directory.split(separator: "/").last.map(String.init) ?? "session"
    known = read ?? Manifest(sessionId: name, startedAt: "", startedAtMonotonicMs: 0)
    isKnown = read != nil
    manifest = known
  }

  private mutating func run() throws(RecorderError) {
    manifest.takes = []
    manifest.segments = []
    manifest.durationMs = 0
    let names = try folder.list()
    // The bytes decide, not the manifest: its words are only used where a file of that name is there.
    for (index, name) in Self.numbered(names, prefix: "audio-", suffix: ".wav", MediaName.segment) {
      try recoverSegment(index, name, known.segments.first { $0.index == index })
    }
    for (index, name) in Self.numbered(names, prefix: "video-", suffix: ".mp4", MediaName.take) {
      try recoverTake(index, name, known.takes.first { $0.index == index })
    }
    try recoverScreenshots(names)
    noteMissingFiles()
    if manifest.takes != known.takes || manifest.segments != known.segments { mended = true }
    let wasFinished = isKnown && known.state == .finished
    manifest.state = wasFinished && !mended ? .finished : .recovered
    // The session lasted at least as long as was said, whatever is left of it.
    manifest.durationMs = max(manifest.durationMs, known.durationMs)
    manifest.closeGaps(toMs: manifest.durationMs)
    if manifest.state == .finished {
      manifest.lostMs = known.lostMs ?? 0
    } else if isKnown, known.state == .recovered, !mended {
      manifest.lostMs = known.lostMs
    } else {
      manifest.lostMs = lostMs()
    }
    try folder.replace(Manifest.fileName, with: Array(Json.encode(manifest).utf8))
  }

  // MARK: - What is lost

  /// The worst that befell a service: what is missing of it in between, and how much later something else says that the
  /// session went on than it was kept. Where a gap says that nothing was being recorded, nothing was lost; while
  /// a single source was missing, the others were recorded.
  private func lostMs() -> Double {
    let endMs = (Array(reached.values) + [known.durationMs, manifest.durationMs]).max() ?? 0
    return kept.keys.map { service -> Double in
      let gaps = manifest.gaps.filter { $0.service == service && $0.sourceId == nil }
      let between = gaps.filter { $0.reason == Self.lostReason }.reduce(0) { $0 + $1.toMs - $1.fromMs }
      let toldMs = max(kept[service] ?? 0, gaps.map(\.toMs).max() ?? 0)
      return between + max(0, endMs - toldMs)
    }.max().map(\.roundedMs) ?? 0
  }

  /// Notes what a service has lost between two moments, once.
  private mutating func lose(_ service: ServiceKind, fromMs: Double, toMs: Double) {
    let gap = Manifest.Gap(
      service: service, fromMs: fromMs.roundedMs, toMs: toMs.roundedMs, reason: Self.lostReason)
    if gap.toMs - gap.fromMs > 1, !manifest.gaps.contains(gap) { manifest.gaps.append(gap) }
  }

  static let lostReason = "lost"
  /// The largest screenshot that is read, in bytes: more than any that the recorder writes.
  private static let mostScreenshotBytes = 256 << 20

  private mutating func noteMissingFiles() {
    for take in known.takes where !manifest.takes.contains(where: { $0.index == take.index }) {
      lose(.video, fromMs: take.offsetMs, toMs: take.offsetMs + take.durationMs)
      note(.video, keptMs: 0, reachedMs: take.offsetMs + take.durationMs)
    }
    for segment in known.segments where !manifest.segments.contains(where: { $0.index == segment.index }) {
      lose(.audio, fromMs: segment.offsetMs, toMs: segment.offsetMs + segment.durationMs)
      note(.audio, keptMs: 0, reachedMs: segment.offsetMs + segment.durationMs)
    }
  }

  private mutating func note(_ service: ServiceKind, keptMs: Double, reachedMs: Double) {
    kept[service] = max(kept[service] ?? 0, keptMs)
    reached[service] = max(reached[service] ?? 0, reachedMs)
  }

  // MARK: - Takes

  private mutating func recoverTake(_ index: Int, _ name: String, _ known: Manifest.Take?) throws(RecorderError) {
    guard let scan = try folder.readable(name, { file throws(RecorderError) in try MovieScan.read(file) }),
      !scan.fragments.isEmpty
    else {
      mended = true
      try aside.move(name)
      return
    }
    let offsetMs = known?.offsetMs ?? manifest.takes.last.map { $0.offsetMs + $0.durationMs } ?? 0
    let bytes = scan.hasRandomAccessIndex ? scan.fileBytes : try mend(scan, name)
    let endMs = offsetMs + scan.durationMs
    let tornMs = try aside.newest(name).map { torn throws(RecorderError) in
      Double(try MovieScan.declaredTicks(torn, at: 0) ?? 0) * 1000 / Double(scan.front.timescale)
    }
    let knownEndMs = known.map { $0.offsetMs + $0.durationMs } ?? 0
    note(.video, keptMs: endMs, reachedMs: max(endMs + (tornMs ?? 0), knownEndMs))
    let isSized = scan.front.width > 0 && scan.front.height > 0
    let (width, height) = isSized ? (scan.front.width, scan.front.height) : (known?.width ?? 0, known?.height ?? 0)
    let take = Manifest.Take(
      index: index, path: name, offsetMs: offsetMs, durationMs: scan.durationMs.roundedMs, frames: scan.frames,
      width: width, height: height, bytes: bytes, codec: "h264", encoder: known?.encoder ?? "unknown")
    manifest.put(take)
    // A take that another one follows has no tail that could be told from the session's end.
    if self.known.takes.contains(where: { $0.index > index }) { lose(.video, fromMs: endMs, toMs: knownEndMs) }
  }

  /// Cuts the torn tail off, and writes durations and indexes that agree with what is left. Returns the file's size.
  private mutating func mend(_ scan: MovieScan, _ name: String) throws(RecorderError) -> Int {
    mended = true
    let file = try folder.open(name, writable: true)
    defer { file.close() }
    let keyframes = scan.fragments.flatMap { fragment in fragment.keyframes.map { (ticks: $0, moof: fragment.offset) } }
    let accessIndex = FragmentedMovieWriter.randomAccessIndex(keyframes)
    if scan.isTorn {
      let tail = try file.read(at: scan.wholeBytes, count: accessIndex.count)
      // The beginning of the very index that is written below is nobody's loss.
      if scan.fileBytes - scan.wholeBytes > tail.count || !accessIndex.starts(with: tail) {
        try aside.copy(file, from: scan.wholeBytes, name)
        try file.truncate(to: scan.wholeBytes)
      }
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
    // Last, because it says that all of the above is done.
    try file.sync()
    try file.write(accessIndex, at: scan.wholeBytes)
    try file.sync()
    return scan.wholeBytes + accessIndex.count
  }

  // MARK: - Sound

  private mutating func recoverSegment(
    _ index: Int, _ name: String, _ known: Manifest.Segment?
  ) throws(RecorderError) {
    guard let scan = try folder.readable(name, { file throws(RecorderError) in try WaveScan.read(file) }) else {
      mended = true
      try aside.move(name)
      return
    }
    if !scan.isComplete { try mend(scan, name) }
    let offsetMs = known?.offsetMs ?? manifest.segments.last.map { $0.offsetMs + $0.durationMs } ?? 0
    let endMs = offsetMs + scan.durationMs
    let knownEndMs = known.map { $0.offsetMs + $0.durationMs } ?? 0
    note(.audio, keptMs: endMs, reachedMs: max(endMs, knownEndMs))
    var segment = Manifest.Segment(
      index: index, path: name, offsetMs: offsetMs, durationMs: scan.durationMs.roundedMs,
      sampleRate: scan.sampleRate, channels: scan.channels, bytes: scan.wholeBytes, peak: 0, isEmpty: true)
    if let known, scan.isComplete, known.bytes == scan.wholeBytes {
      (segment.peak, segment.rms, segment.noiseLevel) = (known.peak, known.rms, known.noiseLevel)
      segment.isEmpty = known.isEmpty
    } else {
      let file = try folder.open(name, writable: false)
      defer { file.close() }
      let meter = try scan.measured(file)
      (segment.peak, segment.rms, segment.noiseLevel) = (meter.peak.rounded6, meter.rms.rounded6, meter.noiseLevel)
      segment.isEmpty = meter.isEmpty
    }
    manifest.put(segment)
    if self.known.segments.contains(where: { $0.index > index }) { lose(.audio, fromMs: endMs, toMs: knownEndMs) }
  }

  private mutating func mend(_ scan: WaveScan, _ name: String) throws(RecorderError) {
    mended = true
    let file = try folder.open(name, writable: true)
    defer { file.close() }
    if scan.wholeBytes < scan.fileBytes {
      try aside.copy(file, from: scan.wholeBytes, name)
      try file.truncate(to: scan.wholeBytes)
    }
    let data = scan.wholeBytes - scan.dataOffset
    try file.write(WaveFileWriter.header(sampleRate: scan.sampleRate, channels: scan.channels, dataBytes: data), at: 0)
    try file.sync()
  }

  // MARK: - Screenshots

  /// A screenshot appears under its name only when it is whole; one that the manifest had no time to name is named
  /// without the hash of its picture and without its moment.
  private mutating func recoverScreenshots(_ names: [String]) throws(RecorderError) {
    let present = Set(names)
    manifest.screenshots.removeAll { !present.contains($0.path) || !Self.isMedia($0.path) }
    let named = Set(manifest.screenshots.map(\.path))
    for name in names where Self.isScreenshot(name) && !named.contains(name) {
      let found = try folder.readable(name) { file throws(RecorderError) -> Manifest.Screenshot? in
        guard file.size < Self.mostScreenshotBytes, let probe = try MediaProbe.png(file), probe.complete else {
          return nil
        }
        let bytes = try file.read(at: 0, count: file.size)
        return Manifest.Screenshot(
          path: name, offsetMs: manifest.durationMs, sha256: bytes.withUnsafeBytes { platform.sha256($0) },
          perceptualHash: "", bytes: bytes.count, width: probe.width ?? 0, height: probe.height ?? 0)
      }
      if let found { manifest.screenshots.append(found) }
    }
  }

  // MARK: - Files

  /// The manifest, or nil when there is none that can be read; that one is set aside.
  private static func readManifest(_ folder: any MediaFolder, _ aside: SetAside) throws(RecorderError) -> Manifest? {
    guard try folder.list().contains(Manifest.fileName) else { return nil }
    struct Version: Decodable { let schemaVersion: Int }
    let bytes = try folder.readable(Manifest.fileName) { file throws(RecorderError) in
      file.size <= Manifest.mostBytes ? try file.read(at: 0, count: file.size) : nil
    }
    if let bytes {
      if let version = try? Json.decode(Version.self, from: bytes), version.schemaVersion > Manifest.newestVersion {
        throw RecorderError(
          .unsupported, "\(folder.path(Manifest.fileName)) was written by a newer version; update Work Sessions.")
      }
      if let read = try? Json.decode(Manifest.self, from: bytes) { return read.withoutNonsense() }
    }
    try aside.move(Manifest.fileName)
    return nil
  }

  /// Files of one kind by their numbers: as text, 10000 comes before 1001.
  private static func numbered(
    _ names: [String], prefix: String, suffix: String, _ name: (Int) -> String
  ) -> [(index: Int, name: String)] {
    names.compactMap { found in MediaName.index(of: found, prefix: prefix, suffix: suffix).map { ($0, found) } }
      .filter { $0.1 == name($0.0) }.sorted { $0.0 < $1.0 }
  }

  private static func isMedia(_ name: String) -> Bool {
    MediaName.index(of: name, prefix: "video-", suffix: ".mp4") != nil
      || MediaName.index(of: name, prefix: "audio-", suffix: ".wav") != nil || isScreenshot(name)
  }

  private static func isScreenshot(_ name: String) -> Bool {
    MediaName.index(of: name, prefix: "screenshot-", suffix: ".png") != nil
  }
}

extension MediaFolder {
  /// What `read` makes of the file; nil when it is no file, cannot be read, or makes no sense.
  /// - Throws: a shortage of the machine, which says nothing about the file.
  fileprivate func readable<T>(
    _ name: String, _ read: (any MediaFile) throws(RecorderError) -> T?
  ) throws(RecorderError) -> T? {
    do throws(RecorderError) {
      let file = try open(name, writable: false)
      defer { file.close() }
      return try read(file)
    } catch {
      if error.isShortage { throw error }
      return nil
    }
  }
}

extension Manifest {
  /// Without the lines that no recorder writes: a file on disk may say anything.
  fileprivate func withoutNonsense() -> Manifest {
    func isTime(_ ms: Double) -> Bool { ms >= 0 && ms <= MediaTime.latestMs }
    var sane = self
    sane.takes.removeAll { $0.path != MediaName.take($0.index) || !isTime($0.offsetMs) || !isTime($0.durationMs) }
    sane.segments.removeAll { $0.path != MediaName.segment($0.index) || !isTime($0.offsetMs) || !isTime($0.durationMs) }
    sane.pauses.removeAll { !isTime($0.offsetMs) || !isTime($0.durationMs) }
    sane.gaps.removeAll { !isTime($0.fromMs) || !isTime($0.toMs) || $0.toMs < $0.fromMs }
    if !isTime(durationMs) { sane.durationMs = 0 }
    if let lostMs, !isTime(lostMs) { sane.lostMs = nil }
    return sane
  }
}
