// Owns what is promised of the recorder on a real X server and a real sound server, over its C interface.

import FoundationEssentials
import Glibc
import Testing

@testable import RecorderCore
@testable import RecorderLinux
@testable import SessionRecorder

/// One at a time: DISPLAY and PULSE_SERVER belong to the whole process.
@Suite(.serialized) struct LinuxRecorderTests {
  private struct Failure: Decodable { let error: RecorderError }
  struct Created: Decodable { let handle: UInt64 }

  func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
    guard let pointer else { return "" }
    defer { freeString(pointer) }
    return String(cString: pointer)
  }

  func code(_ pointer: UnsafeMutablePointer<CChar>?) -> ErrorCode? {
    try? Json.decode(Failure.self, from: text(pointer)).error.code
  }

  private func begin(_ folder: String, audio: Bool = false, video: Bool = true) throws -> UInt64 {
    let config = """
      {"sessionId":"t","outputDirectory":"\(folder)","video":{"enabled":\(video),"fragmentMs":500},
       "audio":{"enabled":\(audio),"systemAudio":true},"screenshots":{"enabled":\(video)}}
      """
    return try Json.decode(Created.self, from: text(create(config))).handle
  }

  func number(_ name: String, of service: String, _ handle: UInt64) -> Int {
    struct Status: Decodable {
      struct Service: Decodable {
        struct Metrics: Decodable { let itemsRecorded: Int }
        let bytesOnDisk: Int
        let metrics: Metrics
      }
      let services: [String: Service]
    }
    let status = try? Json.decode(Status.self, from: text(status(handle)))
    guard let found = status?.services[service] else { return 0 }
    return name == "bytesOnDisk" ? found.bytesOnDisk : found.metrics.itemsRecorded
  }

  @Test func aDisplayIsRecordedAndItsFramesCanBeReadBack() async throws {
    try await onOwnThread {
      let display = try #require(TestDisplay())
      let folder = temporaryFolder() + "/session"
      let handle = try begin(folder)
      #expect(text(start(handle)).contains("\"state\":\"active\""))
      // What moves on the screen: a window that another client maps.
      let client = ServerProcess(["xterm", "-geometry", "40x10+10+10", "-e", "sleep", "5"])
      eventually("three frames") { number("itemsRecorded", of: "video", handle) >= 3 }
      let shot = try Json.decode(ScreenshotAnswer.self, from: text(takeScreenshot(handle, "{}")))
      #expect(shot.width == 640 && shot.height == 480 && shot.sha256.count == 64)
      let manifest = try Json.decode(Manifest.self, from: text(stop(handle)))
      #expect(manifest.takes.first?.frames ?? 0 >= 3 && manifest.screenshots.count == 1)
      let probe = try Json.decode(MediaProbe.self, from: text(probe(#"{"path":"\#(folder)/video-0001.mp4"}"#)))
      #expect(probe.complete && probe.width == 640 && probe.frames == manifest.takes.first?.frames)
      #expect(text(destroy(handle)) == "{}")
      withExtendedLifetime((display, client)) {}
    }
  }

  @Test func aDisplayServerThatDiesLeavesAFinishedTake() async throws {
    try await onOwnThread {
      let display = try #require(TestDisplay())
      let folder = temporaryFolder() + "/session"
      let handle = try begin(folder)
      _ = text(start(handle))
      eventually("something on disk") { number("bytesOnDisk", of: "video", handle) > 0 }
      display.server.end(SIGKILL)
      var types: [String] = []
      for _ in 0..<20 where !types.contains("sourceLost") {
        struct Event: Decodable { let type: String }
        types.append(try Json.decode(Event.self, from: text(nextEvent(handle, 500))).type)
      }
      #expect(types.contains("sourceLost"))
      let manifest = try Json.decode(Manifest.self, from: text(stop(handle)))
      #expect(manifest.takes.count == 1 && manifest.gaps.first?.reason == "sourceLost")
      _ = text(destroy(handle))
    }
  }

  @Test func aDisplayServerThatHangsDoesNotHangTheStop() async throws {
    try await onOwnThread {
      let display = try #require(TestDisplay())
      let handle = try begin(temporaryFolder() + "/session")
      _ = text(start(handle))
      eventually("something on disk") { number("bytesOnDisk", of: "video", handle) > 0 }
      display.server.end(SIGSTOP)
      let begun = monotonicMs()
      let manifest = try Json.decode(Manifest.self, from: text(stop(handle)))
      #expect(monotonicMs() - begun < 10_000 && manifest.takes.count == 1)
      _ = text(destroy(handle))
    }
  }

  @Test func soundWithoutAnybodyPlayingIsSilenceOfTheRightLength() async throws {
    try await onOwnThread {
      let sound = try #require(TestSound(temporaryFolder()))
      let folder = temporaryFolder() + "/session"
      let handle = try begin(folder, audio: true, video: false)
      #expect(text(start(handle)).contains("\"state\":\"active\""))
      // A WAV header alone is 44 bytes.
      eventually("sound on disk") { number("bytesOnDisk", of: "audio", handle) > 44 }
      let manifest = try Json.decode(Manifest.self, from: text(stop(handle)))
      let segment = try #require(manifest.segments.first)
      #expect(segment.isEmpty && abs(segment.durationMs - manifest.durationMs) < 1)
      let probe = try Json.decode(MediaProbe.self, from: text(probe(#"{"path":"\#(folder)/audio-0001.wav"}"#)))
      #expect(probe.complete && probe.durationMs == segment.durationMs)
      _ = text(destroy(handle))
      withExtendedLifetime(sound) {}
    }
  }

  @Test func noDisplayAndNoSoundServerAreSaidInWords() async throws {
    try await onOwnThread {
      unsetenv("DISPLAY")
      setenv("PULSE_SERVER", "unix:/nowhere", 1)
      let handle = try begin(temporaryFolder() + "/session", audio: true)
      #expect(code(start(handle)) == .sourceNotFound)
      #expect(text(permissions(#"{"request":["screen"]}"#)).contains("\"denied\""))
      _ = text(destroy(handle))
    }
  }

  @Test func badInputIsAnErrorWithACode() async throws {
    try await onOwnThread {
      #expect(code(create(nil)) == .invalidConfig)
      #expect(code(create("nonsense")) == .invalidConfig)
      let bytes: [CChar] = [-1, -2, 0]
      #expect(code(create(bytes)) == .invalidConfig)
      #expect(code(create(#"{"sessionId":"s","outputDirectory":"/proc/none/x","video":{}}"#)) == .ioError)
      for call in [start, pause, resume, stop, status, destroy] { #expect(code(call(999_999)) == .invalidHandle) }
      #expect(code(nextEvent(0, 1)) == .invalidHandle)
      #expect(code(updateAudioMix(0, .nan)) == .invalidHandle)
      #expect(code(probe(#"{"path":"/etc/hostname"}"#)) == .unsupported)
      #expect(code(recover(#"{"directory":"/nowhere"}"#)) == .ioError)
      freeString(nil)
    }
  }

  @Test func twoRecordersDoNotShareAFolder() async throws {
    try await onOwnThread {
      let folder = temporaryFolder() + "/session"
      let first = try begin(folder)
      #expect(code(create(#"{"sessionId":"s","outputDirectory":"\#(folder)","video":{}}"#)) == .invalidState)
      _ = text(destroy(first))
      _ = text(destroy(try begin(folder)))
    }
  }

  @Test func whatCanBeRecordedIsListed() async throws {
    struct Sources: Decodable {
      struct Display: Decodable { let id: String, width: Int, height: Int, primary: Bool }
      struct Window: Decodable { let id: String, title: String, app: String, pid: Int, width: Int, height: Int }
      struct Camera: Decodable { let id: String, name: String }
      let displays: [Display], windows: [Window], cameras: [Camera]
    }
    try await onOwnThread {
      let display = try #require(TestDisplay())
      let client = try TestClient()
      let window = client.window(PixelRect(x: 0, y: 0, width: 90, height: 80), 1, app: "Editor", title: "notes")
      client.map(window)
      client.sync()
      let found = try Json.decode(Sources.self, from: text(sources()))
      #expect(found.displays.map(\.id) == ["screen"] && found.displays.first?.width == 640)
      let first = try #require(found.windows.first)
      #expect(first.id == String(window) && first.title == "notes" && first.app == "Editor" && first.width == 90)
      #expect(first.pid == Int(getpid()))
      withExtendedLifetime(display) {}
    }
  }

  @Test func aDisplayServerThatHangsTakesNothingElseFromTheListAndNoThreads() async throws {
    struct Sources: Decodable {
      struct Item: Decodable { let id: String }
      let displays: [Item], systemAudio: [Item]
    }
    try await onOwnThread {
      let display = try #require(TestDisplay())
      let sound = try #require(TestSound(temporaryFolder()))
      let inquiries = {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task"))?.filter { task in
          (try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)) == "ws-inquiry\n"
        }.count
      }
      display.server.end(SIGSTOP)
      for _ in 0..<3 {
        let found = try Json.decode(Sources.self, from: text(sources()))
        #expect(found.displays.isEmpty && !found.systemAudio.isEmpty)
      }
      #expect(text(permissions(#"{"request":["screen"]}"#)).contains("\"denied\""))
      #expect(inquiries() == 1)
      display.server.end(SIGCONT)
      eventually("the thread ends") { inquiries() == 0 }
      #expect(!(try Json.decode(Sources.self, from: text(sources()))).displays.isEmpty)
      withExtendedLifetime(sound) {}
    }
  }

  @Test func sha256IsThatOfTheStandard() async throws {
    try await onOwnThread {
      // FIPS 180-4, the example “abc”.
      let hash = Array("abc".utf8).withUnsafeBytes { LibavHash.sha256($0) }
      #expect(hash == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
  }
}
