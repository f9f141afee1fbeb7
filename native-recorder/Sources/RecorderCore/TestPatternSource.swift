// Owns the source of type `testPattern`: the test picture at a frame rate of its own, for tests and for trying layouts.

final class TestPatternSource: RecordingSource {
  let id: String
  let pictureSize: PictureSize
  let interrupt: @Sendable () -> Void = {}

  private let pattern: TestPattern
  private let picture: BgraPicture
  private let clock: SessionClock
  private let waker: any Signal
  private let openedMs: Double
  private let fps: Double
  private var captured: Int?
  private var hasTold = false
  private var sequence: UInt64 = 0

  /// `targetId` is "WIDTHxHEIGHT" (1280x720 when left out), with "@FPS" where it is not the recording's frame rate.
  /// - Throws: `sourceNotFound` for a target that is none.
  init(_ request: SourceRequest, clock: SessionClock, waker: any Signal) throws(RecorderError) {
    let target = try Self.parse(request.targetId ?? "1280x720")
    id = request.sourceId
    pictureSize = target.size
    fps = target.fps ?? request.fps
    self.clock = clock
    self.waker = waker
    pattern = TestPattern(size: pictureSize)
    picture = BgraPicture(size: pictureSize)
    pattern.paintGround(on: picture)
    openedMs = clock.nowMs
  }

  func wait(untilMs: Double) throws(RecorderError) -> SourceActivity {
    let dueMs = captured.map { openedMs + Double($0 + 1) * 1000 / fps } ?? openedMs
    // Once the change is told, what is waited for is to be asked.
    waker.wait(untilMs: hasTold ? untilMs : min(untilMs, dueMs))
    guard !hasTold, clock.nowMs >= dueMs else { return .nothing }
    hasTold = true
    return .changed
  }

  func capture() throws(RecorderError) -> SourcedFrame {
    let nowMs = clock.nowMs
    let number = max(captured ?? 0, Int((nowMs - openedMs) * fps / 1000))
    let damage = pattern.paint(number, atMs: clock.offsetMs(atMs: nowMs), over: captured, on: picture)
    let isFirst = captured == nil
    captured = number
    hasTold = false
    sequence += 1
    return SourcedFrame(
      picture: picture, sourceId: id, presentationMs: nowMs, sequence: sequence,
      damage: isFirst ? [PixelRect(pictureSize)] : damage)
  }

  func close() {}

  private static func parse(_ target: String) throws(RecorderError) -> (size: PictureSize, fps: Double?) {
    let parts = target.split(separator: "@", omittingEmptySubsequences: false)
    let sides = parts[0].split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    let fps = parts.count == 2 ? Double(parts[1]) : nil
    guard parts.count <= 2, sides.count == 2, let width = sides[0], let height = sides[1],
      (64...7680).contains(width), (64...4320).contains(height),
      parts.count == 1 || (fps.map { (0.1...60) ~= $0 } ?? false)
    else {
      throw RecorderError(
        .sourceNotFound,
        "A test pattern's targetId is like “1280x720” or “1280x720@15”: 64 to 7680 wide, 64 to 4320 high.")
    }
    return (PictureSize(width: width, height: height), fps)
  }
}
