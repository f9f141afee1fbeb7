// Owns capturing one camera: the newest buffer that the driver has filled becomes the picture when it is asked for.

import CLinux
import Glibc
import RecorderCore

import struct Synchronization.Atomic

final class WebcamSource: RecordingSource {
  let id: String
  let pictureSize: PictureSize
  let interrupt: @Sendable () -> Void

  private let camera: Camera
  private let stream: CameraStream
  private let waker: EventFd
  private let pixels: CameraPixels
  private let picture: BgraPicture
  private let isInterrupted: Interruption
  private var hasTold = false
  private var isFirst = true
  private var sequence: UInt64 = 0

  private final class Interruption: Sendable {
    let flag = Atomic<Bool>(false)
  }

  /// - Throws: `sourceNotFound`, `permissionDenied`, `invalidState` when another program uses the camera, `unsupported`
  ///   when it sends nothing that can be read here.
  init(_ request: SourceRequest, waker: EventFd, system: any VideoSystem = LinuxVideoSystem()) throws(RecorderError) {
    id = request.sourceId
    self.waker = waker
    camera = try Cameras.find(request.targetId, system)
    stream = try CameraStream(camera, fps: request.fps, system)
    pictureSize = stream.size
    pixels = try CameraPixels(fourcc: stream.fourcc, size: stream.size, stride: stream.stride)
    // Black until the camera's first picture.
    picture = BgraPicture(size: stream.size)
    let interruption = Interruption()
    isInterrupted = interruption
    interrupt = {
      interruption.flag.store(true, ordering: .relaxed)
      waker.raise()
    }
  }

  /// Buffers are taken while a picture waits, too: otherwise the driver would run out of them and keep old pictures.
  func wait(untilMs: Double) throws(RecorderError) -> SourceActivity {
    while true {
      if isInterrupted.flag.load(ordering: .relaxed) { throw RecorderError(.sourceLost, "The camera was given up.") }
      try stream.advance()
      if stream.hasFrame, !hasTold {
        hasTold = true
        return .changed
      }
      let leftMs = untilMs - monotonicMs()
      if waker.clear() || leftMs <= 0 { return .nothing }
      var entries = [
        pollfd(fd: stream.file, events: Int16(POLLIN), revents: 0),
        pollfd(fd: waker.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      _ = poll(&entries, 2, pollTimeout(leftMs))
      if entries[0].revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 { try stream.explainHangUp() }
    }
  }

  func capture() throws(RecorderError) -> SourcedFrame {
    try stream.advance()
    hasTold = false
    let taken = stream.take { bytes in self.pixels.convert(bytes, into: self.picture) }
    var damage: [PixelRect] = []
    if taken?.isWhole == true || isFirst { damage = [PixelRect(pictureSize)] }
    isFirst = false
    sequence += 1
    return SourcedFrame(
      picture: picture, sourceId: id, presentationMs: taken?.atMs ?? monotonicMs(), sequence: sequence, damage: damage)
  }

  func close() { stream.close() }
}
