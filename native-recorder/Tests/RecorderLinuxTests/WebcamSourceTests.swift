// Owns what is promised of cameras, with a simulated driver behind the system calls: no camera was at hand.

import CLinux
import FoundationEssentials
import Glibc
import Locks
import Testing

@testable import RecorderCore
@testable import RecorderLinux

/// One camera at /dev/video2 and its metadata node at /dev/video3, behaving as linux/videodev2.h says drivers do.
private final class SimulatedCamera: VideoSystem {
  struct Mode {
    let fourcc: UInt32
    let width: UInt32
    let height: UInt32
    let fps: UInt32
  }

  struct Frame {
    var bytes: [UInt8]
    var used: Int?
    var atMs = monotonicMs()
    var flags = UInt32(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC)
  }

  private struct State {
    var openError: Int32 = 0
    var streamError: Int32 = 0
    var isGone = false
    var isStreaming = false
    var format = v4l2_pix_format()
    var queued: [UInt32] = []
    var frames: [Frame] = []
    var dropped = 0
    var rate: Double = 0
    var maps = 0
  }

  static let length = 1 << 16
  private let modes: [Mode]
  private let state = Mutex(State())
  private let ready = EventFd()
  // Only the source's thread and pushes before its calls touch it.
  nonisolated(unsafe) private let memory = UnsafeMutableRawPointer.allocate(byteCount: 4 * length, alignment: 64)

  init(_ modes: [Mode]) { self.modes = modes }
  deinit { memory.deallocate() }

  func refuse(open: Int32 = 0, stream: Int32 = 0) {
    state.withLock { ($0.openError, $0.streamError) = (open, stream) }
  }

  func push(_ frame: Frame) {
    state.withLock { $0.frames.append(frame) }
    ready.raise()
  }

  func unplug() {
    state.withLock { $0.isGone = true }
    ready.raise()
  }

  var isStreaming: Bool { state.withLock { $0.isStreaming } }
  var dropped: Int { state.withLock { $0.dropped } }
  var rate: Double { state.withLock { $0.rate } }
  var maps: Int { state.withLock { $0.maps } }

  func nodes() -> [(path: String, stableId: String?)] {
    [("/dev/video2", "/dev/v4l/by-id/usb-Simulated-video-index0"), ("/dev/video3", nil)]
  }

  func open(_ path: String) -> Int32 {
    let error = state.withLock { $0.openError }
    if error != 0 { return -error }
    return path == "/dev/video3" ? 1_000_000 : dup(ready.descriptor)
  }

  func close(_ file: Int32) { if file < 1_000_000 { Glibc.close(file) } }

  func map(_ file: Int32, length: Int, offset: Int) -> UnsafeMutableRawPointer? {
    state.withLock { $0.maps += 1 }
    return memory + offset
  }

  func unmap(_ address: UnsafeMutableRawPointer, length: Int) { state.withLock { $0.maps -= 1 } }

