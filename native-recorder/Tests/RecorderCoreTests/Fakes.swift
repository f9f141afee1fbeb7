// Owns the stand-ins of the core's tests: files and folders in memory, signals, a platform whose display and encoder are
// scripted.

import Dispatch
import Glibc
import Locks

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
  /// Bytes that the disk claims to have left.
  let free = Mutex(10_000_000_000)
  /// What opening a file fails with.
  let refusal = Mutex<RecorderError?>(nil)
  private let files = Mutex<[String: MemoryFile]>([:])

  init(_ files: [String: [UInt8]] = [:]) {
    self.files.withLock { $0 = files.mapValues { MemoryFile($0) } }
  }

  var contents: [String: [UInt8]] { files.withLock { $0.mapValues(\.bytes) } }
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
    if let refusal = refusal.withLock({ $0 }) { throw refusal }
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
  func freeBytes() throws(RecorderError) -> Int { free.withLock { $0 } }
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

/// What each source does just now, by its id, for a test to change while it records. `encoder` is the encoder, `png` the
/// writing of screenshots, “open a” the opening of “a”.
final class Switchboard: Sendable {
  private let states = Mutex<[String: FakePlatform.Display]>([:])
  private let held = Mutex<Set<String>>([])

  /// Whether somebody has come to the place that hangs.
  func isHeld(_ id: String) -> Bool { held.withLock { $0.contains(id) } }

  subscript(id: String) -> FakePlatform.Display? {
    get { states.withLock { $0[id] } }
    set { states.withLock { $0[id] = newValue } }
  }

  /// Returns when it does not hang any more.
  func passHang(_ id: String, or isCut: () -> Bool = { false }) {
    if self[id] == .hangs { held.withLock { _ = $0.insert(id) } }
    while self[id] == .hangs, !isCut() { _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(2)) }
  }
}

/// The luma that was encoded last.
final class EncodedPicture: Sendable {
  private struct State {
    var size = PictureSize(width: 0, height: 0)
    var luma: [UInt8] = []
  }
  private let state = Mutex(State())

  func keep(_ picture: Nv12Picture) {
    let rows = (0..<picture.size.height).flatMap { row in
      (0..<picture.size.width).map { picture.luma[row * picture.lumaStride + $0] }
    }
    state.withLock { $0 = State(size: picture.size, luma: rows) }
  }

  var size: PictureSize { state.withLock { $0.size } }

  /// The grey level, 0…255, at a place; nil outside.
  func grey(_ x: Int, _ y: Int) -> Int? {
    state.withLock { state in
      guard x < state.size.width, y < state.size.height else { return nil }
      return (Int(state.luma[y * state.size.width + x]) - 16) * 255 / 219
    }
  }
}

/// The screenshot that was written last.
final class WrittenPng: Sendable {
  private let state = Mutex((size: PictureSize(width: 0, height: 0), rgb: [UInt8]()))

  func keep(_ rgb: [UInt8], _ size: PictureSize) {
    state.withLock { $0 = (size, rgb) }
  }

  /// The red of the pixel at a place given as a share, 0…1, of the picture.
  func grey(x: Double, y: Double) -> Int? {
    state.withLock { state in
      let at = Int(Double(state.size.height) * y) * state.size.width + Int(Double(state.size.width) * x)
      return state.rgb.indices.contains(at * 3) ? Int(state.rgb[at * 3]) : nil
    }
  }
}

/// A display that shows what the test says: each capture reports `damage`, and every capture changes the picture.
/// Sources “a”, “b” and “c” are dark, medium and light.
final class FakeSource: RecordingSource {
  let id: String
  private(set) var pictureSize: PictureSize
  let waker: any Signal
  private var picture: BgraPicture
  private var sequence: UInt64 = 0
  private let platform: FakePlatform
  private let isCut = Flag()
  private var behaviour: FakePlatform.Display { platform.board[id] ?? platform.display }

  init(_ id: String, _ size: PictureSize, waker: any Signal, platform: FakePlatform) {
    self.id = id
    pictureSize = size
    self.waker = waker
    self.platform = platform
    picture = BgraPicture(size: size)
    let grey = UInt32(Self.grey(id))
    picture.fill(PixelRect(size), grey << 16 | grey << 8 | grey)
  }

  static func grey(_ id: String) -> Int { ["a": 64, "b": 128, "c": 192][id] ?? 0 }

  var interrupt: @Sendable () -> Void { { [isCut] in isCut.raise() } }

  func wait(untilMs: Double) throws(RecorderError) -> SourceActivity {
    if behaviour == .lost { throw RecorderError(.sourceLost, "lost") }
    if behaviour == .dies, sequence > 3 { throw RecorderError(.sourceLost, "gone") }
    if behaviour == .still { return waker.wait(untilMs: untilMs) ? .nothing : .nothing }
    waker.wait(untilMs: min(untilMs, wallMs() + 5))
    return .changed
  }

