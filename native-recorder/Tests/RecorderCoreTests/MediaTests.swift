// Owns what is promised of putting media together, as far as no codec is needed: places in time, plans, jobs, requests.

import Locks
import Testing

@testable import RecorderCore

/// Sound whose every sample says which piece it is and where in it.
private final class FakeSound: SoundReader {
  let declaredFrames: Int?
  private let tag: Int
  private let frames: Int
  private var at = 0

  init(_ tag: Int, frames: Int) {
    self.tag = tag
    self.frames = frames
    declaredFrames = frames
  }

  func read(into samples: UnsafeMutableBufferPointer<Int16>) throws(RecorderError) -> Int {
    let count = min(samples.count, frames - at, 7)
    for index in 0..<count { samples[index] = Int16(tag * 1000 + at + index) }
    at += count
    return count
  }
}

@Suite struct SoundSequenceTests {
  /// One sample is one millisecond.
  private func play(_ pieces: [(offsetMs: Double, frames: Int)], fromMs: Double = 0, durationMs: Double? = nil) throws
    -> [Int16]
  {
    var sequence = SoundSequence(
      pieces.enumerated().map { MediaPiece(path: "/\($0.offset + 1)", offsetMs: $0.element.offsetMs) },
      sampleRate: 1000, channels: 1, fromMs: fromMs, durationMs: durationMs
    ) { piece throws(RecorderError) in
      let tag = Int(piece.path.dropFirst()) ?? 0
      return FakeSound(tag, frames: pieces[tag - 1].frames)
    }
    var all: [Int16] = []
    var room = [Int16](repeating: -1, count: 16)
    while true {
      let result = room.withUnsafeMutableBufferPointer { buffer in
        Result { () throws(RecorderError) in try sequence.read(into: buffer) }
      }
      let count = try result.get()
      if count == 0 { return all }
      all += room.prefix(count)
    }
  }

  @Test func gapsAreSilenceAndOffsetsStayTrue() throws {
    let sound = try play([(10, 20), (50, 30)])
    #expect(sound.count == 80)
    #expect(sound[0..<10].allSatisfy { $0 == 0 } && sound[30..<50].allSatisfy { $0 == 0 })
    #expect(sound[10] == 1000 && sound[29] == 1019 && sound[50] == 2000 && sound[79] == 2029)
  }

  @Test func piecesNeedNoOrder() throws {
    #expect(try play([(50, 30), (10, 20)])[10] == 2000)
  }

  @Test func whereTwoOverlapTheLaterOneJoinsWhenTheEarlierEnds() throws {
    let sound = try play([(0, 40), (25, 40), (30, 5)])
    #expect(sound.count == 65)
    #expect(sound[39] == 1039 && sound[40] == 2015 && sound[64] == 2039)
  }

  @Test func aPartIsExactlyAsLongAsItWasAskedFor() throws {
    let sound = try play([(0, 40), (60, 40)], fromMs: 30, durationMs: 100)
    #expect(sound.count == 100)
    #expect(sound[0] == 1030 && sound[10] == 0 && sound[30] == 2000 && sound[69] == 2039 && sound[99] == 0)
    #expect(try play([(0, 40)], fromMs: 50).isEmpty)
  }
}

@Suite struct MoviePlanTests {
  private let small = PictureSize(width: 64, height: 48)
  private let large = PictureSize(width: 640, height: 480)

  private func take(_ name: String, _ offsetMs: Double, _ durationMs: Double, _ size: PictureSize, _ set: UInt8 = 1)
    -> TakeInfo
  {
    TakeInfo(path: name, offsetMs: offsetMs, durationMs: durationMs, size: size, configuration: [set])
  }

  @Test func whatLastsLongestIsCopiedAndTheRestEncoded() throws {
    let plan = try MoviePlan(
      [take("a", 0, 5, small), take("b", 5, 4, large), take("c", 9, 4, large), take("d", 13, 4, large, 2)],
      encodesAll: false)
    #expect(plan.size == large && plan.configuration == [1])
    #expect(plan.parts.map(\.isCopied) == [false, true, true, false])
    #expect(plan.parts.map(\.offsetTicks) == [0, 450, 810, 1170])
  }

  @Test func theLaterTakeWinsWhereTwoOverlap() throws {
    let plan = try MoviePlan([take("b", 3, 10, small), take("a", 0, 8, small)], encodesAll: false)
    #expect(plan.parts.map(\.path) == ["a", "b"] && plan.parts.map(\.endTicks) == [270, 1170])
  }

  @Test func encodingEverythingKeepsTheSizeThatLastsLongest() throws {
    let plan = try MoviePlan([take("a", 0, 5, small), take("b", 5, 9, large)], encodesAll: true)
    #expect(plan.size == large && plan.configuration == nil && !plan.parts.contains { $0.isCopied })
  }

  @Test func takesWithoutAPictureAreAnError() {
    #expect(throws: RecorderError.self) { try MoviePlan([take("a", 0, 0, small)], encodesAll: false) }
  }

  @Test func chaptersAreInOrderAndReachNoFurtherThanTheNext() {
    let chapters = MoviePlan.chapters(
      [
        MediaChapter(title: "late", startMs: 900, endMs: nil), MediaChapter(title: "b", startMs: 500, endMs: 800),
        MediaChapter(title: "a", startMs: 0, endMs: 600), MediaChapter(title: "never", startMs: 2000, endMs: nil),
        MediaChapter(title: String(repeating: "ä", count: 200), startMs: 950, endMs: nil),
      ], durationMs: 1000)
    #expect(chapters.map(\.startMs) == [0, 500, 900, 950])
    #expect(chapters.map(\.endMs) == [500, 800, 950, 1000])
    #expect(chapters.last?.title.utf8.count == 254)
  }

