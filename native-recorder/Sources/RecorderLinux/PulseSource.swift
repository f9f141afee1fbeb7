// Owns recording from the sound server: one stream for each input that was asked for, opened and reopened as devices
// come, go and become the default.

import CPulse
import RecorderCore

final class PulseSource: AudioSource {
  static let openLimitMs = 3_000.0
  /// While recording: what is read meanwhile waits in the server.
  static let refreshLimitMs = 1_000.0
  static let pingMs = 500.0
  /// A device that is there and cannot be opened (another program has it for itself) is tried again after this.
  static let retryMs = 2_000.0

  private let connection: PulseConnection
  private let sampleRate: Int
  private let choices: [(input: AudioInput, choice: AudioChoice)]
  private var streams: [AudioInput: PulseStream] = [:]
  private var news: [AudioDelivery] = []
  private var pingedAtMs = 0.0
  private var retryAtMs = Double.infinity

  /// - Throws: `sourceNotFound` or `timeout` when there is no sound server.
  init(_ request: AudioRequest) throws(RecorderError) {
    let deadlineMs = monotonicMs() + Self.openLimitMs
    sampleRate = request.sampleRate
    choices = [(.systemAudio, request.systemAudio), (.microphone, request.microphone)]
    connection = try PulseConnection(deadlineMs: deadlineMs)
    connection.subscribe()
    refresh(try PulseDevices.list(connection, untilMs: deadlineMs), deadlineMs)
  }

  var answeredAtMs: Double { connection.answeredAtMs }

  func pump(untilMs: Double, _ deliver: (AudioDelivery) -> Void) throws(RecorderError) {
    tellNews(deliver)
    let nowMs = monotonicMs()
    if nowMs - pingedAtMs >= Self.pingMs {
      pingedAtMs = nowMs
      connection.ping()
    }
    connection.run(untilMs: untilMs) {
      drain(deliver)
      return !connection.isReady || connection.devicesChanged || hasDeadStream
    }
    drain(deliver)
    guard connection.isReady else { throw RecorderError(.sourceLost, "The sound server has gone away.") }
    if connection.devicesChanged || hasDeadStream || monotonicMs() >= retryAtMs {
      connection.devicesChanged = false
      retryAtMs = .infinity
      let deadlineMs = monotonicMs() + Self.refreshLimitMs
      do throws(RecorderError) {
        refresh(try PulseDevices.list(connection, untilMs: deadlineMs), deadlineMs)
      } catch {
        // The server is busy or hangs; the question is not forgotten.
        retryAtMs = monotonicMs() + Self.retryMs
      }
      tellNews(deliver)
    }
  }

  func close() {
    streams = [:]
  }

  private var hasDeadStream: Bool { streams.values.contains { !$0.isReady } }

  private func drain(_ deliver: (AudioDelivery) -> Void) {
    for (input, stream) in streams {
      stream.drain { atMs, samples in deliver(.samples(input, atMs: atMs, samples)) }
    }
  }

  private func tellNews(_ deliver: (AudioDelivery) -> Void) {
    for delivery in news { deliver(delivery) }
    news = []
  }

  /// Lets every input record from the device that it should record from now.
  private func refresh(_ devices: PulseDevices, _ deadlineMs: Double) {
    for (input, choice) in choices where choice != .none {
      let before = streams[input]
      let device: String
      do throws(RecorderError) {
        device = try devices.device(for: input, choice)
      } catch {
        // Its coming will be told; nobody has to look for it.
        streams[input] = nil
        let gone = before.map { RecorderError(.sourceLost, "“\($0.device)” has gone away. \(error.message)") }
        news.append(.lost(input, gone ?? error))
        continue
      }
      if let before, before.device == device, before.isReady { continue }
      streams[input] = nil
      do throws(RecorderError) {
        streams[input] = try PulseStream(device, on: connection, sampleRate: sampleRate, deadlineMs: deadlineMs)
        news.append(.opened(input))
      } catch {
        news.append(.lost(input, error))
        retryAtMs = monotonicMs() + Self.retryMs
      }
    }
  }
}

extension PulseDevices {
  /// The name of the device that an input records from.
  /// - Throws: `sourceNotFound` when there is none.
  fileprivate func device(for input: AudioInput, _ choice: AudioChoice) throws(RecorderError) -> String {
    if case .device(let id) = choice {
      guard all.contains(where: { $0.name == id }) else {
        let known = (input == .microphone ? microphones : monitors).map(\.name).joined(separator: ", ")
        throw RecorderError(.sourceNotFound, "There is no sound device “\(id)”; there is: \(known).")
      }
      return id
    }
    switch input {
    case .systemAudio:
      guard let defaultMonitor else {
        throw RecorderError(.sourceNotFound, "The sound server has no output whose sound could be recorded.")
      }
      return defaultMonitor.name
    case .microphone:
      // A monitor as “default source” would record the computer's own sound as a voice.
      guard let defaultMicrophone else {
        throw RecorderError(.sourceNotFound, "There is no microphone; connect one, or choose a device by name.")
      }
      return defaultMicrophone.name
    }
  }
}
