// Owns a camera that streams: its format, its mapped buffers, and which of them is the newest.

import CLinux
import Glibc
import RecorderCore

final class CameraStream {
  let file: Int32
  private(set) var fourcc: UInt32 = 0
  private(set) var size = PictureSize(width: 0, height: 0)
  private(set) var stride = 0
  var hasFrame: Bool { newest != nil }

  private let camera: Camera
  private let system: any VideoSystem
  private var buffers: [UnsafeMutableRawBufferPointer] = []
  private var newest: v4l2_buffer?
  private var isClosed = false

  init(_ camera: Camera, fps: Double, _ system: any VideoSystem) throws(RecorderError) {
    self.camera = camera
    self.system = system
    file = system.open(camera.node)
    guard file >= 0 else { throw Self.failure(-file, camera) }
    do throws(RecorderError) {
      try setFormat(fps: fps)
      try map()
      var type = Int32(WS_V4L2_CAPTURE)
      try demand(system.control(file, WS_VIDIOC_STREAMON, &type), "does not start")
    } catch {
      close()
      throw error
    }
  }

  deinit { close() }

  /// Takes what the driver has filled and gives back all but the newest.
  func advance() throws(RecorderError) {
    // At most all buffers at a time: a driver that never says "none" must not keep this thread.
    for _ in 0..<max(1, buffers.count) {
      var buffer = v4l2_buffer()
      buffer.type = WS_V4L2_CAPTURE
      buffer.memory = WS_V4L2_MMAP
      let failed = system.control(file, WS_VIDIOC_DQBUF, &buffer)
      if failed == EAGAIN { return }
      // EIO: a transfer failed; the camera may go on.
      if failed == EIO { continue }
      guard failed == 0, Int(buffer.index) < buffers.count else { throw lost(failed) }
      if buffer.flags & UInt32(V4L2_BUF_FLAG_ERROR) != 0 {
        try giveBack(buffer)
        continue
      }
      if let old = newest { try giveBack(old) }
      newest = buffer
    }
  }

  /// Hands the newest picture's bytes to `read` and gives the buffer back. Nil when there is none.
  func take(_ read: (UnsafeRawBufferPointer) -> Bool) -> (isWhole: Bool, atMs: Double)? {
    guard let buffer = newest else { return nil }
    newest = nil
    let memory = buffers[Int(buffer.index)]
    let used = min(Int(buffer.bytesused), memory.count)
    let isWhole = read(UnsafeRawBufferPointer(rebasing: memory[..<used]))
    // A device that is gone says so at the next wait.
    try? giveBack(buffer)
    return (isWhole, moment(of: buffer))
  }

  /// Poll has reported an error or a hang-up; what it was is known by asking for a buffer.
  func explainHangUp() throws(RecorderError) {
    let had = newest?.sequence
    try advance()
    if newest?.sequence == had { throw lost(ENODEV) }
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    guard file >= 0 else { return }
    var type = Int32(WS_V4L2_CAPTURE)
    _ = system.control(file, WS_VIDIOC_STREAMOFF, &type)
    for buffer in buffers { if let base = buffer.baseAddress { system.unmap(base, length: buffer.count) } }
    buffers = []
    newest = nil
    system.close(file)
  }

