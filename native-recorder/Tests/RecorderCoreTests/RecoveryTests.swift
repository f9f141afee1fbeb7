// Owns what is promised of recovery: what is whole is kept and named, what is not is set aside, nothing is deleted.

import Testing

@testable import RecorderCore

@Suite struct RecoveryTests {
  private func take(fragments: Int, tail: [UInt8] = []) throws -> [UInt8] {
    let file = MemoryFile()
    let movie = try FragmentedMovieWriter(
      file: file, size: PictureSize(width: 64, height: 48),
      decoderConfiguration: [1, 100, 0, 40, 0xff, 0xe1, 0, 1, 0x67, 1, 0, 1, 0x68])
    for fragment in 0..<fragments {
      movie.add(
        EncodedFrame(bytes: [1, 2, 3], presentationTicks: Int64(fragment) * 180_000, isKeyframe: fragment == 0))
      try movie.cut(endTicks: (fragment + 1) * 180_000)
    }
    return file.bytes + tail
  }

  private func wave(seconds: Int) throws -> [UInt8] {
    let file = MemoryFile()
    let wave = try WaveFileWriter(file: file, sampleRate: 8000, channels: 2)
    try wave.append([Int16](repeating: 100, count: 16_000 * seconds))
    return file.bytes
  }

  private func recover(_ folder: MemoryFolder) throws -> Manifest {
    try Recovery.recover(directory: "/memory", platform: FolderPlatform(memory: folder))
  }

  @Test func aTornTakeAndAStaleHeaderAreMended() throws {
    let torn: [UInt8] = [0, 0, 1, 0, 0x6d, 0x6f, 0x6f, 0x66, 9, 9]
    let folder = MemoryFolder([
      "video-0001.mp4": try take(fragments: 5, tail: torn), "audio-0001.wav": try wave(seconds: 11) + [7],
    ])
    let manifest = try recover(folder)
    #expect(manifest.state == .recovered && manifest.sessionId == "memory")
    #expect(manifest.takes.first?.durationMs == 10_000 && manifest.takes.first?.frames == 5)
    #expect(manifest.segments.first?.durationMs == 11_000 && manifest.segments.first?.isEmpty == false)
    #expect(manifest.lostMs == 1000)
    #expect(folder.bytes("video-0001.mp4.torn-1") == torn)
    #expect(folder.bytes("audio-0001.wav.torn-1") == [7])
    let scan = try #require(try MovieScan.read(MemoryFile(folder.bytes("video-0001.mp4") ?? [])))
    #expect(scan.hasRandomAccessIndex && scan.fragments.count == 5)
    let sound = try #require(try WaveScan.read(MemoryFile(folder.bytes("audio-0001.wav") ?? [])))
    #expect(sound.isComplete)
  }

  @Test func recoveringTwiceChangesNothing() throws {
    let folder = MemoryFolder(["video-0001.mp4": try take(fragments: 2, tail: [1, 2, 3])])
    let first = try recover(folder)
    let files = try folder.list()
    let second = try recover(folder)
    #expect(first.takes == second.takes)
    #expect(try folder.list() == files)
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
    let whole = try take(fragments: 3)
    for length in stride(from: 0, through: whole.count, by: 7) {
      let folder = MemoryFolder(["video-0001.mp4": Array(whole.prefix(length))])
      let manifest = try recover(folder)
      let kept = folder.bytes("video-0001.mp4.torn-1")?.count ?? 0
      // Every byte is still somewhere.
      if let take = manifest.takes.first {
        #expect(take.bytes + kept >= length)
      } else {
        #expect(kept == length)
      }
    }
  }
}

/// A platform that is only a folder.
struct FolderPlatform: RecorderPlatform {
  let memory: MemoryFolder
  private let fake = FakePlatform()

  init(memory: MemoryFolder) { self.memory = memory }

  var nowMs: @Sendable () -> Double { fake.nowMs }
  func wallClock() -> String { fake.wallClock() }
  func spawnThread(_ name: String, _ body: @escaping @Sendable () -> Void) { fake.spawnThread(name, body) }
  func makeSignal() -> any Signal { fake.makeSignal() }
  func openFolder(_ path: String, forRecording: Bool) throws(RecorderError) -> any MediaFolder { memory }
  func openDisplay(_ request: DisplayRequest, waker: any Signal) throws(RecorderError) -> any RecordingSource {
    try fake.openDisplay(request, waker: waker)
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
