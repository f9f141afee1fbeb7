// Owns what is promised of recovery: what is whole is kept and named, what is not is set aside, nothing is deleted, and
// a recovery that is stopped anywhere and started again comes to the same end.

import Testing

import struct Synchronization.Atomic

@testable import RecorderCore

@Suite struct RecoveryTests {
  func take(fragments: Int, tail: [UInt8] = [], isFinished: Bool = false) throws -> [UInt8] {
    let file = MemoryFile()
    let movie = try FragmentedMovieWriter(
      file: file, size: PictureSize(width: 64, height: 48),
      decoderConfiguration: [1, 100, 0, 40, 0xff, 0xe1, 0, 1, 0x67, 1, 0, 1, 0x68])
    for fragment in 0..<fragments {
      for frame in 0..<3 {
        movie.add(
          EncodedFrame(
            bytes: (0..<20).map { UInt8($0 + frame) }, presentationTicks: Int64(fragment * 180_000 + frame * 60_000),
            isKeyframe: fragment % 4 == 0 && frame == 0))
      }
      try movie.cut(endTicks: (fragment + 1) * 180_000)
    }
    if isFinished { try movie.finish(endTicks: fragments * 180_000) }
    return file.bytes + tail
  }

  func wave(seconds: Int) throws -> [UInt8] {
    let file = MemoryFile()
    let wave = try WaveFileWriter(file: file, sampleRate: 8000, channels: 2)
    try wave.append([Int16](repeating: 100, count: 16_000 * seconds))
    return file.bytes
  }

  func recover(_ folder: any MediaFolder) throws -> Manifest {
    try Recovery.recover(directory: "/memory", platform: FolderPlatform(memory: folder))
  }

  func manifest(_ change: (inout Manifest) -> Void) -> [UInt8] {
    var manifest = Manifest(sessionId: "s", startedAt: "2026-11-22T09:00:00.000Z", startedAtMonotonicMs: 1)
    change(&manifest)
    return Array(Json.encode(manifest).utf8)
  }

  func line(_ index: Int, offsetMs: Double, durationMs: Double) -> Manifest.Take {
    Manifest.Take(
      index: index, path: MediaName.take(index), offsetMs: offsetMs, durationMs: durationMs, frames: 1, width: 64,
      height: 48, bytes: 1, codec: "h264", encoder: "fake")
  }

  /// Names of the files that are not the same in both; comparing their bytes in an expectation would print them.
  func differences(_ one: MemoryFolder, _ other: MemoryFolder) -> [String] {
    let (left, right) = (one.contents, other.contents)
    return Set(left.keys).union(right.keys).filter { left[$0] != right[$0] }.sorted()
  }

  /// The first bytes of a fragment.
  let torn: [UInt8] = [0, 0, 1, 0, 0x6d, 0x6f, 0x6f, 0x66, 9, 9]

  @Test func aTornTakeAndAStaleHeaderAreMended() throws {
    let folder = MemoryFolder([
      "video-0001.mp4": try take(fragments: 5, tail: torn), "audio-0001.wav": try wave(seconds: 11) + [7],
    ])
    let manifest = try recover(folder)
    #expect(manifest.state == .recovered && manifest.sessionId == "memory")
    #expect(manifest.takes.first?.durationMs == 10_000 && manifest.takes.first?.frames == 15)
    #expect(manifest.segments.first?.durationMs == 11_000 && manifest.segments.first?.isEmpty == false)
    #expect(manifest.lostMs == 1000)
    #expect(folder.bytes("video-0001.mp4.torn-1") == torn)
    #expect(folder.bytes("audio-0001.wav.torn-1") == [7])
    let scan = try #require(try MovieScan.read(MemoryFile(folder.bytes("video-0001.mp4") ?? [])))
    #expect(scan.hasRandomAccessIndex && scan.fragments.count == 5)
    let sound = try #require(try WaveScan.read(MemoryFile(folder.bytes("audio-0001.wav") ?? [])))
    #expect(sound.isComplete)
  }

  @Test func soundThatEndsBeforeThePictureIsLostToo() throws {
    let folder = MemoryFolder([
      "video-0001.mp4": try take(fragments: 5), "audio-0001.wav": try wave(seconds: 7),
    ])
    #expect(try recover(folder).lostMs == 3000)
  }

