// Owns where keyframes go: where they cost little, and never further apart than a seek can bear.

public struct KeyframePolicy: Sendable {
  /// Ten seconds is the longest way from a keyframe to any frame; a little less, because threads wake late.
  public static let mostMs = 9_950.0
  /// A keyframe where most of the picture changes costs hardly more than another frame, but not in a row of them.
  static let leastMs = 2_000.0
  /// Another file in an editor changes an eighth of the picture and more, a typed line a thousandth.
  static let largeShare = 0.12
  static let quietMs = 500.0
  /// A disk may take that long to sync the frame before.
  static let leastReserveMs = 500.0

  private var lastKeyframeMs: Double?
  private var lastLargeMs = -Double.infinity

  public init() {}

  /// Media time at which a keyframe has to come, changes or not.
  public var dueMs: Double { lastKeyframeMs.map { $0 + Self.mostMs } ?? 0 }

  /// Whether the frame at `ms` (media time), in which `share` (0…1) of the picture changed, is to be a keyframe.
  /// `reserveMs` is how long it may take until the next frame comes on a busy screen.
  public mutating func wantsKeyframe(atMs ms: Double, changedShare share: Double, reserveMs: Double) -> Bool {
    // Scrolling changes everything many times a second; motion finds the text again, a keyframe would not.
    let isLarge = share >= Self.largeShare
    let isLone = ms - lastLargeMs >= Self.quietMs
    if isLarge { lastLargeMs = ms }
    guard let last = lastKeyframeMs else {
      lastKeyframeMs = ms
      return true
    }
    let isDue = ms + max(reserveMs, Self.leastReserveMs) > dueMs
    guard isDue || (isLarge && isLone && ms - last >= Self.leastMs) else { return false }
    lastKeyframeMs = ms
    return true
  }
}
