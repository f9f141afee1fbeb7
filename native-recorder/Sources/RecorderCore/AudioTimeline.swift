// Owns one sound input's place in media time: samples go where they were heard, gaps are silence, and a clock that runs
// a little fast or slow is followed without a click.

/// Interleaved stereo floats, placed by frame (sample pair) of media time.
struct AudioTimeline {
  /// Beyond this a difference is a break in the sound, not jitter.
  static let breakMs = 120.0
  /// So many runs in a row beyond this are a break too: single late reports of the sound server are not.
  static let offMs = 30.0
  static let offRuns = 5
  /// Beyond this the smoothed difference is drift, and a few frames are added or left out.
  static let driftMs = 8.0

  let sampleRate: Int
  /// The frame that the first buffered sample belongs to.
  private(set) var baseFrame = 0
  private var samples: [Float] = []
  /// Where the next sample belongs if the sound goes on without a break.
  private var expectedFrame: Int?
  private var smoothedError = 0.0
  private var runsOff = 0

  init(sampleRate: Int) {
    self.sampleRate = sampleRate
  }

  /// Places a run of samples whose first was heard at media time `offsetMs`.
  mutating func place(_ run: UnsafeBufferPointer<Float>, offsetMs: Double) {
    let frames = run.count / 2
    guard frames > 0 else { return }
    let measured = offsetMs * Double(sampleRate) / 1000
    var start = Int(measured.rounded())
    if let expected = expectedFrame {
      let error = measured - Double(expected)
      let errorMs = abs(error) * 1000 / Double(sampleRate)
      runsOff = errorMs > Self.offMs ? runsOff + 1 : 0
      if errorMs < Self.breakMs, runsOff < Self.offRuns {
        smoothedError += (error - smoothedError) * 0.03
        start = expected
        let drift = Self.driftMs * Double(sampleRate) / 1000
        if abs(smoothedError) > drift, frames > 200 {
          let step = max(1, frames / 200)
          let stretched = Self.stretch(run, to: smoothedError > 0 ? frames + step : frames - step)
          smoothedError -= Double(smoothedError > 0 ? step : -step)
          stretched.withUnsafeBufferPointer { put($0, at: start) }
          expectedFrame = start + stretched.count / 2
          return
        }
      } else {
        smoothedError = 0
        runsOff = 0
      }
    }
    put(run, at: start)
    expectedFrame = start + frames
  }

  /// The sound stops here; the next run is placed by its own time.
  mutating func breakOff() {
    expectedFrame = nil
    smoothedError = 0
    runsOff = 0
  }

  /// Takes `count` frames from the front; what never came is silence.
  mutating func take(frames count: Int) -> [Float] {
    let wanted = count * 2
    var out: [Float]
    if samples.count >= wanted {
      out = Array(samples[0..<wanted])
      samples.removeFirst(wanted)
    } else {
      out = samples
      out.append(contentsOf: repeatElement(0, count: wanted - samples.count))
      samples.removeAll(keepingCapacity: true)
    }
    baseFrame += count
    return out
  }

  private mutating func put(_ run: UnsafeBufferPointer<Float>, at frame: Int) {
    // What comes too late for the file is left out.
    let skip = max(0, baseFrame - frame)
    guard skip * 2 < run.count else { return }
    let position = (frame + skip - baseFrame) * 2
    // An hour's worth would be a broken clock, not sound.
    guard position < sampleRate * 2 * 60 else { return }
    if samples.count < position {
      samples.append(contentsOf: repeatElement(0, count: position - samples.count))
    }
    let fresh = UnsafeBufferPointer(rebasing: run[(skip * 2)...])
    let overlap = min(samples.count - position, fresh.count)
    for index in 0..<max(0, overlap) { samples[position + index] = fresh[index] }
    if fresh.count > overlap { samples.append(contentsOf: fresh[max(0, overlap)...]) }
  }

  /// Linear interpolation to another number of frames; half a percent is not heard.
  private static func stretch(_ run: UnsafeBufferPointer<Float>, to frames: Int) -> [Float] {
    let have = run.count / 2
    var out: [Float] = []
    out.reserveCapacity(frames * 2)
    let scale = Double(have - 1) / Double(max(1, frames - 1))
    for frame in 0..<frames {
      let at = Double(frame) * scale
      let left = min(Int(at), have - 1)
      let right = min(left + 1, have - 1)
      let part = Float(at - Double(left))
      for channel in 0..<2 {
        out.append(run[left * 2 + channel] * (1 - part) + run[right * 2 + channel] * part)
      }
    }
    return out
  }
}
