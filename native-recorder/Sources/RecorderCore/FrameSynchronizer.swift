// Owns when pictures are asked for and which moment a composed frame belongs to. Pure: every call takes the time.

/// Sources say that they changed; at a tick at which any has, all that changed are asked for their pictures, and what came
/// within one frame interval makes a frame. A late source's picture stays as it is and is taken at the next tick.
struct FrameSynchronizer {
  enum Decision: Equatable {
    case wait(untilMs: Double)
    case request([Int])
    case compose(Composition)
  }

  struct Composition: Equatable {
    /// Sources with a new picture.
    let sources: [Int]
    /// When the frame begins to be shown, in monotonic milliseconds; grows from frame to frame.
    let atMs: Double
  }

  /// Why frames were left out.
  enum DropCause: String {
    /// Ticks that passed while a changed picture waited for the video thread.
    case late
    /// The same, while the video thread was busy encoding and writing.
    case encoderBusy
    /// Ticks that passed while a source did not hand over the picture it was asked for.
    case sourceLate
  }

  private struct Member {
    /// First change that nobody has asked for yet.
    var changedMs: Double?
    var lastChangeMs = -Double.infinity
    var asked: (atMs: Double, changedMs: Double)?
    /// A picture that is in no frame yet: what it shows first, and when it was grabbed.
    var arrived: (firstMs: Double, grabbedMs: Double)?
    var clock: SourceClock?

    /// It changes about as often as frames come, and has nothing to show just now.
    func isAboutToChange(_ nowMs: Double, _ intervalMs: Double) -> Bool {
      asked == nil && changedMs == nil && arrived == nil && nowMs - lastChangeMs < 2 * intervalMs
    }
  }

  static let leastStepMs = 0.1
  /// How long a tick waits for sources that are about to change too, as a share of the frame interval: sources of the
  /// same rate would else be in a frame or miss it by chance.
  static let gatherShare = 0.125

  let intervalMs: Double
  /// Counted since the last time they were taken.
  private(set) var drops: [DropCause: Int] = [:]
  private var members: [Int: Member] = [:]
  /// From this moment on the next pictures may be asked for.
  private var dueMs: Double
  /// Frames never belong to a moment before this one: the start, or the end of the last pause.
  private var floorMs: Double
  /// The next frame continues what was shown when the pause began.
  private var isRestart = false
  private var round: (members: [Int], deadlineMs: Double)?
  private var shownMs = -Double.infinity
  private var busyMs = 0.0

  init(intervalMs: Double, startMs: Double) {
    self.intervalMs = intervalMs
    dueMs = startMs
    floorMs = startMs
  }

  /// The earliest change that no frame shows yet.
  var waitingSinceMs: Double? {
    members.values.compactMap { member in
      [member.changedMs, member.asked?.changedMs, member.arrived?.firstMs].compactMap(\.self).min()
    }.min()
  }

  /// A source takes part from now on; its picture is wanted. `hasOwnClock`: its frames' times are no monotonic ones.
  mutating func join(_ source: Int, hasOwnClock: Bool = false, atMs: Double) {
    guard members[source] == nil else { return }
    members[source] = Member(changedMs: max(atMs, floorMs), clock: hasOwnClock ? SourceClock() : nil)
  }

  mutating func leave(_ source: Int, atMs: Double) {
    guard let member = members.removeValue(forKey: source) else { return }
    if let asked = member.asked { count(.sourceLate, passed(since: max(asked.atMs, floorMs), atMs)) }
  }

  mutating func changed(_ source: Int, atMs: Double) {
    guard members[source] != nil, members[source]?.changedMs == nil else { return }
    members[source]?.changedMs = max(atMs, floorMs)
    members[source]?.lastChangeMs = atMs
  }

  /// A picture came. Returns false when it must not be shown: it was grabbed before the pause ended.
  mutating func arrived(_ source: Int, presentationMs: Double, atMs: Double) -> Bool {
    guard var member = members[source], let asked = member.asked else { return members[source] != nil }
    member.asked = nil
    defer { members[source] = member }
    count(.sourceLate, passed(since: max(asked.atMs, floorMs), atMs))
    let ownMs = member.clock?.map(presentationMs, arrivedMs: atMs)
    if (ownMs ?? presentationMs) < floorMs - intervalMs || asked.atMs < floorMs {
      member.changedMs = floorMs
      return false
    }
    let grabbedMs: Double
    if let ownMs {
      grabbedMs = min(max(ownMs, asked.changedMs - intervalMs), atMs)
    } else {
      grabbedMs = min(presentationMs, atMs)
    }
    // A camera's frame was there before its change was seen.
    let first = ownMs != nil || grabbedMs < asked.changedMs ? grabbedMs : asked.changedMs
    member.arrived = (max(first, floorMs), max(grabbedMs, floorMs))
    return true
  }

  /// Nothing of what was grabbed before `atMs` may be shown; every picture is wanted anew.
  mutating func restart(atMs: Double) {
    floorMs = atMs
    dueMs = atMs
    isRestart = true
    round = nil
    for key in members.keys {
      members[key]?.arrived = nil
      members[key]?.changedMs = atMs
    }
  }