  private func setFormat(fps: Double) throws(RecorderError) {
    guard let mode = Cameras.best(Cameras.modes(system, file), fps: fps) else {
      throw RecorderError(.unsupported, "“\(camera.name)” sends neither YUYV, NV12 nor MJPEG.")
    }
    var format = v4l2_format()
    format.type = WS_V4L2_CAPTURE
    format.fmt.pix.width = UInt32(mode.size.width)
    format.fmt.pix.height = UInt32(mode.size.height)
    format.fmt.pix.pixelformat = mode.fourcc
    format.fmt.pix.field = V4L2_FIELD_ANY.rawValue
    try demand(system.control(file, WS_VIDIOC_S_FMT, &format), "does not take a format")
    let set = format.fmt.pix
    guard CameraPixels.known.contains(set.pixelformat), (16...7680).contains(set.width),
      (16...7680).contains(set.height)
    else {
      throw RecorderError(.unsupported, "“\(camera.name)” sends pictures of a kind that cannot be read here.")
    }
    fourcc = set.pixelformat
    size = PictureSize(width: Int(set.width), height: Int(set.height))
    stride = Int(set.bytesperline)
    // No faster than asked; cameras without a choice refuse, and are read as they come.
    var parameters = v4l2_streamparm()
    parameters.type = WS_V4L2_CAPTURE
    let rate = mode.fps > 0 ? min(fps, mode.fps) : fps
    parameters.parm.capture.timeperframe = v4l2_fract(numerator: 1000, denominator: UInt32((rate * 1000).rounded()))
    _ = system.control(file, WS_VIDIOC_S_PARM, &parameters)
  }

  private func map() throws(RecorderError) {
    var request = v4l2_requestbuffers()
    request.count = 4
    request.type = WS_V4L2_CAPTURE
    request.memory = WS_V4L2_MMAP
    try demand(system.control(file, WS_VIDIOC_REQBUFS, &request), "gives no buffers")
    guard request.count >= 2 else { throw RecorderError(.unsupported, "“\(camera.name)” gives too few buffers.") }
    for index in 0..<request.count {
      var buffer = v4l2_buffer()
      buffer.index = index
      buffer.type = WS_V4L2_CAPTURE
      buffer.memory = WS_V4L2_MMAP
      try demand(system.control(file, WS_VIDIOC_QUERYBUF, &buffer), "gives no buffers")
      guard let memory = system.map(file, length: Int(buffer.length), offset: Int(buffer.m.offset)) else {
        throw RecorderError(.ioError, "The buffers of “\(camera.name)” cannot be mapped.")
      }
      buffers.append(UnsafeMutableRawBufferPointer(start: memory, count: Int(buffer.length)))
      try demand(system.control(file, WS_VIDIOC_QBUF, &buffer), "takes no buffers")
    }
  }

  private func giveBack(_ buffer: v4l2_buffer) throws(RecorderError) {
    var buffer = buffer
    let failed = system.control(file, WS_VIDIOC_QBUF, &buffer)
    if failed != 0 { throw lost(failed) }
  }

  /// Drivers stamp buffers with CLOCK_MONOTONIC, and say so; some old ones do not.
  private func moment(of buffer: v4l2_buffer) -> Double {
    let nowMs = monotonicMs()
    let atMs = Double(buffer.timestamp.tv_sec) * 1000 + Double(buffer.timestamp.tv_usec) / 1000
    let isMonotonic = buffer.flags & UInt32(V4L2_BUF_FLAG_TIMESTAMP_MASK) == UInt32(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC)
    return isMonotonic && atMs <= nowMs && atMs > nowMs - 5_000 ? atMs : nowMs
  }

  private func demand(_ failed: Int32, _ what: String) throws(RecorderError) {
    if failed != 0 { throw Self.failure(failed, camera, what) }
  }

  private func lost(_ failed: Int32) -> RecorderError {
    let isGone = failed == ENODEV || failed == ENXIO
    return RecorderError(
      .sourceLost,
      isGone ? "“\(camera.name)” was unplugged." : "“\(camera.name)” failed: \(String(cString: strerror(failed))).")
  }

  static func failure(_ failed: Int32, _ camera: Camera, _ what: String = "cannot be opened") -> RecorderError {
    switch failed {
    case EBUSY: RecorderError(.invalidState, "“\(camera.name)” is in use by another program; close that first.")
    case EACCES, EPERM:
      RecorderError(.permissionDenied, "\(camera.node) may not be opened; add yourself to the group “video”.")
    case ENOENT, ENODEV, ENXIO: RecorderError(.sourceNotFound, "“\(camera.name)” is not plugged in any more.")
    default: RecorderError(.ioError, "“\(camera.name)” \(what): \(String(cString: strerror(failed))).")
    }
  }
}
