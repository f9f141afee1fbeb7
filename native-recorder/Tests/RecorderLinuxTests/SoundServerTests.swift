// Owns what is promised of sound on a real PulseAudio whose devices come and go, that restarts and that hangs.

import FoundationEssentials
import Glibc
import Testing

@testable import RecorderCore
@testable import RecorderLinux
@testable import SessionRecorder

/// In one suite with the others, because PULSE_SERVER belongs to the whole process.
extension LinuxRecorderTests {
  private func record(_ body: @escaping @Sendable (Recording, TestSound) throws -> Void) async throws {
    try await onOwnThread {
      let sound = try #require(TestSound(temporaryFolder()))
      let recording = try Recording(temporaryFolder() + "/session")
      defer { recording.destroy() }
      try body(recording, sound)
      withExtendedLifetime(sound) {}
    }
  }

  @Test func aMicrophoneThatIsPulledOutAndPutBackIsToldAndRecordedAgain() async throws {
    try await record { recording, sound in
      sound.addMicrophone()
      try recording.start()
      eventually("the microphone") { (try? recording.input("microphone"))?.state == .silent }
      sound.removeMicrophone()
      let lost = try recording.event("sourceLost")
      #expect(lost.sourceId == "microphone" && lost.message?.isEmpty == false)
      #expect(try recording.input("systemAudio")?.state == .active)
      sound.addMicrophone()
      #expect(try recording.event("sourceRecovered").sourceId == "microphone")
      let manifest = try recording.stop()
      let gap = try #require(manifest.gaps.first)
      #expect(manifest.gaps.count == 1 && gap.sourceId == "microphone" && gap.reason == "sourceLost")
      #expect(gap.fromMs < gap.toMs && gap.toMs < manifest.durationMs)
      #expect(abs((manifest.segments.last.map { $0.offsetMs + $0.durationMs } ?? 0) - manifest.durationMs) < 1)
    }
  }

  @Test func aMicrophoneThatAppearsLaterJoins() async throws {
    try await record { recording, sound in
      try recording.start()
      #expect(try recording.event("sourceLost").sourceId == "microphone")
      sound.addMicrophone()
      #expect(try recording.event("sourceRecovered").sourceId == "microphone")
      _ = try recording.stop()
    }
  }

  @Test func systemSoundFollowsTheDefaultDevice() async throws {
    try await record { recording, sound in
      try recording.start()
      sound.control("load-module", "module-null-sink", "sink_name=other")
      sound.control("set-default-sink", "other")
      // Loud, and only on the device that is the default now.
      let player = try sound.playNoise(on: "other")
      eventually("its sound") { ((try? recording.input("systemAudio"))?.level ?? 0) > 0.2 }
      let manifest = try recording.stop()
      #expect(manifest.gaps.allSatisfy { $0.sourceId == "microphone" })
      withExtendedLifetime(player) {}
    }
  }

  @Test func aSoundServerThatIsKilledAndStartedAgainIsRecordedAgain() async throws {
    try await record { recording, sound in
      try recording.start()
      sound.server.end(SIGKILL)
      _ = try recording.event("sourceLost", of: "audio")
      let again = try #require(TestSound(sound.folder))
      _ = try recording.event("sourceRecovered", of: "audio")
      let player = try again.playNoise(on: "out")
      eventually("its sound") { ((try? recording.input("systemAudio"))?.level ?? 0) > 0.2 }
      let manifest = try recording.stop()
      let gap = try #require(manifest.gaps.first { $0.sourceId == nil })
      #expect(gap.reason == "sourceLost" && gap.toMs > gap.fromMs && gap.toMs < manifest.durationMs)
      // The file kept step with the clock meanwhile.
      #expect(abs((manifest.segments.last.map { $0.offsetMs + $0.durationMs } ?? 0) - manifest.durationMs) < 1)
      withExtendedLifetime(player) {}
    }
  }

  @Test func aSoundServerThatHangsIsToldAndDoesNotHangTheStop() async throws {
    try await record { recording, sound in
      try recording.start()
      sound.server.end(SIGSTOP)
      #expect(try recording.event("stalled").service == .audio)
      let status = try recording.audio()
      #expect(status.state == .active && status.health == .degraded && status.error?.code == .timeout)
      sound.server.end(SIGCONT)
      #expect(try recording.event("resumed").service == .audio)
      sound.server.end(SIGSTOP)
      let begun = monotonicMs()
      let manifest = try recording.stop()
      #expect(monotonicMs() - begun < 10_000)
      #expect(manifest.gaps.contains { $0.reason == "timeout" && $0.toMs > $0.fromMs })
      #expect(abs((manifest.segments.last.map { $0.offsetMs + $0.durationMs } ?? 0) - manifest.durationMs) < 1)
    }
  }
}

/// A recording of sound alone, over the C interface.
private final class Recording: Sendable {
  private struct Created: Decodable { let handle: UInt64 }
  private struct Status: Decodable { let services: [String: ServiceStatus] }
  struct Event: Decodable {
    let type: String
    let service: ServiceKind?
    let sourceId: String?
    let message: String?
  }

  private let handle: UInt64

  init(_ folder: String) throws {
    let config = """
      {"sessionId":"t","outputDirectory":"\(folder)",
       "audio":{"microphone":"default","systemAudio":true,"segmentMs":1000}}
      """
    handle = try Json.decode(Created.self, from: answer(create(config))).handle
  }

  func start() throws {
    #expect(answer(SessionRecorder.start(handle)).contains("\"state\":\"active\""))
  }

  func audio() throws -> ServiceStatus {
    let status = try Json.decode(Status.self, from: answer(status(handle)))
    return try #require(status.services["audio"])
  }

  func input(_ name: String) throws -> AudioInputStatus? { try audio().inputs?[name] }

  /// The next event of a type; others before it are passed over.
  func event(_ type: String, of source: String? = nil) throws -> Event {
    for _ in 0..<200 {
      let event = try Json.decode(Event.self, from: answer(nextEvent(handle, 500)))
      if event.type == type, source == nil || event.sourceId == source { return event }
    }
    throw RecorderError(.timeout, "There was no event \(type).")
  }

  func stop() throws -> Manifest { try Json.decode(Manifest.self, from: answer(SessionRecorder.stop(handle))) }
  func destroy() { _ = answer(SessionRecorder.destroy(handle)) }
}

private func answer(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
  guard let pointer else { return "" }
  defer { freeString(pointer) }
  return String(cString: pointer)
}
