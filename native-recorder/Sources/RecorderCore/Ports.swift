// Owns what the core asks of a platform: clock, threads, signals, files, a picture source, encoders and sound inputs.

/// Everything a platform brings. Another platform implements this and nothing in the core changes.
public protocol RecorderPlatform: Sendable {
  /// CLOCK_MONOTONIC in milliseconds.
  var nowMs: @Sendable () -> Double { get }
  /// ISO 8601, UTC, milliseconds.
  func wallClock() -> String
  /// Runs `body` on a thread of its own: blocking work never runs on Swift's cooperative pool.
  func spawnThread(_ name: String, _ body: @escaping @Sendable () -> Void)
  func makeSignal() -> any Signal
  /// The folder belongs to the caller alone until it is closed. With `forRecording` it is made where it is missing.
  /// - Throws: `ioError` when it cannot be made or written, `invalidState` when a recorder or a reader has it.
  func openFolder(_ path: String, forRecording: Bool) throws(RecorderError) -> any MediaFolder
  /// For reading alone; others may read it at the same time.
  /// - Throws: `ioError` when it cannot be read, `invalidState` when a recorder has it.
  func readFolder(_ path: String) throws(RecorderError) -> any MediaFolder
  /// Opens a display, a window or a camera; `testPattern` is the core's own. Called on the thread that will use it.
  /// - Throws: `sourceNotFound`, `permissionDenied`, `unsupported`.
  func openSource(_ request: SourceRequest, waker: any Signal) throws(RecorderError) -> any RecordingSource
  func makeCompositor() -> any FrameCompositor
  func makeVideoEncoder(_ settings: VideoEncoderSettings) throws(RecorderError) -> any VideoEncoder
  /// - Throws: `sourceNotFound` or `timeout` when there is no sound server; missing devices are told later.
  func openAudio(_ request: AudioRequest, waker: any Signal) throws(RecorderError) -> any AudioSource
  /// RGB rows without padding → a PNG file's bytes.
  func encodePng(rgb: UnsafeRawBufferPointer, width: Int, height: Int) throws(RecorderError) -> [UInt8]
  /// 64 lowercase hex digits.
  func sha256(_ bytes: UnsafeRawBufferPointer) -> String
}

extension RecorderPlatform {
  public func makeCompositor() -> any FrameCompositor { SoftwareCompositor() }
}

/// Wakes one waiting thread; a raise with nobody waiting is kept for the next wait.
public protocol Signal: AnyObject, Sendable {
  func raise()
  /// Waits until raised or until the monotonic moment `untilMs`. Returns whether it was raised.
  @discardableResult func wait(untilMs: Double) -> Bool
}

public struct SourceRequest: Sendable, Equatable {
  public let sourceId: String
  public let kind: SourceKind
  /// Nil means the primary display, or the first camera.
  public let targetId: String?
  public let showCursor: Bool
  /// The most captures a second that will be asked for.
  public let fps: Double
  /// What must be black in every picture this source gives.
  public let exclusions: Exclusions

  public init(
    sourceId: String, kind: SourceKind, targetId: String?, showCursor: Bool, fps: Double, exclusions: Exclusions
  ) {
    self.sourceId = sourceId
    self.kind = kind
    self.targetId = targetId
    self.showCursor = showCursor
    self.fps = fps
    self.exclusions = exclusions
  }
}

public enum SourceActivity: Sendable, Equatable { case nothing, changed }

/// Something that gives pictures: a display, a window, a camera, a test pattern. Confined to the thread that opened it,
/// except `interrupt`.
public protocol RecordingSource: AnyObject {
  var id: String { get }
  /// Of the last captured frame, or of the first one to come. Changes only inside `capture`.
  var pictureSize: PictureSize { get }
  /// Sleeps until the picture changes, the waker is raised or `untilMs` comes. While a change waits to be captured it
  /// answers `changed` once and then sleeps until the waker or `untilMs`.
  /// - Throws: `sourceLost` when there will be no more pictures.
  func wait(untilMs: Double) throws(RecorderError) -> SourceActivity
  /// Whether `SourcedFrame.presentationMs` comes from a clock of the source's own, such as a camera's, which drifts.
  var hasOwnClock: Bool { get }
  /// Brings the source's picture up to date and says what changed since the last call. A picture that has another size
  /// than before comes as a new `BgraPicture`, all of it damaged.
  func capture() throws(RecorderError) -> SourcedFrame
  /// From any thread: makes a call that hangs inside the source fail with `sourceLost`.
  var interrupt: @Sendable () -> Void { get }
  func close()
}

extension RecordingSource {
  public var hasOwnClock: Bool { false }
}

/// A source's picture at a moment. The buffer belongs to the source and is valid until its next `capture` or `close`.
public struct SourcedFrame {
  public let picture: BgraPicture
  public let sourceId: String
  /// The moment of the grab, in monotonic milliseconds; with `hasOwnClock` in milliseconds of any clock.
  public let presentationMs: Double
  public let sequence: UInt64
  public let damage: [PixelRect]

