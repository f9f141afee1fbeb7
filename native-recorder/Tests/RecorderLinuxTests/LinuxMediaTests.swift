// Owns what is promised of media on Linux with its real codecs: sound that stays where it was, takes that become one
// movie, a real take torn anywhere, and errors that leave nothing behind.

import CLibav
import FoundationEssentials
import Glibc
import Testing

@testable import RecorderCore
@testable import RecorderLinux
@testable import SessionRecorder

@Suite(.serialized) final class LinuxMediaTests {
  private let own = OwnFolder()
  var folder: String { own.path }

  // MARK: - Material

  /// A WAV file with a click of 2 ms at every whole second of media time.
  func clicks(
    _ name: String, fromMs: Double, durationMs: Double, sampleRate: Int, channels: Int
  ) throws -> MediaPiece {
    let parent = try PosixFolder(folder, forRecording: false)
    let wave = try WaveFileWriter(file: try parent.create(name), sampleRate: sampleRate, channels: channels)
    let frames = Int(durationMs * Double(sampleRate) / 1000)
    var samples: [Int16] = []
    for frame in 0..<frames {
      let ms = fromMs + Double(frame) * 1000 / Double(sampleRate)
      let isClick = ms.truncatingRemainder(dividingBy: 1000) < 2
      samples += [Int16](repeating: isClick ? 28_000 : 0, count: channels)
    }
    try wave.append(samples)
    try wave.finish()
    return MediaPiece(path: folder + "/" + name, offsetMs: fromMs)
  }

  /// A take by the recorder's own encoder and writer, cut every `fragmentMs`; unfinished it has no index at its end.
  func take(
    _ name: String, _ size: PictureSize, offsetMs: Double, frames: Int, fragmentFrames: Int = 10,
    isFinished: Bool = true
  ) throws -> MediaPiece {
    let parent = try PosixFolder(folder, forRecording: false)
    let encoder = try LinuxPlatform().makeVideoEncoder(
      VideoEncoderSettings(size: size, fps: 10, quality: 0.6, timescale: MovieHeader.timescale, allowsHardware: false))
    let movie = try FragmentedMovieWriter(
      file: try parent.create(name), size: size, decoderConfiguration: encoder.decoderConfiguration)
    let picture = Nv12Picture(size: size)
    for frame in 0..<frames {
      for index in 0..<size.width * size.height / 4 { picture.luma[index] = UInt8((index / 7 + frame * 9) & 255) }
      if frame > 0, frame % fragmentFrames == 0 { try movie.cut(endTicks: frame * 9000) }
      let ticks = Int64(frame * 9000)
      for one in try encoder.encode(picture, presentationTicks: ticks, keyframe: frame % 30 == 0) { movie.add(one) }
    }
    if isFinished { try movie.finish(endTicks: frames * 9000) } else { try movie.cut(endTicks: frames * 9000) }
    return MediaPiece(path: folder + "/" + name, offsetMs: offsetMs)
  }

  /// Milliseconds at which clicks begin in what is decoded of a file; where nobody seeks, edit lists and encoder
  /// delays have to be right for that.
  func heard(_ path: String) throws -> (clicks: [Double], durationMs: Double) {
    let reader = try LibavSoundReader(path, sampleRate: 48_000, channels: 1, job: nil)
    var room = [Int16](repeating: 0, count: 4096)
    var clicks: [Double] = []
    var position = 0
    while true {
      let result = room.withUnsafeMutableBufferPointer { buffer in
        Result { () throws(RecorderError) in try reader.read(into: buffer) }
      }
      let count = try result.get()
      if count == 0 { return (clicks, Double(position) / 48) }
      for index in 0..<count where room[index].magnitude > 6000 {
        let ms = Double(position + index) / 48
        if ms - (clicks.last ?? -1000) > 500 { clicks.append(ms) }
      }
      position += count
    }
  }

  /// Decodes a movie's picture to its end; the number of frames.
  func decodedFrames(_ path: String, _ size: PictureSize) throws -> Int {
    let job = MediaJob(platform: LinuxPlatform())
    let input = try LibavInput(path, AVMEDIA_TYPE_VIDEO, job: nil)
    let decoder = try H264Transcoder(
      input, size, H264Quality(compressionLevel: 1, parameterSetId: 0), timeBase: AVRational(num: 1, den: 90_000),
      job: job)
    let packet = try LibavPacket()
    var frames = 0
    while try decoder.next(packet.pointer) { frames += 1 }
    return frames
  }

