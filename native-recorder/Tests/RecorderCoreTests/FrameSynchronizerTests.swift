// Owns what is promised of the synchronizer, with clocks that exist only here.

import Testing

@testable import RecorderCore

/// Random numbers that are the same every time (xorshift64*, Vigna 2016).
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 2_685_821_657_736_338_717
  }
}

/// Sources that change at given moments, and a video thread that does what the synchronizer says.
private struct Simulation: Sendable {
  struct Source: Sendable {
    /// When it changes, in milliseconds of the session's clock.
    let changes: [Double]
    /// How long a capture takes that is asked for at a moment.
    var answerMs: @Sendable (Double) -> Double = { _ in 1 }
    /// The source's own clock, for a camera.
    var ownClock: (@Sendable (Double) -> Double)?
    var joinsAtMs = 0.0
    var leavesAtMs = Double.infinity
  }

  struct Frame: Sendable {
    let atMs: Double
    let composedMs: Double
    /// Which change each source's picture shows.
    let shown: [Int: Int]
  }

  private struct Running: Sendable {
    var next = 0
    var hasTold = false
    var hasJoined = false
    var hasLeft = false
    var answersAtMs: Double?
    var shown = -1
  }

  static let intervalMs = 1000.0 / 15
  var synchronizer = FrameSynchronizer(intervalMs: intervalMs, startMs: 0)
  var frames: [Frame] = []
  var drops: [FrameSynchronizer.DropCause: Int] = [:]
  private var running: [Running]
  private let sources: [Source]
  private let encodeMs: @Sendable (Double) -> Double

  private init(_ sources: [Source], encodeMs: @escaping @Sendable (Double) -> Double) {
    self.sources = sources
    self.encodeMs = encodeMs
    running = Array(repeating: Running(), count: sources.count)
  }

  /// On a thread of its own: two hours of it would hold up other tests.
  static func ran(
    _ sources: [Source], untilMs: Double, encodeMs: @escaping @Sendable (Double) -> Double = { _ in 0 }
  ) async -> Simulation {
    await withCheckedContinuation { continuation in
      runOnThread {
        var simulation = Simulation(sources, encodeMs: encodeMs)
        simulation.run(untilMs: untilMs)
        continuation.resume(returning: simulation)
      }
    }
  }

  private mutating func run(untilMs: Double) {
    var nowMs = 0.0
    while nowMs < untilMs {
      deliver(nowMs)
      var wakeMs = Double.infinity
      deciding: while true {
        switch synchronizer.decide(atMs: nowMs) {
        case .request(let keys):
          for key in keys { running[key].answersAtMs = nowMs + sources[key].answerMs(nowMs) }
        case .compose(let composition):
          let shown = composition.sources.map { ($0, running[$0].shown) }
          frames.append(
            Frame(atMs: composition.atMs, composedMs: nowMs, shown: Dictionary(uniqueKeysWithValues: shown)))
          let busyMs = encodeMs(nowMs)
          if busyMs > 0 {
            synchronizer.wasBusy(busyMs)
            nowMs += busyMs
            deliver(nowMs)
          }
        case .wait(let untilMs):
          wakeMs = untilMs
          break deciding
        }
      }
      for (cause, count) in synchronizer.takeDrops() { drops[cause, default: 0] += count }
      nowMs = max(nowMs, min(wakeMs, nextEventMs()))
    }
  }

  /// Tells the synchronizer what happened up to now, as the sources' threads do.
  private mutating func deliver(_ nowMs: Double) {
    for key in sources.indices {
      let source = sources[key]
      if !running[key].hasJoined, source.joinsAtMs <= nowMs {
        running[key].hasJoined = true
        synchronizer.join(key, hasOwnClock: source.ownClock != nil, atMs: source.joinsAtMs)
      }
      if !running[key].hasLeft, source.leavesAtMs <= nowMs {
        running[key].hasLeft = true
        running[key].answersAtMs = nil
        synchronizer.leave(key, atMs: source.leavesAtMs)
      }
      if let atMs = running[key].answersAtMs, atMs <= nowMs {
        advance(key, to: atMs)
        running[key].answersAtMs = nil
        running[key].hasTold = false
        running[key].shown = running[key].next - 1
        let made = running[key].shown >= 0 ? source.changes[running[key].shown] : 0
        _ = synchronizer.arrived(key, presentationMs: source.ownClock?(made) ?? atMs, atMs: atMs)
      }
      advance(key, to: nowMs)
    }
  }