  func control(_ file: Int32, _ request: UInt, _ argument: UnsafeMutableRawPointer) -> Int32 {
    state.withLock { state in
      if state.isGone { return ENODEV }
      switch request {
      case WS_VIDIOC_QUERYCAP: return describe(file, argument)
      case WS_VIDIOC_ENUM_FMT:
        let it = argument.assumingMemoryBound(to: v4l2_fmtdesc.self)
        var kinds: [UInt32] = []
        for mode in modes where !kinds.contains(mode.fourcc) { kinds.append(mode.fourcc) }
        guard Int(it.pointee.index) < kinds.count else { return EINVAL }
        it.pointee.pixelformat = kinds[Int(it.pointee.index)]
        return 0
      case WS_VIDIOC_ENUM_FRAMESIZES:
        let it = argument.assumingMemoryBound(to: v4l2_frmsizeenum.self)
        let same = modes.filter { $0.fourcc == it.pointee.pixel_format }
        guard Int(it.pointee.index) < same.count else { return EINVAL }
        it.pointee.type = V4L2_FRMSIZE_TYPE_DISCRETE.rawValue
        let mode = same[Int(it.pointee.index)]
        it.pointee.discrete = v4l2_frmsize_discrete(width: mode.width, height: mode.height)
        return 0
      case WS_VIDIOC_ENUM_FRAMEINTERVALS:
        let it = argument.assumingMemoryBound(to: v4l2_frmivalenum.self)
        let same = modes.filter { $0.fourcc == it.pointee.pixel_format && $0.width == it.pointee.width }
        guard Int(it.pointee.index) < same.count else { return EINVAL }
        it.pointee.type = V4L2_FRMIVAL_TYPE_DISCRETE.rawValue
        it.pointee.discrete = v4l2_fract(numerator: 1, denominator: same[Int(it.pointee.index)].fps)
        return 0
      case WS_VIDIOC_S_FMT:
        let it = argument.assumingMemoryBound(to: v4l2_format.self)
        let planes: UInt32 = it.pointee.fmt.pix.pixelformat == WS_V4L2_YUYV ? 2 : 1
        it.pointee.fmt.pix.bytesperline = it.pointee.fmt.pix.width * planes
        state.format = it.pointee.fmt.pix
        return 0
      case WS_VIDIOC_S_PARM:
        let rate = argument.assumingMemoryBound(to: v4l2_streamparm.self).pointee.parm.capture.timeperframe
        state.rate = Double(rate.denominator) / Double(rate.numerator)
        return 0
      case WS_VIDIOC_REQBUFS: return state.streamError
      case WS_VIDIOC_QUERYBUF:
        let it = argument.assumingMemoryBound(to: v4l2_buffer.self)
        it.pointee.length = UInt32(Self.length)
        it.pointee.m.offset = it.pointee.index * UInt32(Self.length)
        return 0
      case WS_VIDIOC_QBUF:
        state.queued.append(argument.assumingMemoryBound(to: v4l2_buffer.self).pointee.index)
        return 0
      case WS_VIDIOC_DQBUF: return fill(&state, argument.assumingMemoryBound(to: v4l2_buffer.self))
      case WS_VIDIOC_STREAMON:
        state.isStreaming = true
        return 0
      case WS_VIDIOC_STREAMOFF:
        state.isStreaming = false
        return 0
      default: return ENOTTY
      }
    }
  }

  private func describe(_ file: Int32, _ argument: UnsafeMutableRawPointer) -> Int32 {
    let it = argument.assumingMemoryBound(to: v4l2_capability.self)
    withUnsafeMutableBytes(of: &it.pointee.card) { $0.copyBytes(from: Array("Simulated Camera\0".utf8)) }
    withUnsafeMutableBytes(of: &it.pointee.bus_info) { $0.copyBytes(from: Array("usb-1\0".utf8)) }
    // The device can capture; of the second node only metadata comes.
    let capture = UInt32(V4L2_CAP_VIDEO_CAPTURE) | UInt32(V4L2_CAP_STREAMING)
    it.pointee.capabilities = capture | 0x8000_0000
    it.pointee.device_caps = file == 1_000_000 ? UInt32(V4L2_CAP_META_CAPTURE) | UInt32(V4L2_CAP_STREAMING) : capture
    return 0
  }

  private func fill(_ state: inout State, _ buffer: UnsafeMutablePointer<v4l2_buffer>) -> Int32 {
    // A driver without free buffers drops what the camera sends.
    while state.frames.count > 4 {
      state.frames.removeFirst()
      state.dropped += 1
    }
    guard !state.frames.isEmpty, !state.queued.isEmpty else {
      ready.clear()
      return EAGAIN
    }
    let frame = state.frames.removeFirst()
    let index = state.queued.removeFirst()
    (memory + Int(index) * Self.length).copyMemory(from: frame.bytes, byteCount: min(frame.bytes.count, Self.length))
    buffer.pointee.index = index
    buffer.pointee.bytesused = UInt32(frame.used ?? frame.bytes.count)
    buffer.pointee.flags = frame.flags
    buffer.pointee.timestamp.tv_sec = Int(frame.atMs / 1000)
    buffer.pointee.timestamp.tv_usec = Int(frame.atMs.truncatingRemainder(dividingBy: 1000) * 1000)
    return 0
  }
}

@Suite struct WebcamSourceTests {
  private static let yuyv = SimulatedCamera.Mode(fourcc: WS_V4L2_YUYV, width: 64, height: 48, fps: 30)

