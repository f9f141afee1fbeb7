// Owns recording from the sound server: one stream for each input, resampled there, each run of samples with the moment
// at which it was heard.

import CPulse
import RecorderCore

final class PulseSource: AudioSource {
  static let openLimitMs = 3_000.0

  private(set) var failures: [AudioInput: RecorderError] = [:]
  var inputs: [AudioInput] { streams.map(\.input) }

  private struct Stream {
    let input: AudioInput
    let stream: OpaquePointer
  }

  private let connection: PulseConnection
  private let sampleRate: Int
  private var streams: [Stream] = []

  /// - Throws: `sourceNotFound` or `timeout` when no input at all can be opened.
  init(_ request: AudioRequest) throws(RecorderError) {
    let deadlineMs = monotonicMs() + Self.openLimitMs
    sampleRate = request.sampleRate
    connection = try PulseConnection(deadlineMs: deadlineMs)
    let devices = try PulseDevices.list(connection, untilMs: deadlineMs)
    open(.systemAudio, deadlineMs) { () throws(RecorderError) in try Self.systemDevice(request.systemAudio, devices) }
    open(.microphone, deadlineMs) { () throws(RecorderError) in try Self.microphone(request.microphone, devices) }
    if streams.isEmpty {
      throw failures[.systemAudio] ?? failures[.microphone]
        ?? RecorderError(.sourceNotFound, "There is no sound input to record from.")
    }
  }

  func pump(
    untilMs: Double, _ take: (AudioInput, Double, UnsafeBufferPointer<Float>) -> Void
  ) throws(RecorderError) {
    connection.run(untilMs: untilMs) {
      drain(take)
      return !connection.isReady
    }
    drain(take)
    guard connection.isReady else { throw RecorderError(.sourceLost, "The sound server has gone away.") }
    for dead in streams where pa_stream_get_state(dead.stream) != PA_STREAM_READY {
      failures[dead.input] = RecorderError(.sourceLost, "The sound device has gone away.")
      pa_stream_unref(dead.stream)
    }
    streams.removeAll { failures[$0.input] != nil }
    if streams.isEmpty { throw RecorderError(.sourceLost, "The sound device has gone away.") }
  }

  func close() {
    for stream in streams {
      pa_stream_disconnect(stream.stream)
      pa_stream_unref(stream.stream)
    }
    streams = []
  }

  deinit {
    close()
  }

  private func drain(_ take: (AudioInput, Double, UnsafeBufferPointer<Float>) -> Void) {
    for stream in streams where pa_stream_get_state(stream.stream) == PA_STREAM_READY {
      while pa_stream_readable_size(stream.stream) > 0, pa_stream_readable_size(stream.stream) != Int.max {
        var data: UnsafeRawPointer?
        var bytes = 0
        let heardMs = nextSampleMs(stream.stream)
        guard pa_stream_peek(stream.stream, &data, &bytes) >= 0, bytes > 0 else { break }
        // A hole has a length and no data; its samples stay silent, the next run carries its own time.
        if let data {
          let samples = UnsafeRawBufferPointer(start: data, count: bytes).bindMemory(to: Float.self)
          take(stream.input, heardMs, samples)
        }
        pa_stream_drop(stream.stream)
      }
    }
  }

  /// When the next sample to be read was heard. A monitor gives sound before it is heard: its latency is negative.
  private func nextSampleMs(_ stream: OpaquePointer) -> Double {
    var latency: pa_usec_t = 0
    var isNegative: Int32 = 0
    let nowMs = monotonicMs()
    guard pa_stream_get_latency(stream, &latency, &isNegative) >= 0, latency < 10_000_000 else { return nowMs - 20 }
    return isNegative != 0 ? nowMs + Double(latency) / 1000 : nowMs - Double(latency) / 1000
  }

  private func open(
    _ input: AudioInput, _ deadlineMs: Double, _ find: () throws(RecorderError) -> (name: String, isFixed: Bool)?
  ) {
    do throws(RecorderError) {
      guard let device = try find() else { return }
      streams.append(Stream(input: input, stream: try connect(device.name, isFixed: device.isFixed, deadlineMs)))
    } catch {
      failures[input] = error
    }
  }

  private func connect(_ device: String, isFixed: Bool, _ deadlineMs: Double) throws(RecorderError) -> OpaquePointer {
    var spec = pa_sample_spec(format: PA_SAMPLE_FLOAT32LE, rate: UInt32(sampleRate), channels: 2)
    guard let stream = pa_stream_new(connection.context, "Session recording", &spec, nil) else {
      throw RecorderError(.internal, "A sound stream could not be made.")
    }
    let fragment = UInt32(sampleRate * 8 * 20 / 1000)
    var buffers = pa_buffer_attr(
      maxlength: .max, tlength: .max, prebuf: .max, minreq: .max, fragsize: fragment)
    var flags = PA_STREAM_ADJUST_LATENCY.rawValue | PA_STREAM_AUTO_TIMING_UPDATE.rawValue
    flags |= PA_STREAM_INTERPOLATE_TIMING.rawValue
    // A device that was chosen by name is not replaced behind the user's back.
    if isFixed { flags |= PA_STREAM_DONT_MOVE.rawValue }
    let asked = pa_stream_connect_record(stream, device, &buffers, pa_stream_flags_t(rawValue: flags))
    let isReady =
      asked >= 0
      && connection.run(untilMs: deadlineMs) {
        let state = pa_stream_get_state(stream)
        return state != PA_STREAM_CREATING && state != PA_STREAM_UNCONNECTED
      } && pa_stream_get_state(stream) == PA_STREAM_READY
    guard isReady else {
      pa_stream_disconnect(stream)
      pa_stream_unref(stream)
      throw RecorderError(.sourceNotFound, "The sound device “\(device)” cannot be recorded from.")
    }
    return stream
  }

  private static func systemDevice(
    _ choice: AudioChoice, _ devices: PulseDevices
  ) throws(RecorderError) -> (name: String, isFixed: Bool)? {
    switch choice {
    case .none: return nil
    case .byDefault:
      guard let monitor = devices.defaultMonitor else {
        throw RecorderError(.sourceNotFound, "The sound server has no output whose sound could be recorded.")
      }
      return (monitor.name, false)
    case .device(let id):
      guard devices.all.contains(where: { $0.name == id }) else { throw unknown(id, devices.monitors) }
      return (id, true)
    }
  }

  private static func microphone(
    _ choice: AudioChoice, _ devices: PulseDevices
  ) throws(RecorderError) -> (name: String, isFixed: Bool)? {
    switch choice {
    case .none: return nil
    case .byDefault:
      // A monitor as “default source” would record the computer's own sound as a voice.
      guard let microphone = devices.defaultMicrophone else {
        throw RecorderError(.sourceNotFound, "There is no microphone; connect one, or choose a device by name.")
      }
      return (microphone.name, false)
    case .device(let id):
      guard devices.all.contains(where: { $0.name == id }) else { throw unknown(id, devices.microphones) }
      return (id, true)
    }
  }

  private static func unknown(_ id: String, _ known: [PulseDevice]) -> RecorderError {
    let names = known.map(\.name).joined(separator: ", ")
    return RecorderError(.sourceNotFound, "There is no sound device “\(id)”; there is: \(names).")
  }
}