  /// Every picture is wanted: the tiles lie otherwise now.
  mutating func touch(atMs: Double) {
    for key in members.keys { changed(key, atMs: atMs) }
  }

  /// A frame was shown at this moment without any source's doing.
  mutating func shown(atMs: Double) {
    shownMs = max(shownMs, atMs)
    isRestart = false
  }

  /// The video thread did not listen for that long.
  mutating func wasBusy(_ ms: Double) {
    busyMs += ms
  }

  mutating func takeDrops() -> [DropCause: Int] {
    defer { drops = [:] }
    return drops
  }

  mutating func decide(atMs nowMs: Double) -> Decision {
    if let open = round {
      let missing = open.members.filter { members[$0]?.asked != nil }
      if !missing.isEmpty, nowMs < open.deadlineMs { return .wait(untilMs: open.deadlineMs) }
      round = nil
      if let composition = compose() { return .compose(composition) }
    }
    let wanting = members.filter { $0.value.arrived != nil || ($0.value.changedMs != nil && $0.value.asked == nil) }
    guard !wanting.isEmpty else { return .wait(untilMs: .infinity) }
    guard nowMs >= dueMs else { return .wait(untilMs: dueMs) }
    let changes = wanting.values.map { $0.changedMs ?? $0.arrived?.firstMs ?? nowMs }
    let gatherMs = intervalMs * Self.gatherShare
    var tickMs = min(max(dueMs, changes.min() ?? nowMs), nowMs)
    let isAlone = members.allSatisfy { wanting[$0.key] != nil || !$0.value.isAboutToChange(nowMs, intervalMs) }
    guard isAlone || nowMs >= tickMs + gatherMs else { return .wait(untilMs: tickMs + gatherMs) }
    // After a quiet time the ticks begin anew at the change: what is alone is shown at once, and sources of about the
    // frame rate are met after each of their pictures, so that jitter drops none.
    if isAlone { tickMs = min(max(tickMs, min(changes.max() ?? tickMs, tickMs + gatherMs)), nowMs) }
    noteLate(passed(since: tickMs, nowMs))
    dueMs = tickMs + (((nowMs - tickMs) / intervalMs).rounded(.down) + 1) * intervalMs
    let asking = wanting.filter { $0.value.arrived == nil }.keys.sorted()
    guard !asking.isEmpty else { return compose().map { .compose($0) } ?? .wait(untilMs: dueMs) }
    for key in asking {
      let changedMs = members[key]?.changedMs ?? nowMs
      members[key]?.asked = (nowMs, changedMs)
      members[key]?.changedMs = nil
    }
    round = (asking, nowMs + intervalMs)
    return .request(asking)
  }

  /// Puts the pictures that came into one frame. It belongs to the middle between the first change that it shows and the
  /// last grab, and lies at most one frame interval before that. The first one after a pause joins what came before.
  private mutating func compose() -> Composition? {
    let ready = members.filter { $0.value.arrived != nil }
    let times = ready.values.compactMap(\.arrived)
    guard let firstMs = times.map(\.firstMs).min(), let grabbedMs = times.map(\.grabbedMs).max() else { return nil }
    for key in ready.keys { members[key]?.arrived = nil }
    let middleMs = max(grabbedMs - intervalMs, isRestart ? floorMs : (firstMs + grabbedMs) / 2)
    isRestart = false
    shownMs = max(middleMs, shownMs + Self.leastStepMs)
    return Composition(sources: ready.keys.sorted(), atMs: shownMs)
  }

  private func passed(since ms: Double, _ nowMs: Double) -> Int { max(0, Int((nowMs - ms) / intervalMs)) }

  private mutating func noteLate(_ ticks: Int) {
    let busy = min(ticks, Int((busyMs / intervalMs).rounded()))
    busyMs = 0
    guard ticks > 0 else { return }
    count(.encoderBusy, busy)
    count(.late, ticks - busy)
  }

  private mutating func count(_ cause: DropCause, _ frames: Int) {
    if frames > 0 { drops[cause, default: 0] += frames }
  }
}

/// Maps a clock of a source's own, such as a camera's, to the session's: a frame cannot arrive before it was made, so the
/// smallest difference of the last seconds is the offset. A drift of 200 parts per million is 4 ms in twice the window.
struct SourceClock {
  static let windowMs = 10_000.0

  private var leastMs = Double.infinity
  private var leastBeforeMs = Double.infinity
  private var windowEndMs: Double?

  mutating func map(_ ownMs: Double, arrivedMs: Double) -> Double {
    let endMs = windowEndMs ?? arrivedMs + Self.windowMs
    windowEndMs = endMs
    if arrivedMs >= endMs {
      leastBeforeMs = leastMs
      leastMs = .infinity
      windowEndMs = arrivedMs + Self.windowMs
    }
    leastMs = min(leastMs, arrivedMs - ownMs)
    return ownMs + min(leastMs, leastBeforeMs)
  }
}