  public init(picture: BgraPicture, sourceId: String, presentationMs: Double, sequence: UInt64, damage: [PixelRect]) {
    self.picture = picture
    self.sourceId = sourceId
    self.presentationMs = presentationMs
    self.sequence = sequence
    self.damage = damage
  }
}

public struct VideoEncoderSettings: Sendable {
  public let size: PictureSize
  public let fps: Double
  public let quality: Double
  /// Ticks a second of the presentation times.
  public let timescale: Int
  /// Whether a hardware encoder may be taken; without one, or when it does not open, it is software all the same.
  public let allowsHardware: Bool
}

public struct EncodedFrame: Sendable {
  /// NAL units, each after its 4-byte length (ISO/IEC 14496-15).
  public let bytes: [UInt8]
  public let presentationTicks: Int64
  public let isKeyframe: Bool

  public init(bytes: [UInt8], presentationTicks: Int64, isKeyframe: Bool) {
    self.bytes = bytes
    self.presentationTicks = presentationTicks
    self.isKeyframe = isKeyframe
  }
}

/// Frames go in and come out in presentation order: no reordering, no delay.
public protocol VideoEncoder: AnyObject {
  var name: String { get }
  /// Hardware may fail while it encodes; software then goes on in a new take.
  var isHardware: Bool { get }
  /// The avcC record's contents (ISO/IEC 14496-15, 5.3.3.1).
  var decoderConfiguration: [UInt8] { get }
  /// Encodes the whole picture; `picture.changed` says in which blocks it differs from the frame before.
  func encode(_ picture: Nv12Picture, presentationTicks: Int64, keyframe: Bool) throws(RecorderError) -> [EncodedFrame]
  func finish() throws(RecorderError) -> [EncodedFrame]
}

public struct AudioRequest: Sendable {
  public let microphone: AudioChoice
  public let systemAudio: AudioChoice
  public let sampleRate: Int
}

public enum AudioInput: String, Codable, Sendable, CaseIterable {
  case microphone, systemAudio
}

/// What an audio source tells.
public enum AudioDelivery {
  /// Interleaved stereo at the requested rate, valid during the call, and the monotonic moment at which its first sample
  /// was heard, as the sound server reports it.
  case samples(AudioInput, atMs: Double, UnsafeBufferPointer<Float>)
  /// Samples of this input follow, from a device that was not recorded before: at the start, when a missing one has
  /// appeared, when another became the default.
  case opened(AudioInput)
  /// The input's device is missing or has gone; told again when the reason changes.
  case lost(AudioInput, RecorderError)
}

/// A sound server: all inputs that were asked for, each as soon and as long as it has a device. Confined to the thread
/// that opened it.
public protocol AudioSource: AnyObject {
  /// Monotonic moment of the sound server's last sign of life; it gives several a second.
  var answeredAtMs: Double { get }
  /// Waits until `untilMs` and hands over what comes; with a moment that has passed, only what is there.
  /// - Throws: `sourceLost` when the sound server is gone.
  func pump(untilMs: Double, _ deliver: (AudioDelivery) -> Void) throws(RecorderError)
  func close()
}

/// A folder that is being recorded into.
public protocol MediaFolder: Sendable {
  /// Makes a new file; it is an `ioError` when the name is taken.
  func create(_ name: String) throws(RecorderError) -> any MediaFile
  func open(_ name: String, writable: Bool) throws(RecorderError) -> any MediaFile
  /// Writes under another name, syncs, renames, syncs the folder.
  func replace(_ name: String, with bytes: UnsafeRawBufferPointer) throws(RecorderError)
  func rename(_ name: String, to other: String) throws(RecorderError)
  /// Names in the folder, sorted.
  func list() throws(RecorderError) -> [String]
  func path(_ name: String) -> String
  /// What can still be written to the folder's disk.
  func freeBytes() throws(RecorderError) -> Int
  /// Gives up the folder; safe to call twice.
  func close()
}

/// A file, used by one thread at a time.
public protocol MediaFile: AnyObject, Sendable {
  var size: Int { get }
  /// Writes all bytes or throws `diskFull` or `ioError`; after a throw some of them may be on disk.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(RecorderError)
  /// Fewer bytes than asked for mean the end of the file.
  func read(at offset: Int, count: Int) throws(RecorderError) -> [UInt8]
  func truncate(to size: Int) throws(RecorderError)
  /// The data is on disk when it returns.
  func sync() throws(RecorderError)
  func close()
}

extension MediaFile {
  public func write(_ bytes: [UInt8], at offset: Int) throws(RecorderError) {
    let result = bytes.withUnsafeBytes { raw in Result { () throws(RecorderError) in try self.write(raw, at: offset) } }
    try result.get()
  }
}

extension MediaFolder {
  public func replace(_ name: String, with bytes: [UInt8]) throws(RecorderError) {
    let result = bytes.withUnsafeBytes { raw in Result { () throws(RecorderError) in try self.replace(name, with: raw) }
    }
    try result.get()
  }
}
