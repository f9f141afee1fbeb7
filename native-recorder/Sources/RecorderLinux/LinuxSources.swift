// Owns the list of what can be recorded on this machine, and whether it may be.

import Glibc
import RecorderCore

public struct RecordingSources: Encodable, Sendable {
  public struct Display: Encodable, Sendable {
    let id: String
    let name: String
    let width: Int
    let height: Int
    let scale: Double
    let primary: Bool
  }

  public struct Window: Encodable, Sendable {
    let id: String
    let title: String
    let app: String
    let pid: Int
    let width: Int
    let height: Int
  }

  public struct Camera: Encodable, Sendable {
    let id: String
    let name: String
  }

  public struct Device: Encodable, Sendable {
    let id: String
    let name: String
    let `default`: Bool
  }

  var displays: [Display] = []
  var windows: [Window] = []
  var cameras: [Camera] = []
  var microphones: [Device] = []
  var systemAudio: [Device] = []
}

public enum LinuxSources {
  /// Never fails: what cannot be reached has an empty list. Takes up to four seconds when both servers hang.
  public static func list() -> RecordingSources {
    var sources = RecordingSources()
    sources.cameras = Cameras.list(LinuxVideoSystem()).map { camera in
      RecordingSources.Camera(id: camera.id, name: camera.name)
    }
    if let shown = try? X11Inquiry.ask({ link in (monitors: X11Monitors.list(link), windows: X11Windows.list(link)) }) {
      sources.displays = shown.monitors.map { monitor in
        RecordingSources.Display(
          id: monitor.id, name: monitor.id, width: monitor.rect.width, height: monitor.rect.height, scale: 1,
          primary: monitor.isPrimary)
      }
      sources.windows = shown.windows.map { window in
        RecordingSources.Window(
          id: X11Windows.text(window.id), title: window.title, app: window.app, pid: window.pid,
          width: window.size.width, height: window.size.height)
      }
    }
    let deadlineMs = monotonicMs() + 2_000
    if let connection = try? PulseConnection(deadlineMs: deadlineMs),
      let devices = try? PulseDevices.list(connection, untilMs: deadlineMs)
    {
      sources.microphones = devices.microphones.map { device in
        RecordingSources.Device(
          id: device.name, name: device.description, default: device.name == devices.defaultSource)
      }
      sources.systemAudio = devices.monitors.map { device in
        RecordingSources.Device(
          id: device.name, name: device.description, default: device.monitorOfSink == devices.defaultSink)
      }
    }
    return sources
  }

  /// Linux asks nobody: a display that opens may be recorded. Nil, or why the screen cannot be.
  public static func screenDenial() -> String? {
    do throws(RecorderError) {
      try X11Inquiry.ask { _ in }
      return nil
    } catch {
      return error.message
    }
  }
}