  @Test func soundThatWasNotBeingRecordedIsNotLost() throws {
    let folder = MemoryFolder([
      "video-0001.mp4": try take(fragments: 5), "audio-0001.wav": try wave(seconds: 7),
      "manifest.json": manifest { $0.openGap(.audio, fromMs: 7000, reason: "sourceLost") },
    ])
    let recovered = try recover(folder)
    #expect(recovered.lostMs == 0)
    #expect(recovered.gaps.map(\.toMs) == [10_000])
  }

  @Test func aTornFragmentTellsHowMuchWasInIt() throws {
    let whole = try take(fragments: 5)
    let folder = MemoryFolder(["video-0001.mp4": Array(whole.dropLast(1))])
    let recovered = try recover(folder)
    #expect(recovered.takes.map(\.durationMs) == [8000] && recovered.lostMs == 2000)
  }

  @Test func recoveringTwiceChangesNothing() throws {
    let folder = MemoryFolder([
      "video-0001.mp4": Array(try take(fragments: 3).dropLast(5)), "audio-0001.wav": try wave(seconds: 9) + [1],
      "video-0002.mp4": [5], "manifest.json": Array("{".utf8),
    ])
    let first = try recover(folder)
    let files = MemoryFolder(folder.contents)
    let second = try recover(folder)
    let different = differences(folder, files)
    #expect(first == second && different.isEmpty)
  }

  @Test func aTornManifestIsSetAsideAndRebuilt() throws {
    let folder = MemoryFolder([
      "video-0001.mp4": try take(fragments: 1), "video-0002.mp4": try take(fragments: 2),
      "manifest.json": Array(#"{"schemaVersion":1,"sess"#.utf8),
    ])
    let manifest = try recover(folder)
    #expect(manifest.takes.map(\.offsetMs) == [0, 2000] && manifest.durationMs == 6000)
    #expect(folder.bytes("manifest.json.torn-1") != nil)
  }

  @Test func aManifestOfANewerVersionIsLeftAlone() throws {
    let folder = MemoryFolder([
      "video-0001.mp4": try take(fragments: 1, tail: torn),
      "manifest.json": manifest { $0.schemaVersion = 2 },
    ])
    let before = MemoryFolder(folder.contents)
    #expect {
      _ = try recover(folder)
    } throws: { ($0 as? RecorderError)?.code == .unsupported }
    let different = differences(folder, before)
    #expect(different.isEmpty)
  }

  @Test(arguments: [
    "[]", "null", "1e999", #"{"schemaVersion":"1"}"#, #"{"schemaVersion":1e30}"#,
    String(repeating: "[", count: 100_000), #"{"takes":[{"index":1,"path":"../../etc/passwd"}]}"#,
  ])
  func aManifestThatSaysAnythingHarmsNothing(_ text: String) throws {
    let folder = MemoryFolder(["video-0001.mp4": try take(fragments: 1), "manifest.json": Array(text.utf8)])
    let recovered = try recover(folder)
    #expect(recovered.takes.map(\.durationMs) == [2000])
    #expect(folder.bytes("manifest.json.torn-1") == Array(text.utf8))
  }

  @Test func linesThatNoRecorderWritesAreLeftOut() throws {
    let folder = MemoryFolder([
      "video-0001.mp4": try take(fragments: 1),
      "manifest.json": manifest {
        $0.takes = [line(1, offsetMs: 1e300, durationMs: -4)]
        $0.takes[0].path = "../x"
        $0.durationMs = 1e300
        $0.gaps = [Manifest.Gap(service: .audio, fromMs: -1e9, toMs: 1e300, reason: "x")]
        $0.pauses = [Manifest.Pause(offsetMs: -1, durationMs: 1)]
      },
    ])
    let recovered = try recover(folder)
    #expect(recovered.takes.map(\.offsetMs) == [0] && recovered.durationMs == 2000)
    #expect(recovered.gaps.isEmpty && recovered.pauses.isEmpty && recovered.lostMs == 0)
  }

