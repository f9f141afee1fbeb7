// Owns a sound server that does what a test says: deliveries are queued by the test and handed over by the sound thread.

import Locks

@testable import RecorderCore

final class FakeSoundServer: AudioSource, Sendable {
  enum Step: Sendable {
    case opened(AudioInput)
    case lost(AudioInput, RecorderError)
    /// `ms` milliseconds of one value, heard from `atMs` on.
    case sound(AudioInput, Float, atMs: Double, ms: Double)
    /// The server goes away; it can be reached again at once.
    case dies
  }

  static let sampleRate = 8000
  private let steps = Mutex<[Step]>([])
  private let answered = Mutex<Double?>(nil)
  private let signal = TestSignal()

  func tell(_ step: Step) {
    steps.withLock { $0.append(step) }
    signal.raise()
  }

  /// From now on the last sign of life is that old; nil is a healthy server.
  func hang(forMs: Double?) {
    answered.withLock { $0 = forMs.map { wallMs() - $0 } }
  }

  var answeredAtMs: Double { answered.withLock { $0 } ?? wallMs() }

  func pump(untilMs: Double, _ deliver: (AudioDelivery) -> Void) throws(RecorderError) {
    _ = signal.wait(untilMs: untilMs)
    let todo = steps.withLock { steps in
      defer { steps = [] }
      return steps
    }
    for step in todo {
      switch step {
      case .opened(let input): deliver(.opened(input))
      case .lost(let input, let error): deliver(.lost(input, error))
      case .sound(let input, let value, let atMs, let ms):
        let frames = Int(ms * Double(Self.sampleRate) / 1000)
        [Float](repeating: value, count: frames * 2).withUnsafeBufferPointer {
          deliver(.samples(input, atMs: atMs, $0))
        }
      case .dies: throw RecorderError(.sourceLost, "gone")
      }
    }
  }

  func close() {}
}