  /// One colour, as YUYV: BT.601 limited range, red is 81, 90, 240.
  private func yuyv(_ luma: UInt8, _ blue: UInt8, _ red: UInt8) -> [UInt8] {
    Array(repeatElement([luma, blue, luma, red], count: 64 * 48 / 2).joined())
  }

  private func isNear(_ picture: BgraPicture, _ red: Int, _ green: Int, _ blue: Int) -> Bool {
    [(0, 0), (63, 47), (30, 20)].allSatisfy { x, y in
      let pixel = Int(picture.pixel(x, y))
      return abs(pixel >> 16 - red) < 8 && abs(pixel >> 8 & 255 - green) < 8 && abs(pixel & 255 - blue) < 8
    }
  }

  private func open(_ camera: SimulatedCamera, _ target: String? = nil, waker: EventFd = EventFd()) throws
    -> WebcamSource
  {
    try WebcamSource(
      SourceRequest(
        sourceId: "cam", kind: .webcam, targetId: target, showCursor: false, fps: 15, exclusions: Exclusions()),
      waker: waker, system: camera)
  }

  private func error(_ body: () throws -> Void) -> RecorderError? {
    do { try body() } catch { return error as? RecorderError }
    return nil
  }

  @Test func onlyNodesThatCaptureAreListed() {
    let found = Cameras.list(SimulatedCamera([Self.yuyv]))
    #expect(
      found == [
        Camera(id: "/dev/v4l/by-id/usb-Simulated-video-index0", name: "Simulated Camera", node: "/dev/video2")
      ])
  }

  @Test func theModeIsNearTo720pThenFastThenPlain() {
    let hd = PictureSize(width: 1280, height: 720)
    let slow = CameraMode(fourcc: WS_V4L2_YUYV, size: hd, fps: 10)
    let packed = CameraMode(fourcc: WS_V4L2_MJPEG, size: hd, fps: 30)
    let small = CameraMode(fourcc: WS_V4L2_YUYV, size: PictureSize(width: 640, height: 480), fps: 30)
    #expect(Cameras.best([small, slow, packed], fps: 15) == packed)
    #expect(Cameras.best([small, packed, slow], fps: 8) == slow)
    #expect(Cameras.best([], fps: 15) == nil)
  }

  @Test func picturesComeWithTheDriversTimeAndAskForNoMoreThanTheFrameRate() throws {
    let camera = SimulatedCamera([Self.yuyv])
    let source = try open(camera, "/dev/video2")
    #expect(source.pictureSize == PictureSize(width: 64, height: 48) && camera.rate == 15 && camera.maps == 4)
    // Black before the first picture, and nothing changes until it comes.
    #expect(try source.capture().picture.pixel(5, 5) == 0)
    #expect(try source.wait(untilMs: monotonicMs()) == .nothing)
    let atMs = (monotonicMs() - 20).rounded(.down)
    camera.push(.init(bytes: yuyv(81, 90, 240), atMs: atMs))
    #expect(try source.wait(untilMs: monotonicMs() + 5_000) == .changed)
    let frame = try source.capture()
    #expect(isNear(frame.picture, 255, 0, 0) && abs(frame.presentationMs - atMs) < 0.01)
    #expect(frame.damage == [PixelRect(x: 0, y: 0, width: 64, height: 48)])
    #expect(try source.capture().damage.isEmpty)
    source.close()
    #expect(!camera.isStreaming && camera.maps == 0)
  }

  @Test func aPauseEndsWithTheNewestPictureAndATimeThatCannotBeIsNow() throws {
    let camera = SimulatedCamera([Self.yuyv])
    let source = try open(camera)
    for step in 0..<40 as Range<UInt8> {
      camera.push(.init(bytes: yuyv(step < 39 ? 20 : 145, step < 39 ? 128 : 54, step < 39 ? 128 : 34), atMs: 1e12))
      _ = try source.wait(untilMs: monotonicMs())
    }
    let before = monotonicMs()
    let frame = try source.capture()
    #expect(isNear(frame.picture, 0, 255, 0) && camera.dropped == 0)
    #expect(frame.presentationMs >= before - 1 && frame.presentationMs <= monotonicMs())
    source.close()
  }

  @Test func tornPicturesAreLeftOut() throws {
    let camera = SimulatedCamera([Self.yuyv])
    let source = try open(camera)
    camera.push(.init(bytes: yuyv(81, 90, 240)))
    #expect(isNear(try source.capture().picture, 255, 0, 0))
    camera.push(.init(bytes: yuyv(145, 54, 34), used: 1000))
    let short = try source.capture()
    #expect(isNear(short.picture, 255, 0, 0) && short.damage.isEmpty)
    camera.push(.init(bytes: yuyv(145, 54, 34), flags: UInt32(V4L2_BUF_FLAG_ERROR)))
    #expect(isNear(try source.capture().picture, 255, 0, 0))
    camera.push(.init(bytes: yuyv(145, 54, 34)))
    #expect(isNear(try source.capture().picture, 0, 255, 0))
    source.close()
  }

  @Test func nv12IsRead() throws {
    let camera = SimulatedCamera([.init(fourcc: WS_V4L2_NV12, width: 64, height: 48, fps: 30)])
    let source = try open(camera)
    let planes = [UInt8](repeating: 81, count: 64 * 48) + Array(repeatElement([90, 240], count: 32 * 24).joined())
    camera.push(.init(bytes: planes))
    #expect(isNear(try source.capture().picture, 255, 0, 0))
    source.close()
  }

  @Test func mjpegIsDecodedAndBrokenOneIsLeftOut() throws {
    let camera = SimulatedCamera([.init(fourcc: WS_V4L2_MJPEG, width: 64, height: 48, fps: 30)])
    let source = try open(camera)
    let folder = temporaryFolder()
    defer { removeTemporaryFolders() }
    let path = "\(folder)/red.jpg"
    #expect(run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=red:s=64x48", "-frames:v", "1", path))
    let jpeg = [UInt8](try Data(contentsOf: URL(filePath: path)))
    camera.push(.init(bytes: jpeg))
    #expect(isNear(try source.capture().picture, 255, 0, 0))
    var numbers = SeededNumbers(seed: 5)
    for round in 0..<200 {
      // Cut off, or bytes changed anywhere: an error or a picture, never a crash.
      var broken = round % 2 == 0 ? Array(jpeg.prefix(Int.random(in: 0..<jpeg.count, using: &numbers))) : jpeg
      for _ in 0..<3 where round % 2 == 1 {
        broken[Int.random(in: 0..<broken.count, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers)
      }
      camera.push(.init(bytes: broken))
      _ = try source.capture()
    }
    camera.push(.init(bytes: jpeg))
    #expect(isNear(try source.capture().picture, 255, 0, 0))
    source.close()
  }

  @Test func aCameraThatIsUnpluggedIsLost() throws {
    let camera = SimulatedCamera([Self.yuyv])
    let source = try open(camera)
    _ = try source.capture()
    camera.unplug()
    let lost = error { _ = try source.wait(untilMs: monotonicMs() + 5_000) }
    #expect(lost?.code == .sourceLost && lost?.message.contains("unplugged") == true)
    source.close()
  }

  @Test func aWaitIsEndedByTheWakerAndByAnInterrupt() throws {
    let camera = SimulatedCamera([Self.yuyv])
    let waker = EventFd()
    let source = try open(camera, waker: waker)
    waker.raise()
    #expect(try source.wait(untilMs: .infinity) == .nothing)
    source.interrupt()
    #expect(error { _ = try source.wait(untilMs: .infinity) }?.code == .sourceLost)
    source.close()
  }

  @Test func whyACameraCannotBeOpenedIsSaid() throws {
    let camera = SimulatedCamera([Self.yuyv])
    #expect(error { _ = try open(camera, "/dev/video9") }?.code == .sourceNotFound)
    // A metadata node is no camera.
    #expect(error { _ = try open(camera, "/dev/video3") }?.code == .sourceNotFound)
    camera.refuse(stream: EBUSY)
    let busy = error { _ = try open(camera) }
    #expect(busy?.code == .invalidState && busy?.message.contains("another program") == true && camera.maps == 0)
    camera.refuse(open: EACCES)
    #expect(error { _ = try open(camera) }?.code == .permissionDenied)
    let strange = SimulatedCamera([.init(fourcc: 0x3231_5559, width: 64, height: 48, fps: 30)])
    #expect(error { _ = try open(strange) }?.code == .unsupported)
  }
}
