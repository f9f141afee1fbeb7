// Owns one stream from a sound device, and when its samples were heard.

import CPulse
import RecorderCore

/// Times come from the server's own reports, not from libpulse's interpolation of them: in the first seconds of an idle
/// sink that was measured to be 700 ms off, while each single report is exact to a fraction of a millisecond.
final class PulseStream {
  /// Runs of so long; the server also chooses its buffers by it.
  static let fragmentMs = 20
  /// How often the server is asked for its times. A device's clock drifts by less than 0.1 ms in between.
  static let timingMs = 200.0

  let device: String
  private let stream: OpaquePointer
  private let bytesPerMs: Double
  /// Bytes read so far.
  private var readBytes = 0
  /// Monotonic moment at which the stream's first sample was heard; nil until the server has told its times.
  private var originMs: Double?
  private var askedAtMs = 0.0
  private var asking: OpaquePointer?

  /// - Throws: `sourceNotFound` when the device cannot be recorded from, or not before the deadline.
  init(
    _ device: String, on connection: PulseConnection, sampleRate: Int, deadlineMs: Double
  ) throws(RecorderError) {
    self.device = device
    bytesPerMs = Double(sampleRate * 8) / 1000
    var spec = pa_sample_spec(format: PA_SAMPLE_FLOAT32LE, rate: UInt32(sampleRate), channels: 2)
    guard let stream = pa_stream_new(connection.context, "Session recording", &spec, nil) else {
      throw RecorderError(.internal, "A sound stream could not be made.")
    }
    self.stream = stream
    let fragment = UInt32(sampleRate * 8 * Self.fragmentMs / 1000)
    var buffers = pa_buffer_attr(maxlength: .max, tlength: .max, prebuf: .max, minreq: .max, fragsize: fragment)
    // The server must not move the stream to another device by itself: it would take a monitor for a microphone.
    let flags = PA_STREAM_ADJUST_LATENCY.rawValue | PA_STREAM_DONT_MOVE.rawValue
    let asked = pa_stream_connect_record(stream, device, &buffers, pa_stream_flags_t(rawValue: flags))
    let hasAnswered =
      asked >= 0
      && connection.run(untilMs: deadlineMs) {
        let state = pa_stream_get_state(stream)
        return state != PA_STREAM_CREATING && state != PA_STREAM_UNCONNECTED
      }
    guard hasAnswered, isReady else {
      throw RecorderError(.sourceNotFound, "The sound device “\(device)” cannot be recorded from.")
    }
    askForTimes()
  }

  deinit {
    cancel(&asking)
    pa_stream_disconnect(stream)
    pa_stream_unref(stream)
  }

  /// False when its device has gone.
  var isReady: Bool { pa_stream_get_state(stream) == PA_STREAM_READY }

  /// Hands over what has come: the moment at which its first sample was heard, and interleaved stereo.
  func drain(_ take: (Double, UnsafeBufferPointer<Float>) -> Void) {
    guard isReady else { return }
    askForTimes()
    // Sound without a time waits for it; the server answers within milliseconds.
    guard let originMs else {
      if pa_stream_readable_size(stream) > 0 { askForTimes(atOnce: true) }
      return
    }
    while true {
      var data: UnsafeRawPointer?
      var bytes = 0
      guard pa_stream_peek(stream, &data, &bytes) >= 0, bytes > 0 else { return }
      // A hole has a length and no data; its samples stay silent, the next run carries its own time.
      if let data {
        let samples = UnsafeRawBufferPointer(start: data, count: bytes).bindMemory(to: Float.self)
        take(originMs + Double(readBytes) / bytesPerMs, samples)
      }
      readBytes += bytes
      pa_stream_drop(stream)
    }
  }

  private func askForTimes(atOnce: Bool = false) {
    let nowMs = monotonicMs()
    guard atOnce || nowMs - askedAtMs >= Self.timingMs else { return }
    if let asking, pa_operation_get_state(asking) == PA_OPERATION_RUNNING { return }
    cancel(&asking)
    askedAtMs = nowMs
    asking = pa_stream_update_timing_info(
      stream,
      { _, success, data in
        guard success != 0, let data else { return }
        Unmanaged<PulseStream>.fromOpaque(data).takeUnretainedValue().noteTimes()
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  /// A sample that is written to the stream at the moment of the report was heard `source_usec` before (a microphone's
  /// way through its buffers), or will be heard after `sink_usec` (a monitor gives sound before the loudspeaker does).
  private func noteTimes() {
    // What is told before there is any sound was measured to be a fragment off.
    guard let times = pa_stream_get_timing_info(stream)?.pointee, times.read_index_corrupt == 0, times.write_index > 0
    else { return }
    // The report is stamped with the wall clock; only the milliseconds since then are taken from it.
    var wall = timeval()
    pa_gettimeofday(&wall)
    let ageMs =
      Double(wall.tv_sec - times.timestamp.tv_sec) * 1000 + Double(wall.tv_usec - times.timestamp.tv_usec) / 1000
    guard (0..<1000).contains(ageMs) else { return }
    let waitingMs = Double(times.write_index - times.read_index) / bytesPerMs
    let latencyMs = waitingMs + (Double(times.source_usec) - Double(times.sink_usec)) / 1000
    originMs = monotonicMs() - ageMs - latencyMs - Double(readBytes) / bytesPerMs
  }
}
