// Owns what is promised of real files and folders that nobody expects: two jobs on one file, pipes, locks, sound that
// changes in the middle, numbers that no clock says.

import CLibav
import Glibc
import Testing

@testable import RecorderCore
@testable import RecorderLinux
@testable import SessionRecorder

extension LinuxMediaTests {
  private func code(_ body: () throws -> Void) -> ErrorCode? {
    do {
      try body()
      return nil
    } catch {
      return (error as? RecorderError)?.code
    }
  }

  private func file(_ name: String, _ change: (inout [UInt8]) throws -> Void) throws {
    let parent = try PosixFolder(folder, forRecording: false)
    let file = try parent.open(name, writable: true)
    var bytes = try file.read(at: 0, count: file.size)
    try change(&bytes)
    try file.truncate(to: bytes.count)
    try file.write(bytes, at: 0)
  }

  /// Overwrites what stands `behind` bytes after the type of the first box of that type.
  private func patch(_ name: String, _ type: String, behind: Int, _ ticks: Int) throws {
    try file(name) { bytes in
      let place = try #require((0..<bytes.count - 3).first { bytes[$0..<$0 + 4].elementsEqual(type.utf8) })
      var writer = ByteWriter()
      writer.u64(ticks)
      bytes.replaceSubrange(place + behind..<place + behind + 8, with: writer.bytes)
    }
  }