  @Test func aTakeWhoseFileIsMissingIsSaid() throws {
    let folder = MemoryFolder([
      "video-0001.mp4": try take(fragments: 2, isFinished: true),
      "manifest.json": manifest {
        $0.put(line(1, offsetMs: 0, durationMs: 4000))
        $0.put(line(2, offsetMs: 4000, durationMs: 5000))
        $0.finish(durationMs: 9000)
      },
    ])
    let recovered = try recover(folder)
    #expect(recovered.state == .recovered && recovered.lostMs == 5000 && recovered.durationMs == 9000)
    #expect(recovered.gaps == [Manifest.Gap(service: .video, fromMs: 4000, toMs: 9000, reason: "lost")])
    #expect(try recover(folder) == recovered)
  }

  @Test func aWholeRecordingStaysFinished() throws {
    let folder = MemoryFolder([
      "video-0001.mp4": try take(fragments: 2, isFinished: true)
    ])
    let bytes = folder.bytes("video-0001.mp4")
    let found = try recover(folder)
    let folderWithManifest = MemoryFolder([
      "video-0001.mp4": bytes ?? [],
      "manifest.json": manifest {
        $0.takes = found.takes
        $0.finish(durationMs: 4000)
      },
    ])
    let recovered = try recover(folderWithManifest)
    let isUntouched = folderWithManifest.bytes("video-0001.mp4") == bytes
    #expect(recovered.state == .finished && recovered.lostMs == 0 && isUntouched)
  }

  @Test func whatCannotBeReadAtAllIsSetAsideWhole() throws {
    let folder = MemoryFolder([
      "video-0001.mp4": [1, 2, 3], "audio-0001.wav": [], "video-0002.mp4": try take(fragments: 1),
    ])
    let manifest = try recover(folder)
    #expect(manifest.takes.map(\.index) == [2] && manifest.segments.isEmpty)
    #expect(folder.bytes("video-0001.mp4.torn-1") == [1, 2, 3] && folder.bytes("video-0001.mp4") == nil)
  }

  @Test func anEmptyFolderIsAnError() {
    #expect(throws: RecorderError.self) { try recover(MemoryFolder()) }
  }

  @Test func everyCutOfATakeCanBeRecovered() throws {
    let whole = try take(fragments: 3, isFinished: true)
    for length in 0...whole.count {
      let folder = MemoryFolder(["video-0001.mp4": Array(whole.prefix(length))])
      let manifest = try recover(folder)
      let kept = folder.bytes("video-0001.mp4.torn-1")?.count ?? 0
      // Every byte is still somewhere.
      if let take = manifest.takes.first {
        #expect(take.bytes + kept >= length && take.bytes == folder.bytes("video-0001.mp4")?.count)
      } else {
        #expect(kept == length)
      }
      let files = MemoryFolder(folder.contents)
      #expect(try recover(folder) == manifest)
      let different = differences(folder, files)
      #expect(different.isEmpty)
    }
  }

  /// A crash, or a disk that is full from then on, at every single change that a recovery makes.
  @Test(arguments: [false, true])
  func aRecoveryThatIsStoppedAnywhereCanBeRepeated(leavesHalf: Bool) throws {
    let files: [String: [UInt8]] = [
      "video-0001.mp4": Array(try take(fragments: 5).dropLast(3)), "video-0002.mp4": [1, 2, 3],
      "video-0003.mp4": try take(fragments: 2), "audio-0001.wav": try wave(seconds: 2) + [7, 8, 9],
      "manifest.json": manifest { $0.put(line(1, offsetMs: 0, durationMs: 8000)) },
    ]
    let undisturbed = MemoryFolder(files)
    let expected = try recover(undisturbed)
    for stop in 1... {
      let folder = MemoryFolder(files)
      let failing = StoppingFolder(folder, after: stop, leavesHalf: leavesHalf)
      guard (try? recover(failing)) == nil else {
        #expect(stop > 15)
        return
      }
      let again = try recover(folder)
      #expect(again == expected, "stopped at change \(stop)")
      let different = differences(folder, undisturbed)
      #expect(different.isEmpty, "stopped at change \(stop)")
    }
  }
}

