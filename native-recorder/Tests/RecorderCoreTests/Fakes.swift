// Owns the stand-ins of the core's tests: files and folders in memory, signals, a platform whose display and encoder are
// scripted.

import Dispatch
import Synchronization

@testable import RecorderCore

final class MemoryFile: MediaFile {
  private struct State {
    var bytes: [UInt8] = []
    var syncs = 0
  }

  private let state = Mutex(State())
  /// Bytes the disk has room for.
  let capacity: Int

  init(_ bytes: [UInt8] = [], capacity: Int = .max) {
    self.capacity = capacity
    state.withLock { $0.bytes = bytes }
  }

  var bytes: [UInt8] { state.withLock { $0.bytes } }
  var syncs: Int { state.withLock { $0.syncs } }
  var size: Int { bytes.count }

  func write(_ source: UnsafeRawBufferPointer, at offset: Int) throws(RecorderError) {
    let isFull = state.withLock { state -> Bool in
      let end = min(offset + source.count, capacity)
      if state.bytes.count < end { state.bytes.append(contentsOf: repeatElement(0, count: end - state.bytes.count)) }
      for index in 0..<max(0, end - offset) { state.bytes[offset + index] = source[index] }
      return offset + source.count > capacity
    }
    if isFull { throw RecorderError(.diskFull, "full") }
  }

  func read(at offset: Int, count: Int) throws(RecorderError) -> [UInt8] {
    let all = bytes
    guard offset < all.count else { return [] }
    return Array(all[offset..<min(all.count, offset + count)])
  }

  func truncate(to size: Int) throws(RecorderError) {
    state.withLock { $0.bytes = Array($0.bytes.prefix(size)) }
  }

  func sync() throws(RecorderError) {
    state.withLock { $0.syncs += 1 }
  }

  func close() {}
}

/// Remembers what is written and synced, so that a test can stop a disk at any point of it.
final class JournalFile: MediaFile {
  enum Step: Sendable {
    case write(offset: Int, bytes: [UInt8])
    case truncate(Int)
    case sync
  }

  private let memory = MemoryFile()
  private let journal = Mutex<[Step]>([])

  var steps: [Step] { journal.withLock { $0 } }
  var size: Int { memory.size }

  /// What the disk holds after these steps.
  static func replay(_ steps: some Sequence<Step>) throws(RecorderError) -> MemoryFile {
    let file = MemoryFile()
    for step in steps {
      switch step {
      case .write(let offset, let bytes): try file.write(bytes, at: offset)
      case .truncate(let size): try file.truncate(to: size)
      case .sync: break
      }
    }
    return file
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(RecorderError) {
    journal.withLock { $0.append(.write(offset: offset, bytes: Array(bytes))) }
    try memory.write(bytes, at: offset)
  }

  func truncate(to size: Int) throws(RecorderError) {
    journal.withLock { $0.append(.truncate(size)) }
    try memory.truncate(to: size)
  }

  func sync() throws(RecorderError) { journal.withLock { $0.append(.sync) } }
  func read(at offset: Int, count: Int) throws(RecorderError) -> [UInt8] { try memory.read(at: offset, count: count) }
  func close() {}
}

final class MemoryFolder: MediaFolder {
  private let files = Mutex<[String: MemoryFile]>([:])

  init(_ files: [String: [UInt8]] = [:]) {
    self.files.withLock { $0 = files.mapValues { MemoryFile($0) } }
  }

  func bytes(_ name: String) -> [UInt8]? { files.withLock { $0[name]?.bytes } }

  func create(_ name: String) throws(RecorderError) -> any MediaFile {
    let file = MemoryFile()
    let isNew = files.withLock { files in
      guard files[name] == nil else { return false }
      files[name] = file
      return true
    }
    guard isNew else { throw RecorderError(.ioError, "exists") }
    return file
  }

  func open(_ name: String, writable: Bool) throws(RecorderError) -> any MediaFile {
    guard let file = files.withLock({ $0[name] }) else { throw RecorderError(.ioError, "missing") }
    return file
  }

  func replace(_ name: String, with bytes: UnsafeRawBufferPointer) throws(RecorderError) {
    let fresh = MemoryFile(Array(bytes))
    files.withLock { $0[name] = fresh }
  }

  func rename(_ name: String, to other: String) throws(RecorderError) {
    files.withLock { $0[other] = $0.removeValue(forKey: name) }
  }

  func list() throws(RecorderError) -> [String] { files.withLock { $0.keys.sorted() } }
  func path(_ name: String) -> String { "/memory/" + name }
  func sync() throws(RecorderError) {}
  func close() {}
}

final class TestSignal: Signal {
  private let semaphore = DispatchSemaphore(value: 0)

  func raise() { semaphore.signal() }

