// Owns the promise that no call of the C interface crashes or hangs, whatever it is given, in whatever order, from however
// many threads: every answer is a JSON object, and every error has a code of the header.

import FoundationEssentials
import Glibc
import Locks
import Testing

@testable import RecorderCore
@testable import RecorderLinux
@testable import SessionRecorder

/// FUZZ_CALLS and FUZZ_SEED in the environment make a longer or another run; scripts/fuzz sets them.
private let calls = getenv("FUZZ_CALLS").flatMap { Int(String(cString: $0)) } ?? 600
private let seed = getenv("FUZZ_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1

extension LinuxRecorderTests {
  @Test func noCallCrashesOrHangsWhateverItIsGiven() async throws {
    try await onOwnThread(limitMs: 60_000 + 200 * Double(calls)) {
      let display = try #require(TestDisplay())
      let folder = temporaryFolder()
      var random = Random(seed: seed)
      var bench = FuzzBench(folder: folder)
      for _ in 0..<calls { bench.callAnything(&random) }
      bench.destroyAll()
      #expect(bench.faults == [], "seed \(seed)")
      // A run in which every call is refused would prove little.
      #expect(bench.successes > calls / 50, "seed \(seed)")
      _ = display
    }
  }

  @Test func callsFromSeveralThreadsInAnyOrderAreAnswered() async throws {
    try await onOwnThread(limitMs: 60_000 + 200 * Double(calls)) {
      let display = try #require(TestDisplay())
      let folder = temporaryFolder()
      let faults = Mutex<[String]>([])
      let threads = 4
      let done = Signals(threads)
      for thread in 0..<threads {
        spawn("fuzz-\(thread)") {
          var random = Random(seed: seed &+ UInt64(thread) &* 1_000)
          var bench = FuzzBench(folder: folder + "/\(thread)")
          // Handles of the other threads, too: they are small numbers.
          for _ in 0..<calls / threads { bench.callAnything(&random) }
          bench.destroyAll()
          let found = bench.faults
          faults.withLock { $0 += found }
          done.arrive()
        }
      }
      done.waitForAll()
      #expect(faults.withLock { $0 } == [], "seed \(seed)")
      _ = display
    }
  }
}

/// Counts threads that are done.
private final class Signals: Sendable {
  private let left: Mutex<Int>
  private let signal = EventFd()

  init(_ count: Int) { left = Mutex(count) }

  func arrive() {
    if left.withLock({
      $0 -= 1
      return $0 == 0
    }) {
      signal.raise()
    }
  }

  func waitForAll() { signal.wait(untilMs: .infinity) }
}

/// Lends a text as C has it; nil is the null pointer.
private func with<T>(_ bytes: [UInt8]?, _ body: (UnsafePointer<CChar>?) -> T) -> T {
  guard let bytes else { return body(nil) }
  return (bytes + [0]).withUnsafeBytes { raw in body(raw.baseAddress?.assumingMemoryBound(to: CChar.self)) }
}

/// Makes calls and judges their answers.
private struct FuzzBench {
  let folder: String
  var handles: [UInt64] = []
  var faults: [String] = []
  var successes = 0
  private var folders = 0

  init(folder: String) {
    self.folder = folder
  }

  private static let codes = Set(
    [
      "invalidConfig", "invalidHandle", "invalidState", "permissionDenied", "sourceNotFound", "sourceLost",
      "encoderFailed", "diskFull", "ioError", "timeout", "unsupported", "internal",
    ])

  mutating func callAnything(_ random: inout Random) {
    let handle = anyHandle(&random)
    switch random.below(18) {
    case 0: check("sources", sources())
    case 1: check("permissions", with(text(#"{"request":["screen","microphone"]}"#, &random)) { permissions($0) })
    case 2, 3: createAnything(&random)
    case 4, 5: check("start", start(handle))
    case 6: check("pause", pause(handle))
    case 7: check("resume", resume(handle))
    case 8:
      check(
        "add", with(text(#"{"id":"b","type":"testPattern","targetId":"64x48"}"#, &random)) { addSource(handle, $0) })
    case 9: check("remove", with(text(#"{"id":"b"}"#, &random)) { removeSource(handle, $0) })
    case 10:
      let layout = text(#"{"layout":"picture-in-picture","corner":"top-left","size":0.3}"#, &random)
      check("layout", with(layout) { setLayout(handle, $0) })
    case 11:
      let balance = [0, 1, 0.5, -1, 2, .nan, .infinity, -.infinity, .leastNonzeroMagnitude][random.below(9)]
      check("mix", updateAudioMix(handle, balance))
    case 12: check("screenshot", with(text(#"{"name":"x"}"#, &random)) { takeScreenshot(handle, $0) })
    case 13: check("event", nextEvent(handle, UInt32(random.below(5))))
    case 14: check("status", status(handle))
    case 15: check("stop", stop(handle))
    case 16:
      check("destroy", destroy(handle))
      if random.below(2) == 0 { handles.removeAll { $0 == handle } }
    default: callMedia(&random)
    }
  }

  mutating func destroyAll() {
    for handle in handles { check("destroy", destroy(handle)) }
  }

  private mutating func callMedia(_ random: inout Random) {
    let place = [folder, folder + "/1", "/nowhere", "/dev/null", "/proc/self/mem", ""][random.below(6)]
    switch random.below(2) {
    case 0: check("probe", with(text(#"{"path":"\#(place)/video-0001.mp4"}"#, &random)) { probe($0) })
    default: check("recover", with(text(#"{"directory":"\#(place)"}"#, &random)) { recover($0) })
    }
  }

  private mutating func createAnything(_ random: inout Random) {
    folders += 1
    let valid = """
      {"sessionId":"fuzz","outputDirectory":"\(folder)/\(random.below(4) == 0 ? 1 : folders)",
       "video":{"enabled":true,"fps":10,"maxWidth":320,"fragmentMs":500,"layout":"grid",
                "sources":[{"id":"a","type":"display"},{"id":"c","type":"testPattern","targetId":"64x48"}],
                "excludedWindowIds":[],"excludedApps":[]},
       "audio":{"enabled":true,"microphone":"default","systemAudio":true,"segmentMs":1000},
       "screenshots":{"enabled":true}}
      """
    let answer = read(with(text(valid, &random)) { create($0) })
    judge("create", answer)
    struct Created: Decodable { let handle: UInt64 }
    if let created = try? Json.decode(Created.self, from: answer) { handles.append(created.handle) }
  }

  /// Mostly a living recorder's handle; else one that never was, or was destroyed.
  private func anyHandle(_ random: inout Random) -> UInt64 {
    if !handles.isEmpty, random.below(8) != 0 { return handles[random.below(handles.count)] }
    return [0, 1, 7, .max, 1 << 63, 1 << 32][random.below(6)]
  }

  /// The request as it is, or with something wrong in it.
  private func text(_ valid: String, _ random: inout Random) -> [UInt8]? {
    if random.below(3) == 0 { return Array(valid.utf8) }
    return Mutation.of(valid, &random)
  }

  private mutating func check(_ call: String, _ answer: Text?) {
    judge(call, read(answer))
  }

  private func read(_ answer: Text?) -> String {
    guard let answer else { return "(null)" }
    defer { freeString(answer) }
    return String(cString: answer)
  }

  private mutating func judge(_ call: String, _ answer: String) {
    struct Answer: Decodable {
      struct Failure: Decodable {
        let code: String
        let message: String
      }
      let error: Failure?
    }
    guard answer.hasPrefix("{"), let parsed = try? Json.decode(Answer.self, from: answer) else {
      faults.append("\(call) answered \(answer.prefix(200))")
      return
    }
    guard let error = parsed.error else {
      successes += 1
      return
    }
    if !Self.codes.contains(error.code) || error.message.isEmpty || error.code == "internal" {
      faults.append("\(call) answered \(answer.prefix(200))")
    }
  }
}

/// Wrong requests: other types, huge numbers, missing and doubled parts, text that is no JSON or no UTF-8, no text.
private enum Mutation {
  private static let values = [
    "null", "true", "[]", "{}", "-1", "0", "1e308", "1e999", "-1e999", "18446744073709551616", "0.0000001", "\"\"",
    "\"../../etc\"", "\"\\u0000\"", "\"\\ud800\"", "\"🙂\"", "[[[[[[]]]]]]", "{\"a\":{\"a\":{}}}", "NaN", "\"65x-1\"",
    "\"99999999x99999999\"", "9007199254740993",
  ]

  static func of(_ valid: String, _ random: inout Random) -> [UInt8]? {
    var bytes = Array(valid.utf8)
    switch random.below(10) {
    case 0: return nil
    case 1: return Array(bytes.prefix(random.below(bytes.count + 1)))
    case 2: return (0..<random.below(200)).map { _ in UInt8(1 + random.below(255)) }
    case 3:
      for _ in 0..<1 + random.below(4) { bytes[random.below(bytes.count)] = UInt8(1 + random.below(255)) }
      return bytes
    case 4: return Array(String(repeating: "[", count: random.below(100_000)).utf8)
    case 5: return Array(("{\"sessionId\":\"" + String(repeating: "x", count: random.below(2_000_000)) + "\"}").utf8)
    default: return Array(replacingValue(valid, &random).utf8)
    }
  }

  /// Puts another value in the place of one that follows a colon.
  private static func replacingValue(_ valid: String, _ random: inout Random) -> String {
    var parts = valid.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 1 else { return valid }
    for _ in 0..<1 + random.below(2) {
      let index = 1 + random.below(parts.count - 1)
      let end = parts[index].firstIndex { ",}]".contains($0) } ?? parts[index].endIndex
      parts[index] = values[random.below(values.count)] + parts[index][end...]
    }
    return parts.joined(separator: ":")
  }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same seed makes the same calls.
private struct Random {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func below(_ bound: Int) -> Int {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
  }
}
