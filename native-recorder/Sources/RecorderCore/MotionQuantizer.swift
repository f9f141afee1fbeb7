// Owns how much coarser frames are coded while the picture keeps moving: nobody reads what moves, and a film at the
// quality of text would fill the disk. When it stops, the encoder codes again what it had coded coarsely.

public struct MotionQuantizer: Sendable {
  /// In quantiser steps: six halve the detail.
  public static let mostSteps = 8
  /// How long the picture has to move until it counts, in milliseconds: a scroll of a few steps stays sharp.
  static let settleMs = 500.0
  static let restingShare = 0.15
  static let movingShare = 0.65
  /// The length of a frame of 15 a second; the measure of what `share` counts for.
  static let frameMs = 1000.0 / 15

  /// Average share of the picture that changes in a frame, 0…1, over about `settleMs`.
  private var average = 0.0
  private var lastMs: Double?

  public init() {}

  /// Whether most of the picture keeps moving.
  public var isBusy: Bool { average > Self.movingShare }

  /// Steps to add for a frame at media time `atMs` in which `share` (0…1) of the picture changed.
  public mutating func extraSteps(share: Double, atMs: Double) -> Int {
    let passedMs = lastMs.map { max(0, atMs - $0) } ?? .infinity
    lastMs = atMs
    // Close to an exponential decay, which would need the platform's mathematics.
    let keep = 1 / (1 + passedMs / (2 * Self.settleMs))
    average = min(1, average * keep * keep + share * Self.frameMs / Self.settleMs)
    let level = (average - Self.restingShare) / (Self.movingShare - Self.restingShare)
    return Int((Double(Self.mostSteps) * min(1, max(0, level))).rounded())
  }
}
