// Owns what is promised of a recording's sound as a whole, with a sound server that does what the test says.

import Testing

@testable import RecorderCore

@Suite struct AudioLoopTests {
  private let server = FakeSoundServer()

  private func session(microphone: String = #""default""#) throws -> (RecordingSession, FakePlatform) {
    let platform = FakePlatform(sound: server)
    let config = """
      {"sessionId":"s","outputDirectory":"/memory","audio":{"systemAudio":true,"microphone":\(microphone),
       "sampleRate":\(FakeSoundServer.sampleRate)}}
      """
    return (try RecordingSession(try Json.decode(RecorderConfig.self, from: config), platform: platform), platform)
  }

  /// The next event of a type; events of other types before it are passed over.
  private func event(_ type: String, _ session: RecordingSession) throws -> RecorderEvent {
    while true {
      let event = session.events.next(timeoutMs: 20_000)
      if event.type == type { return event }
      try #require(event.type != "none", "There was no event \(type).")
    }
  }

  private func audio(_ session: RecordingSession) async -> ServiceStatus? {
    await session.status().services["audio"]
  }

  /// Waits for a condition, however busy the machine is; a condition that never holds is a failure.
  private func eventually(_ what: String, _ holds: () async -> Bool) async throws {
    for _ in 0..<2_000 {
      if await holds() { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("It never came to this: \(what)")
  }

  private func left(_ platform: FakePlatform) -> [Int16] {
    let bytes = platform.folder.bytes("audio-0001.wav")?.dropFirst(44) ?? []
    return stride(from: bytes.startIndex, to: bytes.endIndex - 3, by: 4).map {
      Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
    }
  }

  @Test func anInputThatIsMissingAtTheStartJoinsWhenItAppears() async throws {
    let (session, platform) = try session()
    server.tell(.opened(.systemAudio))
    server.tell(.lost(.microphone, RecorderError(.sourceNotFound, "There is no microphone.")))
    let answer = try await session.start()
    #expect(answer.services["audio"]?.state == .active && answer.services["audio"]?.health == .degraded)
    #expect(try event("sourceLost", session).sourceId == "microphone")
    try await eventually("a lost microphone") { await audio(session)?.inputs?["microphone"]?.state == .lost }
    server.tell(.opened(.microphone))
    let joined = try event("sourceRecovered", session)
    #expect(joined.sourceId == "microphone" && joined.service == .audio)
    // To be heard in a while, so that it comes in time on a busy machine too.
    let atMs = platform.nowMs() + 3_000
    server.tell(.sound(.microphone, 0.5, atMs: atMs, ms: 400))
    server.tell(.sound(.systemAudio, 0, atMs: atMs, ms: 400))
    try await eventually("its end") { platform.nowMs() > atMs + 500 }
    #expect(await audio(session)?.health == .healthy)
    let manifest = try await session.stop()
    let gap = try #require(manifest.gaps.first)
    #expect(gap.sourceId == "microphone" && gap.toMs > gap.fromMs && manifest.gaps.count == 1)
    let loud = left(platform).enumerated().filter { $0.element != 0 }
    // Equal power at the middle: 0.5 · √½, for 400 ms, at the moment it was heard.
    #expect(loud.allSatisfy { abs(Int($0.element) - 11_585) < 2 } && abs(loud.count - 3_200) < 20)
    let heardMs = Double(loud.first?.offset ?? 0) / 8
    #expect(abs(heardMs - (atMs - manifest.startedAtMonotonicMs)) < 1)
  }

  @Test func anInputThatGoesLeavesTheOtherAndAMarkedGap() async throws {
    let (session, platform) = try session()
    server.tell(.opened(.systemAudio))
    server.tell(.opened(.microphone))
    _ = try await session.start()
    server.tell(.lost(.microphone, RecorderError(.sourceLost, "It was pulled out.")))
    let lost = try event("sourceLost", session)
    #expect(lost.sourceId == "microphone" && lost.message == "It was pulled out.")
    let status = try #require(await audio(session))
    #expect(status.health == .degraded && status.state == .active && status.error?.code == .sourceLost)
    let atMs = platform.nowMs() + 3_000
    server.tell(.sound(.systemAudio, 0.5, atMs: atMs, ms: 100))
    try await eventually("its end") { platform.nowMs() > atMs + 200 }
    let manifest = try await session.stop()
    #expect(left(platform).contains { $0 > 11_000 })
    // Missing until the end.
    #expect(manifest.gaps.map(\.toMs) == [manifest.durationMs] && manifest.gaps[0].reason == "sourceLost")
    #expect(abs((manifest.segments.last.map { $0.offsetMs + $0.durationMs } ?? 0) - manifest.durationMs) < 1)
  }

  @Test func anotherDefaultDeviceIsNoLoss() async throws {
    let (session, _) = try session()
    for step in [FakeSoundServer.Step.opened(.systemAudio), .opened(.microphone), .opened(.microphone)] {
      server.tell(step)
    }
    _ = try await session.start()
    let manifest = try await session.stop()
    #expect(manifest.gaps.isEmpty)
    #expect(session.events.next(timeoutMs: 0).type != "sourceLost")
  }

  @Test func aServerThatDiesAndComesBackIsALossAndARecovery() async throws {
    let (session, _) = try session()
    server.tell(.opened(.systemAudio))
    server.tell(.opened(.microphone))
    _ = try await session.start()
    server.tell(.dies)
    #expect(try event("sourceLost", session).sourceId == "audio")
    server.tell(.opened(.systemAudio))
    server.tell(.opened(.microphone))
    #expect(try event("sourceRecovered", session).sourceId == "audio")
    #expect(await audio(session)?.health == .healthy)
    let manifest = try await session.stop()
    #expect(manifest.gaps.count == 1 && manifest.gaps[0].sourceId == nil)
  }

  @Test func aServerThatHangsIsNotTakenForSilence() async throws {
    let (session, _) = try session()
    server.tell(.opened(.systemAudio))
    server.tell(.opened(.microphone))
    _ = try await session.start()
    server.hang(forMs: 4_000)
    let stalled = try event("stalled", session)
    #expect(stalled.service == .audio && stalled.message != nil)
    #expect(await audio(session)?.health == .degraded)
    server.hang(forMs: nil)
    #expect(try event("resumed", session).service == .audio)
    #expect(await audio(session)?.health == .healthy)
    let manifest = try await session.stop()
    #expect(manifest.gaps.map(\.reason) == ["timeout"])
  }

  @Test func aMicrophoneThatGivesOnlyZerosIsTold() async throws {
    let (session, platform) = try session()
    server.tell(.opened(.systemAudio))
    server.tell(.opened(.microphone))
    _ = try await session.start()
    let atMs = platform.nowMs()
    server.tell(.sound(.systemAudio, 0, atMs: atMs, ms: 6_000))
    server.tell(.sound(.microphone, 0, atMs: atMs, ms: 6_000))
    let silence = try event("silence", session)
    #expect(silence.sourceId == "microphone" && silence.service == .audio && silence.message != nil)
    try await eventually("a silent microphone") { await audio(session)?.inputs?["microphone"]?.state == .silent }
    // What the computer plays may well be silent.
    #expect(await audio(session)?.inputs?["systemAudio"]?.state == .active)
    server.tell(.sound(.microphone, 0.25, atMs: atMs + 6_000, ms: 20))
    server.tell(.sound(.microphone, 0, atMs: atMs + 6_020, ms: 6_000))
    _ = try event("silence", session)
    // The noise is measured over windows of 20 ms.
    try await eventually("a tenth of a second") { await session.status().offsetMs > 100 }
    let manifest = try await session.stop()
    #expect(manifest.segments.first?.isEmpty == true && manifest.segments.first?.noiseLevel == -120)
  }

  @Test func statusTellsTheLevelOfEachInput() async throws {
    let (session, platform) = try session(microphone: "null")
    server.tell(.opened(.systemAudio))
    _ = try await session.start()
    let inputs = ["systemAudio": AudioInputStatus(state: .active, level: 0.5, rms: 0.5)]
    try await eventually("its level") {
      server.tell(.sound(.systemAudio, 0.5, atMs: platform.nowMs(), ms: 10))
      let status = await audio(session)
      return status?.inputs == inputs && status?.level == 0.5
    }
    _ = try await session.stop()
  }
}

@Suite struct AudioInputNodeTests {
  @Test func aMicrophoneThatGivesNothingAtAllIsFoundOnceForEachStretch() {
    let clock = SessionClock(nowMs: { 20_000 })
    var node = AudioInputNode(.microphone, sampleRate: 48_000)
    #expect([0, 4_999, 5_000, 9_000].map { node.goesDeaf(nowMs: $0) } == [false, false, true, false])
    #expect(node.status(nowMs: 9_000).state == .silent)
    [Float](repeating: 0.1, count: 960).withUnsafeBufferPointer { samples in
      _ = node.receive(samples, reportedMs: 20_000, clock: clock)
    }
    #expect(node.status(nowMs: 20_000).state == .active)
    #expect([24_999, 25_000].map { node.goesDeaf(nowMs: $0) } == [false, true])
  }

  @Test func aComputerThatPlaysNothingIsNoMicrophone() {
    var node = AudioInputNode(.systemAudio, sampleRate: 48_000)
    #expect(![0, 5_000, 10_000].contains { node.goesDeaf(nowMs: $0) })
  }
}
