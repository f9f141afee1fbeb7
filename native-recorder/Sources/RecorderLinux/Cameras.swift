// Owns which cameras there are and what they can do (Video4Linux 2, capture devices that stream from mapped buffers).

import CLinux
import Glibc
import RecorderCore

struct Camera: Equatable {
  /// Stays the same when the camera is plugged in again, where the system keeps such a name.
  let id: String
  let name: String
  let node: String
}

/// A way in which a camera can send pictures.
struct CameraMode: Equatable {
  let fourcc: UInt32
  let size: PictureSize
  /// Pictures a second at most; 0 when the camera does not say.
  let fps: Double
}

enum Cameras {
  static func list(_ system: any VideoSystem) -> [Camera] {
    system.nodes().compactMap { node in
      let file = system.open(node.path)
      guard file >= 0 else { return nil }
      defer { system.close(file) }
      guard let capability = capability(system, file) else { return nil }
      let bus = text(capability.bus_info)
      return Camera(id: node.stableId ?? (bus.isEmpty ? node.path : bus), name: text(capability.card), node: node.path)
    }
  }

  /// By id, or by device file; nil means the first one.
  static func find(_ target: String?, _ system: any VideoSystem) throws(RecorderError) -> Camera {
    let all = list(system)
    let wanted = target.flatMap { $0.isEmpty || $0 == "default" ? nil : $0 }
    if let found = all.first(where: { wanted == nil || $0.id == wanted || $0.node == wanted }) { return found }
    // One that is there and does not open says why.
    for node in system.nodes() where wanted == nil || node.path == wanted || node.stableId == wanted {
      let file = system.open(node.path)
      if file < 0 { throw CameraStream.failure(-file, Camera(id: node.path, name: node.path, node: node.path)) }
      system.close(file)
    }
    guard let target = wanted else { throw RecorderError(.sourceNotFound, "There is no camera.") }
    let known = all.isEmpty ? "none" : all.map(\.id).joined(separator: ", ")
    throw RecorderError(.sourceNotFound, "There is no camera “\(target)”; there is: \(known).")
  }

  /// Nil for what is no capture device: metadata nodes, outputs, encoders.
  static func capability(_ system: any VideoSystem, _ file: Int32) -> v4l2_capability? {
    var capability = v4l2_capability()
    guard system.control(file, WS_VIDIOC_QUERYCAP, &capability) == 0 else { return nil }
    // device_caps speak of this node, capabilities of the whole device.
    let hasOwn = capability.capabilities & UInt32(bitPattern: Int32(truncatingIfNeeded: V4L2_CAP_DEVICE_CAPS)) != 0
    let flags = hasOwn ? capability.device_caps : capability.capabilities
    let wanted = UInt32(V4L2_CAP_VIDEO_CAPTURE) | UInt32(V4L2_CAP_STREAMING)
    return flags & wanted == wanted ? capability : nil
  }

  /// What this camera can send that can be read here.
  static func modes(_ system: any VideoSystem, _ file: Int32) -> [CameraMode] {
    var modes: [CameraMode] = []
    for index in 0..<64 as Range<UInt32> {
      var format = v4l2_fmtdesc()
      format.index = index
      format.type = WS_V4L2_CAPTURE
      guard system.control(file, WS_VIDIOC_ENUM_FMT, &format) == 0 else { break }
      guard CameraPixels.known.contains(format.pixelformat) else { continue }
      for size in sizes(system, file, format.pixelformat) {
        modes.append(
          CameraMode(fourcc: format.pixelformat, size: size, fps: fastest(system, file, format.pixelformat, size)))
      }
    }
    return modes
  }

  /// Near 1280x720; then fast enough; then without compression, which costs a decoder.
  static func best(_ modes: [CameraMode], fps: Double) -> CameraMode? {
    func rank(_ mode: CameraMode) -> (Int, Double, Int) {
      let isSlow = mode.fps > 0 ? max(0, min(fps, 30) - mode.fps) : 0
      return (abs(mode.size.area - wantedSize.area), isSlow, CameraPixels.known.firstIndex(of: mode.fourcc) ?? 99)
    }
    return modes.min { rank($0) < rank($1) }
  }

  static let wantedSize = PictureSize(width: 1280, height: 720)

  static func text<T>(_ field: T) -> String {
    withUnsafeBytes(of: field) { raw in String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self) }
  }

  private static func sizes(_ system: any VideoSystem, _ file: Int32, _ fourcc: UInt32) -> [PictureSize] {
    var sizes: [PictureSize] = []
    for index in 0..<256 as Range<UInt32> {
      var entry = v4l2_frmsizeenum()
      entry.index = index
      entry.pixel_format = fourcc
      guard system.control(file, WS_VIDIOC_ENUM_FRAMESIZES, &entry) == 0 else { break }
      if entry.type == V4L2_FRMSIZE_TYPE_DISCRETE.rawValue {
        sizes.append(PictureSize(width: Int(entry.discrete.width), height: Int(entry.discrete.height)))
      } else {
        let steps = entry.stepwise
        sizes.append(
          PictureSize(
            width: step(wantedSize.width, Int(steps.min_width), Int(steps.max_width), Int(steps.step_width)),
            height: step(wantedSize.height, Int(steps.min_height), Int(steps.max_height), Int(steps.step_height))))
        break
      }
    }
    // Old drivers do not list sizes; they take the nearest to what is set.
    return sizes.isEmpty ? [wantedSize] : sizes
  }

  private static func step(_ wanted: Int, _ least: Int, _ most: Int, _ step: Int) -> Int {
    let inside = max(least, min(wanted, most))
    return least + (inside - least) / max(1, step) * max(1, step)
  }

  private static func fastest(
    _ system: any VideoSystem, _ file: Int32, _ fourcc: UInt32, _ size: PictureSize
  ) -> Double {
    var best = 0.0
    for index in 0..<64 as Range<UInt32> {
      var entry = v4l2_frmivalenum()
      entry.index = index
      entry.pixel_format = fourcc
      entry.width = UInt32(size.width)
      entry.height = UInt32(size.height)
      guard system.control(file, WS_VIDIOC_ENUM_FRAMEINTERVALS, &entry) == 0 else { break }
      let isDiscrete = entry.type == V4L2_FRMIVAL_TYPE_DISCRETE.rawValue
      let interval = isDiscrete ? entry.discrete : entry.stepwise.min
      if interval.numerator > 0 { best = max(best, Double(interval.denominator) / Double(interval.numerator)) }
      if !isDiscrete { break }
    }
    return best
  }
}