  @Test func twoEncodersShareOneRecord() throws {
    // Ids 0 and 1 (Exp-Golomb 1 and 010), with a level of 3.0 and of 4.0.
    let first = try #require(
      AvcConfiguration([1, 100, 0, 30, 0xff, 0xe1, 0, 5, 0x67, 100, 0, 30, 0x80, 1, 0, 1, 0x68, 0xfd]))
    let other = try #require(
      AvcConfiguration([1, 100, 0, 40, 0xff, 0xe1, 0, 5, 0x67, 100, 0, 40, 0x40, 1, 0, 1, 0x69]))
    #expect(first.freeId == 1 && other.freeId == 2)
    let joined = first.joined(with: other)
    let read = try #require(AvcConfiguration(joined))
    #expect(read.parameterSets == first.parameterSets + other.parameterSets && read.pictureSets == [[0x68], [0x69]])
    #expect(joined[3] == 40 && joined.last == 0xfd && AvcConfiguration([1, 2, 3]) == nil)
  }
}

@Suite struct MediaJobTests {
  private let platform = FakePlatform()

  private func outcome(_ jobs: MediaJobs, _ number: UInt64) throws -> MediaEvent {
    while true {
      let event = try jobs.next(number, timeoutMs: 10_000)
      if event.type != "progress" { return event }
    }
  }

  @Test func aFinishedJobIsForgottenWhenItsOutcomeIsRead() throws {
    let jobs = MediaJobs(platform: platform)
    let number = try jobs.start { job throws(RecorderError) in
      try job.proceed(0.5)
      return MediaEvent("finished")
    }
    #expect(try outcome(jobs, number).type == "finished")
    #expect(throws: RecorderError.self) { try jobs.next(number, timeoutMs: 0) }
    #expect(throws: RecorderError.self) { try jobs.cancel(number) }
  }

  @Test func whatEndsACancelledJobIsTheCancel() throws {
    let jobs = MediaJobs(platform: platform)
    let number = try jobs.start { job throws(RecorderError) in
      while true { try job.proceed(0) }
    }
    #expect(try jobs.next(number, timeoutMs: 10_000).type == "progress")
    try jobs.cancel(number)
    #expect(try outcome(jobs, number) == MediaEvent("cancelled"))
  }

  @Test func aFailureIsTold() throws {
    let jobs = MediaJobs(platform: platform)
    let number = try jobs.start { _ throws(RecorderError) in throw RecorderError(.diskFull, "full") }
    let event = try outcome(jobs, number)
    #expect(event.type == "failed" && event.error?.code == .diskFull)
  }

  @Test func progressIsToldAtMostTenTimesASecond() throws {
    let clock = Mutex(0.0)
    let job = MediaJob(platform: platform, nowMs: { clock.withLock { $0 } })
    var told = 0
    for step in 0..<1000 {
      clock.withLock { $0 = Double(step) }
      try job.proceed(Double(step) / 1000)
      if job.next(timeoutMs: 0).type == "progress" { told += 1 }
    }
    #expect(told == 10)
  }

  @Test func tooManyAtOnceAreRefused() throws {
    let jobs = MediaJobs(platform: platform)
    var running: [UInt64] = []
    for _ in 0..<MediaJobs.mostRunning {
      running.append(try jobs.start { job throws(RecorderError) in while true { try job.proceed(0) } })
    }
    #expect(throws: RecorderError.self) { try jobs.start { _ in MediaEvent("finished") } }
    for number in running { try jobs.cancel(number) }
    for number in running { _ = try outcome(jobs, number) }
  }

  @Test(arguments: [
    #"{"outputPath":"/o"}"#, #"{"segments":[],"outputPath":"/o"}"#,
    #"{"segments":[{"path":"a","offsetMs":0}],"outputPath":"/o"}"#,
    #"{"segments":[{"path":"/a","offsetMs":-1}],"outputPath":"/o"}"#,
    #"{"segments":[{"path":"/a","offsetMs":1e300}],"outputPath":"/o"}"#,
    #"{"segments":[{"path":"/a","offsetMs":0}],"outputPath":"/a"}"#,
    #"{"segments":[{"path":"/a","offsetMs":0}],"outputPath":"/o/"}"#,
    #"{"segments":[{"path":"/a","offsetMs":0}],"outputPath":"/o","bitrateKbps":127}"#,
    #"{"segments":[{"path":"/a","offsetMs":0}],"directory":"/d","outputPath":"/o"}"#,
    #"{"segments":[{"path":"/a","offsetMs":0}],"outputPath":"/o","durationMs":0}"#,
  ])
  func aRequestThatMakesNoSenseIsAnError(_ text: String) throws {
    #expect(throws: RecorderError.self) { try Json.decode(ConcatenateInput.self, from: text).read(platform: platform) }
  }

  @Test func aFolderGivesWhatItsManifestNames() throws {
    var manifest = Manifest(sessionId: "s", startedAt: "2026-01-01T00:00:00.000Z", startedAtMonotonicMs: 0)
    for path in ["audio-0001.wav", "../audio-0001.wav"] {
      manifest.segments.append(
        Manifest.Segment(
          index: 1, path: path, offsetMs: 5, durationMs: 1, sampleRate: 8000, channels: 2, bytes: 1, peak: 1,
          isEmpty: false))
    }
    try platform.folder.replace(Manifest.fileName, with: Array(Json.encode(manifest).utf8))
    let request = try Json.decode(ConcatenateInput.self, from: #"{"directory":"/memory","outputPath":"/o"}"#)
      .read(platform: platform)
    #expect(request.segments == [MediaPiece(path: "/memory/audio-0001.wav", offsetMs: 5)])
  }
}