  func wait(untilMs: Double) -> Bool {
    let leftMs = min(untilMs - wallMs(), 1_000_000)
    return semaphore.wait(timeout: .now() + .microseconds(Int(max(0, leftMs) * 1000))) == .success
  }
}

func wallMs() -> Double { Double(DispatchTime.now().uptimeNanoseconds) / 1_000_000 }

/// A display that shows what the test says: each capture reports `damage`, and every capture changes the picture.
final class FakeSource: RecordingSource {
  let id = "fake"
  private(set) var pictureSize: PictureSize
  let waker: any Signal
  private var picture: BgraPicture
  private var sequence: UInt64 = 0
  private let behaviour: FakePlatform.Display

  init(_ size: PictureSize, waker: any Signal, behaviour: FakePlatform.Display) {
    pictureSize = size
    self.waker = waker
    self.behaviour = behaviour
    picture = BgraPicture(size: size)
  }

  var interrupt: @Sendable () -> Void { {} }

  func wait(untilMs: Double) throws(RecorderError) -> SourceActivity {
    if behaviour == .dies, sequence > 3 { throw RecorderError(.sourceLost, "gone") }
    if behaviour == .resizes, sequence == 5, pictureSize.width == 64 {
      pictureSize = PictureSize(width: 32, height: 32)
      picture = BgraPicture(size: pictureSize)
      return .resized
    }
    if behaviour == .still { return waker.wait(untilMs: untilMs) ? .nothing : .nothing }
    waker.wait(untilMs: min(untilMs, wallMs() + 5))
    return .changed
  }

  func capture() throws(RecorderError) -> SourcedFrame {
    sequence += 1
    picture.base.storeBytes(of: UInt8(truncatingIfNeeded: sequence &* 31), as: UInt8.self)
    picture.base.storeBytes(of: UInt8(truncatingIfNeeded: sequence &* 31), toByteOffset: 1, as: UInt8.self)
    return SourcedFrame(
      picture: picture, sourceId: id, presentationMs: wallMs(), sequence: sequence, damage: [PixelRect(pictureSize)])
  }

  func close() {}
}

/// Gives each frame as ten bytes, keyframes as a hundred; as hardware it fails after five frames.
final class FakeEncoder: VideoEncoder {
  let name: String
  let isHardware: Bool
  private var encoded = 0
  let decoderConfiguration: [UInt8] = [1, 100, 0, 40, 0xff, 0xe1, 0, 1, 0x67, 1, 0, 1, 0x68]

  init(isHardware: Bool = false) {
    self.isHardware = isHardware
    name = isHardware ? "fake card" : "fake"
  }

  func encode(_ picture: Nv12Picture, presentationTicks: Int64, keyframe: Bool) throws(RecorderError) -> [EncodedFrame]
  {
    encoded += 1
    if isHardware, encoded > 5 { throw RecorderError(.encoderFailed, "the card hangs") }
    let bytes = [UInt8](repeating: 7, count: keyframe ? 100 : 10)
    return [EncodedFrame(bytes: bytes, presentationTicks: presentationTicks, isKeyframe: keyframe)]
  }

  func finish() throws(RecorderError) -> [EncodedFrame] {
    if isHardware, encoded > 5 { throw RecorderError(.encoderFailed, "the card hangs") }
    return []
  }
}

struct FakePlatform: RecorderPlatform {
  enum Display { case busy, still, dies, resizes, missing }

  var display = Display.busy
  var hasGraphicsCard = false
  let folder = MemoryFolder()

  var nowMs: @Sendable () -> Double { wallMs }
  func wallClock() -> String { "2026-01-01T00:00:00.000Z" }

  func spawnThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    DispatchQueue(label: name).async(execute: body)
  }

  func makeSignal() -> any Signal { TestSignal() }
  func openFolder(_ path: String, forRecording: Bool) throws(RecorderError) -> any MediaFolder { folder }

  func openDisplay(_ request: DisplayRequest, waker: any Signal) throws(RecorderError) -> any RecordingSource {
    if display == .missing { throw RecorderError(.sourceNotFound, "no display") }
    return FakeSource(PictureSize(width: 64, height: 48), waker: waker, behaviour: display)
  }

  func makeVideoEncoder(_ settings: VideoEncoderSettings) throws(RecorderError) -> any VideoEncoder {
    FakeEncoder(isHardware: hasGraphicsCard && settings.allowsHardware)
  }

  func openAudio(_ request: AudioRequest, waker: any Signal) throws(RecorderError) -> any AudioSource {
    throw RecorderError(.sourceNotFound, "no sound server")
  }

  func encodePng(rgb: UnsafeRawBufferPointer, width: Int, height: Int) throws(RecorderError) -> [UInt8] {
    [0x89, 0x50, 0x4e, 0x47]
  }

  func sha256(_ bytes: UnsafeRawBufferPointer) -> String { String(repeating: "0", count: 64) }
}