  private mutating func advance(_ key: Int, to ms: Double) {
    let changes = sources[key].changes
    while running[key].next < changes.count, changes[running[key].next] <= ms {
      if !running[key].hasTold, running[key].answersAtMs == nil {
        running[key].hasTold = true
        synchronizer.changed(key, atMs: changes[running[key].next])
      }
      running[key].next += 1
    }
  }

  private func nextEventMs() -> Double {
    sources.indices.map { key in
      let source = sources[key]
      let change = running[key].next < source.changes.count ? source.changes[running[key].next] : .infinity
      let join = running[key].hasJoined ? .infinity : source.joinsAtMs
      let leave = running[key].hasLeft ? .infinity : source.leavesAtMs
      return min(change, running[key].answersAtMs ?? .infinity, join, leave)
    }.min() ?? .infinity
  }

  /// Changes of a source that each frame shows, in order.
  func shown(_ key: Int) -> [Int] { frames.compactMap { $0.shown[key] } }
}

@Suite struct FrameSynchronizerTests {
  private static let intervalMs = Simulation.intervalMs

  private func regular(_ fps: Double, forMs: Double, jitterMs: Double = 0, seed: UInt64 = 1, phaseMs: Double = 5)
    -> [Double]
  {
    var random = Seeded(state: seed)
    let count = Int((forMs - phaseMs) * fps / 1000)
    return (0..<count).map { index in
      let jitter = jitterMs > 0 ? Double.random(in: -jitterMs...jitterMs, using: &random) : 0
      return max(0, phaseMs + Double(index) * 1000 / fps + jitter)
    }.sorted()
  }

  private func expect(_ synchronizer: inout FrameSynchronizer, _ atMs: Double, _ wanted: FrameSynchronizer.Decision) {
    let decision = synchronizer.decide(atMs: atMs)
    #expect(decision == wanted)
  }

  private func growsStrictly(_ frames: [Simulation.Frame]) -> Bool {
    zip(frames, frames.dropFirst()).allSatisfy { $0.atMs < $1.atMs }
  }

  @Test func jitterLeavesOutNothingAndDoublesNothing() async {
    let changes = regular(15, forMs: 60_000, jitterMs: 8)
    let simulation = await Simulation.ran([.init(changes: changes)], untilMs: 61_000)
    // The ticks settle behind the latest frames within a second.
    let shown = simulation.shown(0).filter { $0 >= 15 }
    #expect(shown == Array(changes.indices.dropFirst(15)), "\(changes.count - shown.count)")
    #expect(growsStrictly(simulation.frames) && simulation.drops.isEmpty)
    for frame in simulation.frames where frame.shown[0] ?? -1 >= 0 {
      #expect(abs(frame.atMs - changes[frame.shown[0] ?? 0]) <= Self.intervalMs)
    }
  }

  @Test func sourcesOfTheFrameRateAreAllInEachFrameWhateverTheirPhase() async {
    for seed in 1...10 {
      var random = Seeded(state: UInt64(seed))
      let sources = (0..<4).map { index in
        let phaseMs = Double.random(in: 5...(seed < 5 ? 8 : 70), using: &random)
        return regular(15, forMs: 30_000, jitterMs: 2, seed: UInt64(seed * 7 + index), phaseMs: phaseMs)
      }
      let simulation = await Simulation.ran(sources.map { .init(changes: $0) }, untilMs: 30_000)
      for (key, changes) in sources.enumerated() {
        #expect(Double(Set(simulation.shown(key)).count) >= 0.97 * Double(changes.count), "seed \(seed), source \(key)")
      }
      #expect(growsStrictly(simulation.frames))
    }
  }

  @Test(arguments: [200.0, -200.0])
  func aCameraWhoseClockDriftsForTwoHoursStaysInStep(_ partsPerMillion: Double) async {
    let rate = 1 + partsPerMillion / 1_000_000
    let forMs = 7_200_000.0
    // It makes its frames, and counts its time, by its own crystal.
    let changes = regular(15 * rate, forMs: forMs, jitterMs: 3, seed: 7)
    let simulation = await Simulation.ran(
      [
        .init(changes: changes, answerMs: { _ in 2 }, ownClock: { 5_000_000 + $0 * rate })
      ], untilMs: forMs)
    let shown = simulation.shown(0).filter { $0 >= 0 }
    #expect(Set(shown).count == shown.count, "no frame twice")
    // What a faster camera makes in excess of the frame rate cannot be shown: 21.6 frames.
    let excess = max(0, Double(changes.count) - forMs * 15 / 1000)
    #expect(changes.count - shown.count <= Int(excess) + 4)
    #expect(growsStrictly(simulation.frames))
    let worst =
      simulation.frames.filter { $0.shown[0] ?? -1 >= 0 }
      .map { abs($0.atMs - changes[$0.shown[0] ?? 0]) }.max() ?? .infinity
    #expect(worst <= Self.intervalMs)
    #expect(simulation.drops.isEmpty)
  }