  // MARK: - Calls

  struct Event: Decodable {
    let type: String
    let fraction: Double?
    let durationMs: Double?
    let copiedTakes: Int?
    let encodedTakes: Int?
    let error: RecorderError?
  }
  private struct Job: Decodable { let job: UInt64 }
  private struct Failure: Decodable { let error: RecorderError }

  func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
    guard let pointer else { return "" }
    defer { freeString(pointer) }
    return String(cString: pointer)
  }

  func outcome(_ answer: UnsafeMutablePointer<CChar>?) throws -> Event {
    let job = try Json.decode(Job.self, from: text(answer)).job
    while true {
      let event = try Json.decode(Event.self, from: text(nextMediaEvent(job, 10_000)))
      if event.type != "progress", event.type != "none" { return event }
    }
  }

  func pieces(_ pieces: [MediaPiece]) -> String { Json.encode(pieces) }

  var leftovers: [String] {
    get throws { try PosixFolder(folder, forRecording: false).list().filter { $0.hasSuffix(".partial") } }
  }

  // MARK: - Tests

  @Test func clicksStayWhereTheyWereInTheMp3AndInTheMovie() throws {
    let segments = [
      try clicks("a.wav", fromMs: 250, durationMs: 3500, sampleRate: 48_000, channels: 2),
      try clicks("b.wav", fromMs: 3750, durationMs: 3000, sampleRate: 44_100, channels: 1),
      try clicks("c.wav", fromMs: 10_100, durationMs: 4000, sampleRate: 48_000, channels: 2),
      // Overlaps the one before.
      try clicks("d.wav", fromMs: 12_600, durationMs: 4000, sampleRate: 16_000, channels: 1),
    ]
    let expected = [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16].map { Double($0) * 1000 }
    let mp3 = folder + "/sound.mp3"
    let made = try outcome(concatenateAudio(#"{"segments":\#(pieces(segments)),"outputPath":"\#(mp3)"}"#))
    #expect(made.type == "finished" && made.durationMs == 16_600)
    let inMp3 = try heard(mp3)
    #expect(inMp3.clicks.count == expected.count && zip(inMp3.clicks, expected).allSatisfy { abs($0 - $1) < 5 })
    #expect(abs(inMp3.durationMs - 16_600) < 0.1)

    let small = PictureSize(width: 160, height: 96)
    let takes = [
      try take("1.mp4", small, offsetMs: 240, frames: 40),
      try take("2.mp4", PictureSize(width: 64, height: 96), offsetMs: 4300, frames: 20),
      try take("3.mp4", small, offsetMs: 9000, frames: 60),
    ]
    for (name, sound) in [("copied", #""audio":"\#(mp3)""#), ("encoded", #""segments":\#(pieces(segments))"#)] {
      let movie = "\(folder)/\(name).mp4"
      let merged = try outcome(merge(#"{"takes":\#(pieces(takes)),\#(sound),"outputPath":"\#(movie)"}"#))
      #expect(merged.type == "finished" && merged.copiedTakes == 2 && merged.encodedTakes == 1)
      let inMovie = try heard(movie)
      #expect(inMovie.clicks.count == expected.count && zip(inMovie.clicks, expected).allSatisfy { abs($0 - $1) < 5 })
      #expect(try decodedFrames(movie, small) == 120)
    }
    #expect(try leftovers.isEmpty)
  }

  @Test func aPartOfTheSoundBeginsAtItsOwnZero() throws {
    let segment = try clicks("a.wav", fromMs: 500, durationMs: 9000, sampleRate: 48_000, channels: 2)
    let path = folder + "/part.mp3"
    let request = #"{"segments":\#(pieces([segment])),"outputPath":"\#(path)","fromMs":2300,"durationMs":4000}"#
    #expect(try outcome(concatenateAudio(request)).durationMs == 4000)
    let sound = try heard(path)
    #expect(sound.clicks.map { $0.rounded() } == [700, 1700, 2700, 3700] && abs(sound.durationMs - 4000) < 0.1)
  }

  @Test func aMovieEncodedAgainHasAllItsPictures() throws {
    let size = PictureSize(width: 160, height: 96)
    let takes = [try take("1.mp4", size, offsetMs: 0, frames: 40), try take("2.mp4", size, offsetMs: 4000, frames: 40)]
    let movie = folder + "/small.mp4"
    let request = #"{"takes":\#(pieces(takes)),"outputPath":"\#(movie)","compressionLevel":0.8}"#
    let merged = try outcome(merge(request))
    #expect(merged.encodedTakes == 2 && merged.durationMs == 8000)
    #expect(try decodedFrames(movie, size) == 80)
  }

  @Test func whatGoesWrongIsSaidAndLeavesNothingBehind() throws {
    let good = try clicks("a.wav", fromMs: 0, durationMs: 1000, sampleRate: 8000, channels: 1)
    try [UInt8](repeating: 7, count: 5000).withUnsafeBytes { bytes in
      try PosixFolder(folder, forRecording: false).replace("noise.wav", with: bytes)
    }
    let output = folder + "/out.mp3"
    try [UInt8]("before".utf8).withUnsafeBytes { bytes in
      try PosixFolder(folder, forRecording: false).replace("out.mp3", with: bytes)
    }
    for bad in ["missing.wav", "noise.wav"] {
      let segments = pieces([good, MediaPiece(path: "\(folder)/\(bad)", offsetMs: 1000)])
      let event = try outcome(concatenateAudio(#"{"segments":\#(segments),"outputPath":"\#(output)"}"#))
      #expect(event.type == "failed" && event.error?.code == .ioError && event.error?.message.contains(bad) == true)
    }
    let torn = try take("torn.mp4", PictureSize(width: 64, height: 64), offsetMs: 0, frames: 20)
    truncate(torn.path, 33_500)
    let merged = try outcome(merge(#"{"takes":\#(pieces([torn])),"outputPath":"\#(output)"}"#))
    #expect(merged.type == "failed" && merged.error?.code == .ioError)
    let nowhere = try outcome(concatenateAudio(#"{"segments":\#(pieces([good])),"outputPath":"/nowhere/out.mp3"}"#))
    #expect(nowhere.error?.code == .ioError)
    #expect(try leftovers.isEmpty)
    let kept = try PosixFolder(folder, forRecording: false).open("out.mp3", writable: false)
    #expect(try kept.read(at: 0, count: 100) == Array("before".utf8))
  }

  @Test func aCancelledJobEndsAndLeavesNothingBehind() throws {
    let segment = try clicks("a.wav", fromMs: 0, durationMs: 120_000, sampleRate: 48_000, channels: 1)
    let segments = pieces([segment, MediaPiece(path: segment.path, offsetMs: 7_200_000)])
    let answer = text(concatenateAudio(#"{"segments":\#(segments),"outputPath":"\#(folder)/out.mp3"}"#))
    let job = try Json.decode(Job.self, from: answer).job
    #expect(try Json.decode(Event.self, from: text(nextMediaEvent(job, 10_000))).type == "progress")
    #expect(text(cancelMedia(job)) == "{}")
    var event = Event?.none
    repeat {
      event = try Json.decode(Event.self, from: text(nextMediaEvent(job, 10_000)))
    } while event?.type == "progress"
    #expect(event?.type == "cancelled")
    #expect(try Json.decode(Failure.self, from: text(nextMediaEvent(job, 0))).error.code == .invalidHandle)
    #expect(try leftovers.isEmpty)
    #expect(try !PosixFolder(folder, forRecording: false).list().contains("out.mp3"))
  }

  @Test func badRequestsAreErrorsWithACode() throws {
    func code(_ pointer: UnsafeMutablePointer<CChar>?) -> ErrorCode? {
      try? Json.decode(Failure.self, from: text(pointer)).error.code
    }
    for call in [concatenateAudio, merge] {
      for request in ["", "[]", "null", #"{"outputPath":7}"#, #"{"takes":[],"segments":[{}],"outputPath":"/x"}"#] {
        #expect(code(call(request)) == .invalidConfig)
      }
      #expect(code(call(nil)) == .invalidConfig)
      #expect(code(call(#"{"directory":"/nowhere","outputPath":"/x"}"#)) == .ioError)
    }
    for job: UInt64 in [0, 999_999, .max] {
      #expect(code(nextMediaEvent(job, 0)) == .invalidHandle && code(cancelMedia(job)) == .invalidHandle)
    }
  }

  @Test func filesOfOtherProgramsAreProbed() throws {
    let sound = try clicks("a.wav", fromMs: 0, durationMs: 2000, sampleRate: 22_050, channels: 1)
    let size = PictureSize(width: 160, height: 96)
    let takes = [try take("1.mp4", size, offsetMs: 0, frames: 30)]
    let movie = folder + "/movie.mp4"
    let mp3 = folder + "/sound.mp3"
    _ = try outcome(concatenateAudio(#"{"segments":\#(pieces([sound])),"outputPath":"\#(mp3)"}"#))
    _ = try outcome(merge(#"{"takes":\#(pieces(takes)),"audio":"\#(mp3)","outputPath":"\#(movie)"}"#))
    let inMovie = try Json.decode(MediaProbe.self, from: text(probe(#"{"path":"\#(movie)"}"#)))
    #expect(inMovie.kind == .mp4 && inMovie.complete && inMovie.width == 160 && inMovie.frames == 30)
    #expect(inMovie.durationMs == 3000 && inMovie.sampleRate == 22_050 && inMovie.channels == 1)
    let inMp3 = try Json.decode(MediaProbe.self, from: text(probe(#"{"path":"\#(mp3)"}"#)))
    #expect(inMp3.kind == .mp3 && abs((inMp3.durationMs ?? 0) - 2000) < 150)
    truncate(movie, off_t(inMovie.bytes - 10))
    #expect(try !Json.decode(MediaProbe.self, from: text(probe(#"{"path":"\#(movie)"}"#))).complete)
  }

  @Test func aRealTakeTornAtAnyByteOfItsLastTwoFragmentsIsRecovered() throws {
    let size = PictureSize(width: 64, height: 64)
    let piece = try take("whole.mp4", size, offsetMs: 0, frames: 24, fragmentFrames: 6, isFinished: false)
    let parent = try PosixFolder(folder, forRecording: false)
    let file = try parent.open("whole.mp4", writable: false)
    let scan = try #require(try MovieScan.read(file))
    #expect(scan.fragments.count == 4)
    let bytes = try file.read(at: 0, count: file.size)
    for length in scan.fragments[2].offset..<bytes.count {
      // In memory: every cut is synced several times.
      let place = OwnFolder(in: "/dev/shm")
      let session = place.path
      defer { withExtendedLifetime(place) {} }
      try bytes.prefix(length).withUnsafeBytes { raw in
        try PosixFolder(session, forRecording: false).replace("video-0001.mp4", with: raw)
      }
      let manifest = try Recovery.recover(directory: session, platform: LinuxPlatform())
      let whole = length < scan.fragments[3].offset ? 2 : 3
      let found = try #require(manifest.takes.first)
      let isRight = found.frames == whole * 6 && found.durationMs == Double(whole) * 600
      #expect(isRight, "cut at \(length)")
      if length % 97 == 0 {
        #expect(try decodedFrames(session + "/video-0001.mp4", size) == whole * 6, "cut at \(length)")
      }
    }
    #expect(try decodedFrames(piece.path, size) == 24)
  }

  @Test func aFolderOfOddFilesIsRecovered() throws {
    let place = OwnFolder()
    let session = place.path
    defer { withExtendedLifetime(place) {} }
    let parent = try PosixFolder(session, forRecording: false)
    mkdir(session + "/video-0001.mp4", 0o700)
    mkfifo(session + "/video-0002.mp4", 0o600)
    symlink("/etc/passwd", session + "/audio-0001.wav")
    try parent.create("audio-0002.wav").close()
    mkdir(session + "/manifest.json", 0o700)
    _ = try take("good.mp4", PictureSize(width: 64, height: 64), offsetMs: 0, frames: 10)
    rename(folder + "/good.mp4", session + "/video-0003.mp4")
    let manifest = try Recovery.recover(directory: session, platform: LinuxPlatform())
    #expect(manifest.takes.map(\.index) == [3] && manifest.segments.isEmpty)
    let torn = try parent.list().filter { $0.contains(".torn-") }
    #expect(torn.count == 5)
    #expect(try Recovery.recover(directory: session, platform: LinuxPlatform()) == manifest)
  }
}

/// Other suites run at the same time: each folder goes with its owner.
final class OwnFolder {
  let path: String

  init(in parent: String = "/tmp") {
    var template = Array("\(parent)/recorder-test-XXXXXX".utf8CString)
    path = template.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress, let made = mkdtemp(base) else { return parent + "/none" }
      return String(cString: made)
    }
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }
}