/// A folder whose changes fail after a number of them; the one that fails may be half done.
private final class StoppingFolder: MediaFolder {
  private let folder: MemoryFolder
  private let counter: Counter

  final class Counter: Sendable {
    private let left: Atomic<Int>
    let leavesHalf: Bool

    init(_ changes: Int, leavesHalf: Bool) {
      left = Atomic(changes)
      self.leavesHalf = leavesHalf
    }

    func count(_ half: () throws(RecorderError) -> Void = {}) throws(RecorderError) {
      let now = left.subtract(1, ordering: .relaxed).newValue
      if now == 0, leavesHalf { try half() }
      if now <= 0 { throw RecorderError(.diskFull, "full") }
    }
  }

  init(_ folder: MemoryFolder, after changes: Int, leavesHalf: Bool) {
    self.folder = folder
    counter = Counter(changes, leavesHalf: leavesHalf)
  }

  func create(_ name: String) throws(RecorderError) -> any MediaFile {
    try counter.count { () throws(RecorderError) in _ = try folder.create(name) }
    return StoppingFile(try folder.create(name), counter)
  }
  func open(_ name: String, writable: Bool) throws(RecorderError) -> any MediaFile {
    StoppingFile(try folder.open(name, writable: writable), counter)
  }
  func replace(_ name: String, with bytes: UnsafeRawBufferPointer) throws(RecorderError) {
    try counter.count()
    try folder.replace(name, with: bytes)
  }
  func rename(_ name: String, to other: String) throws(RecorderError) {
    try counter.count()
    try folder.rename(name, to: other)
  }
  func list() throws(RecorderError) -> [String] { try folder.list() }
  func path(_ name: String) -> String { folder.path(name) }
  func freeBytes() throws(RecorderError) -> Int { .max }
  func close() {}
}

private final class StoppingFile: MediaFile {
  private let file: any MediaFile
  private let counter: StoppingFolder.Counter

  init(_ file: any MediaFile, _ counter: StoppingFolder.Counter) {
    self.file = file
    self.counter = counter
  }

  var size: Int { file.size }
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(RecorderError) {
    try counter.count { () throws(RecorderError) in
      try file.write(UnsafeRawBufferPointer(rebasing: bytes.prefix(bytes.count / 2)), at: offset)
    }
    try file.write(bytes, at: offset)
  }
  func read(at offset: Int, count: Int) throws(RecorderError) -> [UInt8] { try file.read(at: offset, count: count) }
  func truncate(to size: Int) throws(RecorderError) {
    try counter.count()
    try file.truncate(to: size)
  }
  func sync() throws(RecorderError) {
    try counter.count()
    try file.sync()
  }
  func close() { file.close() }
}

/// A platform that is only a folder.
struct FolderPlatform: RecorderPlatform {
  let memory: any MediaFolder
  private let fake = FakePlatform()

  init(memory: any MediaFolder) { self.memory = memory }

  var nowMs: @Sendable () -> Double { fake.nowMs }
  func wallClock() -> String { fake.wallClock() }
  func spawnThread(_ name: String, _ body: @escaping @Sendable () -> Void) { fake.spawnThread(name, body) }
  func makeSignal() -> any Signal { fake.makeSignal() }
  func openFolder(_ path: String, forRecording: Bool) throws(RecorderError) -> any MediaFolder { memory }
  func readFolder(_ path: String) throws(RecorderError) -> any MediaFolder { memory }
  func openSource(_ request: SourceRequest, waker: any Signal) throws(RecorderError) -> any RecordingSource {
    try fake.openSource(request, waker: waker)
  }
  func makeVideoEncoder(_ settings: VideoEncoderSettings) throws(RecorderError) -> any VideoEncoder {
    try fake.makeVideoEncoder(settings)
  }
  func openAudio(_ request: AudioRequest, waker: any Signal) throws(RecorderError) -> any AudioSource {
    try fake.openAudio(request, waker: waker)
  }
  func encodePng(rgb: UnsafeRawBufferPointer, width: Int, height: Int) throws(RecorderError) -> [UInt8] {
    try fake.encodePng(rgb: rgb, width: width, height: height)
  }
  func sha256(_ bytes: UnsafeRawBufferPointer) -> String { fake.sha256(bytes) }
}