  @Test func twoClocksThatDriftApartStayWithinOneFrameOfEachOther() async {
    let forMs = 7_200_000.0
    let fast = regular(15.003, forMs: forMs, jitterMs: 2, seed: 3)
    let slow = regular(14.997, forMs: forMs, jitterMs: 2, seed: 4, phaseMs: 30)
    let simulation = await Simulation.ran(
      [
        .init(changes: fast, ownClock: { $0 * 1.0002 }), .init(changes: slow, ownClock: { 77 + $0 * 0.9998 }),
      ], untilMs: forMs)
    var latest = [-1, -1]
    var worst = 0.0
    for frame in simulation.frames {
      for (key, change) in frame.shown { latest[key] = change }
      guard latest[0] > 0, latest[1] > 0 else { continue }
      // What is on the screen together was there together, within the frame interval and the sources' own spacing.
      let newest = max(fast[latest[0]], slow[latest[1]])
      worst = max(worst, newest - min(fast[latest[0]], slow[latest[1]]))
    }
    #expect(worst <= 2 * Self.intervalMs + 5)
    #expect(simulation.frames.count <= Int(forMs * 15 / 1000) + 2)
  }

  @Test func aStalledSourceDoesNotStallTheOther() async {
    let forMs = 20_000.0
    let hang = 5_000.0...10_000.0
    let simulation = await Simulation.ran(
      [
        .init(changes: regular(30, forMs: forMs)),
        .init(changes: regular(30, forMs: forMs), answerMs: { hang.contains($0) ? hang.upperBound - $0 : 1 }),
      ], untilMs: forMs)
    let first = simulation.frames.filter { $0.shown[0] != nil }
    let steps = zip(first, first.dropFirst()).map { $1.composedMs - $0.composedMs }
    #expect((steps.max() ?? .infinity) <= 2 * Self.intervalMs + 2)
    #expect(first.count >= Int(forMs * 15 / 1000) - 3)
    let second = simulation.frames.filter { $0.shown[1] != nil }.map(\.composedMs)
    #expect(!second.contains { $0 > hang.lowerBound + 100 && $0 < hang.upperBound })
    #expect(second.contains { $0 >= hang.upperBound && $0 < hang.upperBound + 2 * Self.intervalMs })
    // Five seconds of ticks.
    #expect((70...75).contains(simulation.drops[.sourceLate] ?? 0))
    #expect(simulation.drops[.late] == nil && growsStrictly(simulation.frames))
  }

  @Test func aSourceThatIsAlwaysALittleLateIsTakenAtTheNextTick() async {
    let forMs = 10_000.0
    let simulation = await Simulation.ran(
      [
        .init(changes: regular(15, forMs: forMs)), .init(changes: regular(15, forMs: forMs), answerMs: { _ in 90 }),
      ], untilMs: forMs)
    #expect(simulation.shown(0).count >= 140 && simulation.shown(1).count >= 49)
    #expect(growsStrictly(simulation.frames))
  }

  @Test func sourcesJoinAndLeave() async {
    let simulation = await Simulation.ran(
      [
        .init(changes: regular(15, forMs: 9_000)),
        .init(changes: regular(15, forMs: 9_000), joinsAtMs: 3_000, leavesAtMs: 6_000),
      ], untilMs: 9_000)
    let second = simulation.frames.filter { $0.shown[1] != nil }.map(\.composedMs)
    #expect(second.allSatisfy { $0 >= 3_000 && $0 <= 6_000 } && second.count >= 44)
    #expect((second.first ?? .infinity) < 3_000 + 2 * Self.intervalMs)
    #expect(simulation.shown(0).count >= 133 && simulation.drops.isEmpty)
  }

