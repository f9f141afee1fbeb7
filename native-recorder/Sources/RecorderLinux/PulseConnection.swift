// Owns a connection to the sound server, driven by the thread that made it: no callbacks from threads of PulseAudio's.

import CPulse
import RecorderCore

final class PulseConnection {
  let context: OpaquePointer
  /// Whether devices came, went, or others became the default since this was last set to false; after `subscribe`.
  var devicesChanged = false
  /// Monotonic moment of the last answer to `ping`.
  private(set) var answeredAtMs = 0.0
  private let mainloop: OpaquePointer
  private var pinging: OpaquePointer?

  /// - Throws: `sourceNotFound` when no sound server answers, `timeout` when it hangs.
  init(deadlineMs: Double) throws(RecorderError) {
    guard let mainloop = pa_mainloop_new() else { throw RecorderError(.internal, "PulseAudio's main loop failed.") }
    guard let context = pa_context_new(pa_mainloop_get_api(mainloop), "Work Sessions") else {
      pa_mainloop_free(mainloop)
      throw RecorderError(.internal, "PulseAudio's context failed.")
    }
    self.mainloop = mainloop
    self.context = context
    let missing = RecorderError(
      .sourceNotFound, "No sound server answers; start PulseAudio or PipeWire to record sound.")
    // Recording must not start a sound server of its own.
    guard pa_context_connect(context, nil, PA_CONTEXT_NOAUTOSPAWN, nil) >= 0 else { throw missing }
    let ended = run(untilMs: deadlineMs) { [context] in
      let state = pa_context_get_state(context)
      return state == PA_CONTEXT_READY || state == PA_CONTEXT_FAILED || state == PA_CONTEXT_TERMINATED
    }
    guard ended else { throw RecorderError(.timeout, "The sound server does not answer.") }
    guard isReady else { throw missing }
    answeredAtMs = monotonicMs()
  }

  deinit {
    cancel(&pinging)
    pa_context_set_subscribe_callback(context, nil, nil)
    pa_context_disconnect(context)
    pa_context_unref(context)
    pa_mainloop_free(mainloop)
  }

  var isReady: Bool { pa_context_get_state(context) == PA_CONTEXT_READY }

  /// Lets `devicesChanged` tell of changes from now on.
  func subscribe() {
    let data = Unmanaged.passUnretained(self).toOpaque()
    pa_context_set_subscribe_callback(
      context,
      { _, event, _, data in
        let kind = event.rawValue & PA_SUBSCRIPTION_EVENT_TYPE_MASK.rawValue
        let about = event.rawValue & PA_SUBSCRIPTION_EVENT_FACILITY_MASK.rawValue
        // Sinks and sources also tell of every turn of a volume; a change of the server is another default device.
        guard let data, kind != PA_SUBSCRIPTION_EVENT_CHANGE.rawValue || about == PA_SUBSCRIPTION_EVENT_SERVER.rawValue
        else { return }
        Unmanaged<PulseConnection>.fromOpaque(data).takeUnretainedValue().devicesChanged = true
      }, data)
    let mask =
      PA_SUBSCRIPTION_MASK_SINK.rawValue | PA_SUBSCRIPTION_MASK_SOURCE.rawValue | PA_SUBSCRIPTION_MASK_SERVER.rawValue
    if let operation = pa_context_subscribe(context, pa_subscription_mask_t(rawValue: mask), nil, nil) {
      pa_operation_unref(operation)
    }
  }

  /// Asks the server for a sign of life; `answeredAtMs` tells when it came. Asks nothing while it still owes one.
  func ping() {
    if let pinging, pa_operation_get_state(pinging) == PA_OPERATION_RUNNING { return }
    cancel(&pinging)
    pinging = pa_context_stat(
      context,
      { _, _, data in
        guard let data else { return }
        Unmanaged<PulseConnection>.fromOpaque(data).takeUnretainedValue().answeredAtMs = monotonicMs()
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  /// Handles what comes until `done` or the deadline. Returns whether `done` was reached.
  @discardableResult func run(untilMs: Double, _ done: () -> Bool) -> Bool {
    while !done() {
      let leftMs = untilMs - monotonicMs()
      guard leftMs > 0 else { return false }
      guard pa_mainloop_prepare(mainloop, Int32(min(leftMs * 1000, 1_000_000).rounded(.up))) >= 0,
        pa_mainloop_poll(mainloop) >= 0, pa_mainloop_dispatch(mainloop) >= 0
      else { return done() }
    }
    return true
  }

  /// Starts an operation and waits for it. Returns whether it was done.
  @discardableResult func await(untilMs: Double, _ operation: OpaquePointer?) -> Bool {
    guard let operation else { return false }
    defer { pa_operation_unref(operation) }
    let ended = run(untilMs: untilMs) { pa_operation_get_state(operation) != PA_OPERATION_RUNNING || !isReady }
    if !ended { pa_operation_cancel(operation) }
    return ended && pa_operation_get_state(operation) == PA_OPERATION_DONE
  }
}

/// Ends an operation whose answer nobody waits for any more.
func cancel(_ operation: inout OpaquePointer?) {
  guard let running = operation else { return }
  pa_operation_cancel(running)
  pa_operation_unref(running)
  operation = nil
}

/// A place that sound can be recorded from.
struct PulseDevice {
  let name: String
  let description: String
  let monitorOfSink: String?
}

/// What the server has.
struct PulseDevices {
  var all: [PulseDevice] = []
  var defaultSink: String?
  var defaultSource: String?

  var microphones: [PulseDevice] { all.filter { $0.monitorOfSink == nil } }
  var monitors: [PulseDevice] { all.filter { $0.monitorOfSink != nil } }
  var defaultMicrophone: PulseDevice? { microphones.first { $0.name == defaultSource } }
  var defaultMonitor: PulseDevice? { monitors.first { $0.monitorOfSink == defaultSink } }

  static func list(_ connection: PulseConnection, untilMs: Double) throws(RecorderError) -> PulseDevices {
    final class Box { var found = PulseDevices() }
    let box = Box()
    let data = Unmanaged.passUnretained(box).toOpaque()
    let serverDone = connection.await(
      untilMs: untilMs,
      pa_context_get_server_info(
        connection.context,
        { _, info, data in
          guard let info, let data else { return }
          let box = Unmanaged<Box>.fromOpaque(data).takeUnretainedValue()
          box.found.defaultSink = info.pointee.default_sink_name.map { String(cString: $0) }
          box.found.defaultSource = info.pointee.default_source_name.map { String(cString: $0) }
        }, data))
    let sourcesDone = connection.await(
      untilMs: untilMs,
      pa_context_get_source_info_list(
        connection.context,
        { _, info, _, data in
          guard let info, let data, let name = info.pointee.name else { return }
          let box = Unmanaged<Box>.fromOpaque(data).takeUnretainedValue()
          let isMonitor = info.pointee.monitor_of_sink != UInt32.max
          box.found.all.append(
            PulseDevice(
              name: String(cString: name),
              description: info.pointee.description.map { String(cString: $0) } ?? String(cString: name),
              monitorOfSink: isMonitor ? info.pointee.monitor_of_sink_name.map { String(cString: $0) } ?? "" : nil))
        }, data))
    guard serverDone, sourcesDone else { throw RecorderError(.timeout, "The sound server does not answer.") }
    return box.found
  }
}