  func capture() throws(RecorderError) -> SourcedFrame {
    platform.board.passHang(id, or: { isCut.isRaised })
    if isCut.isRaised || behaviour == .lost { throw RecorderError(.sourceLost, "cut") }
    sequence += 1
    if behaviour == .resizes, sequence == 5 {
      pictureSize = PictureSize(width: 32, height: 32)
      picture = BgraPicture(size: pictureSize)
    }
    picture.base.storeBytes(of: UInt8(truncatingIfNeeded: sequence &* 31), as: UInt8.self)
    picture.base.storeBytes(of: UInt8(truncatingIfNeeded: sequence &* 31), toByteOffset: 1, as: UInt8.self)
    return SourcedFrame(
      picture: picture, sourceId: id, presentationMs: wallMs(), sequence: sequence, damage: [PixelRect(pictureSize)])
  }

  func close() {}
}

final class Flag: Sendable {
  private let state = Mutex(false)
  var isRaised: Bool { state.withLock { $0 } }
  func raise() { state.withLock { $0 = true } }
}

/// Gives each frame as ten bytes, keyframes as a hundred; as hardware it fails after `cardFrames` frames.
final class FakeEncoder: VideoEncoder {
  let name: String
  let isHardware: Bool
  private let platform: FakePlatform
  private var encoded = 0
  let decoderConfiguration: [UInt8] = [1, 100, 0, 40, 0xff, 0xe1, 0, 1, 0x67, 1, 0, 1, 0x68]

  init(_ platform: FakePlatform, isHardware: Bool = false) {
    self.platform = platform
    self.isHardware = isHardware
    name = isHardware ? "fake card" : "fake"
  }

  func encode(_ picture: Nv12Picture, presentationTicks: Int64, keyframe: Bool) throws(RecorderError) -> [EncodedFrame]
  {
    platform.board.passHang("encoder")
    if platform.board["encoder"] == .lost { throw RecorderError(.encoderFailed, "broken") }
    platform.encoded.keep(picture)
    encoded += 1
    if isHardware, encoded > platform.cardFrames { throw RecorderError(.encoderFailed, "the card hangs") }
    let bytes = [UInt8](repeating: 7, count: keyframe ? 100 : 10)
    return [EncodedFrame(bytes: bytes, presentationTicks: presentationTicks, isKeyframe: keyframe)]
  }

  func finish() throws(RecorderError) -> [EncodedFrame] {
    if isHardware, encoded > platform.cardFrames { throw RecorderError(.encoderFailed, "the card hangs") }
    return []
  }
}

/// A real thread: a queue's threads are few, and they are the ones that Swift's tasks run on too.
func runOnThread(_ body: @escaping @Sendable () -> Void) {
  final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
  var thread = pthread_t()
  pthread_create(
    &thread, nil,
    { argument in
      Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
      return nil
    }, Unmanaged.passRetained(Body(body)).toOpaque())
  pthread_detach(thread)
}

struct FakePlatform: RecorderPlatform {
  enum Display { case busy, still, dies, resizes, missing, hangs, lost }

  var display = Display.busy
  /// Nil is a machine without a sound server.
  var sound: FakeSoundServer?
  var hasGraphicsCard = false
  var cardFrames = 5
  let folder = MemoryFolder()
  let board = Switchboard()
  let encoded = EncodedPicture()
  let png = WrittenPng()

  var nowMs: @Sendable () -> Double { wallMs }
  func wallClock() -> String { "2026-01-01T00:00:00.000Z" }

  func spawnThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    runOnThread(body)
  }

  func makeSignal() -> any Signal { TestSignal() }
  func openFolder(_ path: String, forRecording: Bool) throws(RecorderError) -> any MediaFolder { folder }
  func readFolder(_ path: String) throws(RecorderError) -> any MediaFolder { folder }

  func openSource(_ request: SourceRequest, waker: any Signal) throws(RecorderError) -> any RecordingSource {
    board.passHang("open " + request.sourceId)
    let behaviour = board[request.sourceId] ?? display
    if behaviour == .missing { throw RecorderError(.sourceNotFound, "no display") }
    if behaviour == .lost { throw RecorderError(.sourceLost, "still lost") }
    let sides = (request.targetId ?? "64x48").split(separator: "x").compactMap { Int($0) }
    return FakeSource(
      request.sourceId, PictureSize(width: sides[0], height: sides[1]), waker: waker, platform: self)
  }

  func makeVideoEncoder(_ settings: VideoEncoderSettings) throws(RecorderError) -> any VideoEncoder {
    FakeEncoder(self, isHardware: hasGraphicsCard && settings.allowsHardware)
  }

  func openAudio(_ request: AudioRequest, waker: any Signal) throws(RecorderError) -> any AudioSource {
    guard let sound else { throw RecorderError(.sourceNotFound, "no sound server") }
    return sound
  }

  func encodePng(rgb: UnsafeRawBufferPointer, width: Int, height: Int) throws(RecorderError) -> [UInt8] {
    board.passHang("png")
    png.keep(Array(rgb), PictureSize(width: width, height: height))
    return [0x89, 0x50, 0x4e, 0x47]
  }

  func sha256(_ bytes: UnsafeRawBufferPointer) -> String { String(repeating: "0", count: 64) }
}