  @Test func aFastSourceIsShownEvenlyAndASlowOneAtOnce() async {
    let fast = await Simulation.ran([.init(changes: regular(60, forMs: 10_000))], untilMs: 10_000)
    let steps = zip(fast.frames, fast.frames.dropFirst()).dropFirst().map { $1.atMs - $0.atMs }
    #expect(steps.allSatisfy { abs($0 - Self.intervalMs) < 10 } && fast.drops.isEmpty)
    let slow = await Simulation.ran([.init(changes: regular(3, forMs: 10_000, phaseMs: 200))], untilMs: 10_000)
    for frame in slow.frames.dropFirst() {
      // Stamped between the change and the grab a millisecond later.
      let change = regular(3, forMs: 10_000, phaseMs: 200)[frame.shown[0] ?? 0]
      #expect((change...(change + 1)).contains(frame.atMs))
    }
    #expect(slow.frames.count == 1 + regular(3, forMs: 10_000, phaseMs: 200).count)
  }

  @Test func theMomentOfAFrameIsTheMiddleOfWhatItShows() throws {
    var synchronizer = FrameSynchronizer(intervalMs: 100, startMs: 0)
    synchronizer.join(1, atMs: 0)
    expect(&synchronizer, 0, .request([1]))
    let isTaken1 = synchronizer.arrived(1, presentationMs: 0, atMs: 0)
    #expect(isTaken1)
    guard case .compose = synchronizer.decide(atMs: 0) else { throw RecorderError(.internal, "no frame") }
    synchronizer.changed(1, atMs: 20)
    expect(&synchronizer, 20, .wait(untilMs: 100))
    expect(&synchronizer, 100, .request([1]))
    let isTaken2 = synchronizer.arrived(1, presentationMs: 100, atMs: 101)
    #expect(isTaken2)
    expect(&synchronizer, 101, .compose(.init(sources: [1], atMs: 60)))
    #expect(synchronizer.waitingSinceMs == nil)
    expect(&synchronizer, 101, .wait(untilMs: .infinity))
  }

  @Test func whatWasGrabbedBeforeThePauseEndedIsNotShown() {
    var synchronizer = FrameSynchronizer(intervalMs: 100, startMs: 0)
    synchronizer.join(1, atMs: 0)
    expect(&synchronizer, 0, .request([1]))
    synchronizer.restart(atMs: 5_000)
    let isTaken3 = synchronizer.arrived(1, presentationMs: 2_000, atMs: 5_010)
    #expect(!isTaken3)
    expect(&synchronizer, 5_010, .request([1]))
    let isTaken4 = synchronizer.arrived(1, presentationMs: 5_012, atMs: 5_013)
    #expect(isTaken4)
    guard case .compose(let composition) = synchronizer.decide(atMs: 5_013) else {
      Issue.record("no frame")
      return
    }
    // It joins what was shown when the pause began.
    #expect(composition.atMs == 5_000)
  }

  @Test func aVideoThreadThatEncodesTooLongIsNamedAsTheCause() async {
    let simulation = await Simulation.ran(
      [.init(changes: regular(30, forMs: 10_000))], untilMs: 10_000,
      encodeMs: { (4_000...4_050).contains($0) ? 500 : 0 })
    #expect((6...8).contains(simulation.drops[.encoderBusy] ?? 0) && simulation.drops[.late] == nil)
  }

  @Test func randomSourcesKeepTheRules() async {
    for seed in 1...20 {
      var random = Seeded(state: UInt64(seed))
      let sources = (0..<Int.random(in: 1...5, using: &random)).map { index in
        let fps = Double.random(in: 0.5...70, using: &random)
        let slow = Double.random(in: 0...150, using: &random)
        return Simulation.Source(
          changes: regular(fps, forMs: 20_000, jitterMs: 400 / fps, seed: UInt64(seed * 10 + index)),
          answerMs: { $0.truncatingRemainder(dividingBy: 7) < 1 ? slow : 1 },
          joinsAtMs: Double.random(in: 0...5_000, using: &random),
          leavesAtMs: Bool.random(using: &random) ? .infinity : Double.random(in: 6_000...19_000, using: &random))
      }
      let simulation = await Simulation.ran(sources, untilMs: 20_000)
      #expect(growsStrictly(simulation.frames), "seed \(seed)")
      // A second never holds more frames than the frame rate says.
      for index in simulation.frames.indices.dropLast(17) {
        #expect(simulation.frames[index + 17].composedMs - simulation.frames[index].composedMs > 999, "seed \(seed)")
      }
      for frame in simulation.frames {
        #expect(frame.atMs <= frame.composedMs + 1e-6 && !frame.shown.isEmpty, "seed \(seed)")
      }
    }
  }
}
