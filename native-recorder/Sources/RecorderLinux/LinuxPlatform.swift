// Owns what Linux gives to the core: clock, threads, signals, and the doors to X11, PulseAudio, libav and files.

import CLibav
import CLinux
import FoundationEssentials
import Glibc
import RecorderCore

public struct LinuxPlatform: RecorderPlatform {
  public init() {
    av_log_set_level(AV_LOG_FATAL)
  }

  public var nowMs: @Sendable () -> Double { monotonicMs }

  public func wallClock() -> String {
    Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }

  public func spawnThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    spawn(name, body)
  }

  public func makeSignal() -> any Signal { EventFd() }

  public func openFolder(_ path: String, forRecording: Bool) throws(RecorderError) -> any MediaFolder {
    try PosixFolder(path, forRecording: forRecording)
  }

  public func readFolder(_ path: String) throws(RecorderError) -> any MediaFolder {
    try PosixFolder(path, forRecording: false, isShared: true)
  }

  public func openSource(_ request: SourceRequest, waker: any Signal) throws(RecorderError) -> any RecordingSource {
    guard let waker = waker as? EventFd else { throw RecorderError(.internal, "A signal of another platform.") }
    switch request.kind {
    case .display: return try X11DisplaySource(request, waker: waker)
    case .window: return try X11WindowSource(request, waker: waker)
    case .webcam: return try WebcamSource(request, waker: waker)
    case .testPattern: throw RecorderError(.internal, "Test patterns are the core's own.")
    }
  }

  public func makeVideoEncoder(_ settings: VideoEncoderSettings) throws(RecorderError) -> any VideoEncoder {
    try LinuxEncoders.open(settings)
  }

  public func openAudio(_ request: AudioRequest, waker: any Signal) throws(RecorderError) -> any AudioSource {
    try PulseSource(request)
  }

  public func encodePng(rgb: UnsafeRawBufferPointer, width: Int, height: Int) throws(RecorderError) -> [UInt8] {
    try LibavPng.encode(rgb: rgb, width: width, height: height)
  }

  public func sha256(_ bytes: UnsafeRawBufferPointer) -> String {
    LibavHash.sha256(bytes)
  }
}

/// CLOCK_MONOTONIC in milliseconds.
public func monotonicMs() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1_000_000
}

/// Runs `body` on a new detached thread. When no thread can be had, it runs on the caller's.
func spawn(_ name: String, _ body: @escaping @Sendable () -> Void) {
  final class Body: Sendable {
    let run: @Sendable () -> Void
    let name: String
    init(_ name: String, _ run: @escaping @Sendable () -> Void) {
      self.run = run
      self.name = name
    }
  }
  let box = Unmanaged.passRetained(Body(name, body))
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  defer { pthread_attr_destroy(&attributes) }
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  pthread_attr_setstacksize(&attributes, 1 << 20)
  var thread = pthread_t()
  let failed = pthread_create(
    &thread, &attributes,
    { argument in
      guard let argument else { return nil }
      let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
      ws_name_thread(body.name)
      body.run()
      return nil
    }, box.toOpaque())
  if failed != 0 {
    box.release()
    body()
  }
}

/// An eventfd: raised from any thread, waited for alone or together with another descriptor.
final class EventFd: Signal {
  let descriptor: Int32

  init() {
    descriptor = ws_eventfd()
  }

  deinit {
    close(descriptor)
  }

  func raise() {
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
  }

  /// Forgets raises so far; returns whether there were any.
  @discardableResult func clear() -> Bool {
    var count: UInt64 = 0
    return read(descriptor, &count, 8) == 8
  }

  @discardableResult func wait(untilMs: Double) -> Bool {
    while true {
      if clear() { return true }
      let leftMs = untilMs - monotonicMs()
      if leftMs <= 0 { return false }
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      _ = poll(&entry, 1, pollTimeout(leftMs))
    }
  }
}

/// Milliseconds for poll(): rounded up, so that a wait never ends a moment too early and spins.
func pollTimeout(_ ms: Double) -> Int32 {
  Int32(max(0, min(ms.rounded(.up), 3_600_000)))
}
