// Owns putting pieces of sound on one time line: gaps become silence, overlaps are played once, offsets stay true to the
// sample.

/// A piece of sound, already in the rate and channels of the sequence. Used by one thread.
public protocol SoundReader: AnyObject {
  /// As its file says it; nil when it says nothing.
  var declaredFrames: Int? { get }
  /// Fills interleaved samples from the front; returns frames (samples of each channel), 0 at the end.
  func read(into samples: UnsafeMutableBufferPointer<Int16>) throws(RecorderError) -> Int
}

/// Pieces in order of their offsets. Where two overlap, the earlier one is heard to its end and the later one joins there.
public struct SoundSequence {
  public typealias Open = (_ piece: MediaPiece) throws(RecorderError) -> any SoundReader

  /// Frames written so far; equal to the place on the output's time line.
  public private(set) var position = 0

  private let rate: Double
  private let channels: Int
  private let fromFrame: Int
  private let endFrame: Int?
  private let open: Open
  private var waiting: ArraySlice<MediaPiece>
  private var reader: (any SoundReader)?
  private var readerBegins = 0
  private var skipping = 0

  /// - Parameter durationMs: with it the sequence is exactly that long; without it ends with its last piece.
  public init(
    _ pieces: [MediaPiece], sampleRate: Int, channels: Int, fromMs: Double = 0, durationMs: Double? = nil,
    open: @escaping Open
  ) {
    let rate = Double(sampleRate)
    self.rate = rate
    self.channels = channels
    self.open = open
    fromFrame = Self.frame(fromMs, rate)
    endFrame = durationMs.map { Self.frame(fromMs + $0, rate) - Self.frame(fromMs, rate) }
    waiting =
      pieces.enumerated()
      .sorted { ($0.element.offsetMs, $0.offset) < ($1.element.offsetMs, $1.offset) }.map(\.element)[...]
  }

  /// Fills `samples` (interleaved) as far as there is sound or silence to come; 0 frames is the end.
  public mutating func read(into samples: UnsafeMutableBufferPointer<Int16>) throws(RecorderError) -> Int {
    var wanted = samples.count / channels
    if let endFrame { wanted = min(wanted, endFrame - position) }
    var filled = 0
    while filled < wanted {
      let room = UnsafeMutableBufferPointer(rebasing: samples[filled * channels..<wanted * channels])
      let frames = try readSome(into: room)
      if frames == 0 { break }
      filled += frames
      position += frames
    }
    return filled
  }

  private mutating func readSome(into room: UnsafeMutableBufferPointer<Int16>) throws(RecorderError) -> Int {
    while true {
      guard let reader = try current() else {
        return endFrame == nil ? 0 : silence(into: room, frames: room.count / channels)
      }
      if readerBegins > position {
        return silence(into: room, frames: min(room.count / channels, readerBegins - position))
      }
      let frames = try reader.read(into: room)
      if frames == 0 {
        self.reader = nil
      } else if skipping >= frames {
        skipping -= frames
      } else if skipping > 0 {
        let kept = frames - skipping
        for index in 0..<kept * channels { room[index] = room[skipping * channels + index] }
        skipping = 0
        return kept
      } else {
        return frames
      }
    }
  }

  /// The piece that is heard now or next.
  private mutating func current() throws(RecorderError) -> (any SoundReader)? {
    while reader == nil, let piece = waiting.popFirst() {
      let begins = Self.frame(piece.offsetMs, rate) - fromFrame
      if let endFrame, begins >= endFrame { return nil }
      let next = try open(piece)
      // A piece that lies before what is wanted is not even read.
      if let frames = next.declaredFrames, begins + frames <= position { continue }
      reader = next
      readerBegins = begins
      skipping = max(0, position - begins)
    }
    return reader
  }

  private func silence(into room: UnsafeMutableBufferPointer<Int16>, frames: Int) -> Int {
    for index in 0..<frames * channels { room[index] = 0 }
    return frames
  }

  private static func frame(_ ms: Double, _ rate: Double) -> Int {
    Int((ms * rate / 1000).rounded())
  }
}