  @Test func ofTwoJobsOnOneFileTheFirstIsNotDisturbed() throws {
    let path = folder + "/out.mp3"
    let first = try MediaOutput(path)
    for _ in 0..<2 { #expect(code { _ = try MediaOutput(path) } == .invalidState) }
    #expect(access(first.temporaryPath, F_OK) == 0)
    #expect(try first.commit() == 0 && access(path, F_OK) == 0)
    mkdir(folder + "/taken", 0o700)
    #expect(code { _ = try MediaOutput(folder + "/taken") } == .ioError)
    #expect(try leftovers.isEmpty)
  }

  @Test func soundWhoseChannelsChangeIsReadToItsEnd() throws {
    var joined: [UInt8] = []
    for channels in [2, 1] {
      let segment = try clicks("\(channels).wav", fromMs: 500, durationMs: 2500, sampleRate: 48_000, channels: channels)
      let mp3 = folder + "/\(channels).mp3"
      _ = try outcome(concatenateAudio(#"{"segments":\#(pieces([segment])),"outputPath":"\#(mp3)"}"#))
      // Without the ID3 tag in front (its length is in the last of ten bytes): in the middle it is no sound.
      try file("\(channels).mp3") { joined += $0.dropFirst(10 + Int($0[9])) }
    }
    try file("2.mp3") { $0 = joined }
    let sound = try heard(folder + "/2.mp3")
    // The second file brings its header and its encoder's delay along.
    let expected = [1000.0, 2000, 4000, 5000]
    #expect(sound.clicks.count == 4 && zip(sound.clicks, expected).allSatisfy { abs($0 - $1) < 150 })
    #expect(abs(sound.durationMs - 6000) < 150)
  }

  @Test func soundIsTheSameHoweverMuchIsReadAtOnce() throws {
    let piece = try clicks("a.wav", fromMs: 0, durationMs: 3000, sampleRate: 16_000, channels: 1)
    func all(_ room: Int) throws -> [Int16] {
      let reader = try LibavSoundReader(piece.path, sampleRate: 48_000, channels: 1, job: nil)
      var (sound, samples) = ([Int16](), [Int16](repeating: 0, count: room))
      while true {
        let count = try samples.withUnsafeMutableBufferPointer { buffer in
          Result { () throws(RecorderError) in try reader.read(into: buffer) }
        }.get()
        if count == 0 { return sound }
        sound += samples.prefix(count)
      }
    }
    let isSame = try all(100) == all(1 << 16)
    #expect(isSame)
  }

  @Test func aPipeIsNoMedia() throws {
    let path = folder + "/pipe.wav"
    mkfifo(path, 0o600)
    let found = code {
      try onThread(limitMs: 10_000) { () throws(RecorderError) in
        _ = try LibavInput(path, AVMEDIA_TYPE_AUDIO, job: nil)
      }
    }
    #expect(found == .ioError)
  }

  @Test func durationsAndTimesThatNoClockSaysAreNotBelieved() throws {
    // 68 years of sound, one sample a second.
    let long = try PosixFolder(folder, forRecording: false).create("long.wav")
    try long.write(WaveFileWriter.header(sampleRate: 1, channels: 1, dataBytes: 0xffff_fff0), at: 0)
    try long.truncate(to: WaveFileWriter.headerBytes + 0xffff_fff0)
    let input = try LibavInput(folder + "/long.wav", AVMEDIA_TYPE_AUDIO, job: nil)
    #expect(input.durationMs == MediaTime.latestMs)
    for ticks in [Int64.min, .max, 1 << 60] { #expect(code { _ = try input.time(ticks) } == .ioError) }
    #expect(try input.time(-5) == -5)
    let far = try take("far.mp4", PictureSize(width: 64, height: 64), offsetMs: 0, frames: 10)
    try patch("far.mp4", "tfdt", behind: 8, Int.max - 10)
    let request = #"{"takes":\#(pieces([far])),"outputPath":"\#(folder)/out.mp4"}"#
    #expect(["finished", "failed"].contains(try outcome(merge(request)).type))
  }

  @Test func aScreenshotThatOnlyClaimsToBeLargeIsNotRead() throws {
    let place = OwnFolder()
    let session = place.path
    defer { withExtendedLifetime(place) {} }
    let parent = try PosixFolder(session, forRecording: false)
    let shot = try parent.create(MediaName.screenshot(1))
    try shot.write([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], at: 0)
    try shot.write(Array("IEND".utf8) + [0, 0, 0, 0], at: 256 << 20)
    #expect(try Recovery.recover(directory: session, platform: LinuxPlatform()).screenshots.isEmpty)
    #expect(try parent.list().contains(MediaName.screenshot(1)))
  }

  @Test func readersShareAFolderAndKeepWritersOut() throws {
    let session = folder + "/session"
    let recording = try PosixFolder(session, forRecording: true)
    #expect(code { _ = try LinuxPlatform().readFolder(session) } == .invalidState)
    recording.close()
    let readers = [try LinuxPlatform().readFolder(session), try LinuxPlatform().readFolder(session)]
    #expect(code { _ = try PosixFolder(session, forRecording: false) } == .invalidState)
    for reader in readers { reader.close() }
    try PosixFolder(session, forRecording: false).close()
    // A lock that cannot be looked at is not the same as none.
    unlink(session + "/.recorder.lock")
    symlink("/nowhere", session + "/.recorder.lock")
    #expect(code { _ = try LinuxPlatform().readFolder(session) } == .ioError)
  }

  @Test func aFileThatCannotBeReplacedLeavesNothingBehind() throws {
    mkdir(folder + "/taken", 0o700)
    let parent = try PosixFolder(folder, forRecording: false)
    #expect(code { try parent.replace("taken", with: [1, 2, 3]) } == .ioError)
    #expect(try parent.list() == ["taken"])
  }

  @Test func shortagesAreKnownAndNotTold() {
    let errors = [EMFILE, ENFILE, ENOMEM, EIO, ENOENT].map { posixError("open", "/x", $0) }
    #expect(errors.map(\.isShortage) == [true, true, true, false, false])
    #expect(!Json.encode(errors[0]).contains("Shortage"))
  }

  @Test func whatIsDoneTooLateIsHandedBack() {
    let (gate, told) = (EventFd(), EventFd())
    let found = code {
      _ = try onThread(limitMs: 1) { () throws(RecorderError) -> Int in
        gate.wait(untilMs: .infinity)
        return 7
      } tooLate: { value in
        if value == 7 { told.raise() }
      }
    }
    #expect(found == .timeout)
    gate.raise()
    #expect(told.wait(untilMs: monotonicMs() + 10_000))
  }
}
