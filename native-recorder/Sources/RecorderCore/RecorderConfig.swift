// Owns the recorder's configuration: every value that leaves this file has been checked against its range.

/// What `screen_recorder_create` takes. Missing values have the defaults below; wrong ones are `invalidConfig`.
public struct RecorderConfig: Sendable, Equatable {
  public var sessionId: String
  public var outputDirectory: String
  public var video: VideoConfig
  public var audio: AudioConfig
  public var screenshots: ScreenshotConfig

  /// A display has to be captured for video and for screenshots, also for screenshots alone.
  public var needsDisplay: Bool { video.enabled || screenshots.enabled }
}

public struct VideoConfig: Sendable, Equatable {
  public var enabled: Bool
  /// Upper limit of frames a second; frames come only when the screen changes. 1…60.
  public var fps: Double
  /// Pixels; a wider display is scaled down to it. 64…7680.
  public var maxWidth: Int
  /// Milliseconds between two synced fragments. 250…10000.
  public var fragmentMs: Double
  /// 0 = smallest, 1 = best.
  public var quality: Double
  public var layout: LayoutConfig
  /// Empty means the primary display.
  public var sources: [SourceConfig]
  public var exclusions: Exclusions
  public var showCursor: Bool
}

public enum SourceKind: String, Codable, Sendable { case display, window, webcam, testPattern }

public struct SourceConfig: Sendable, Equatable, Codable {
  public var id: String
  public var type: SourceKind
  /// Nil means the primary display, or the first camera; a window has to be named.
  public var targetId: String?
}

/// What must be black in every frame and screenshot.
public struct Exclusions: Sendable, Equatable {
  /// Window ids as `screen_recorder_sources` gives them.
  public var windowIds: [String]
  /// Names of programs, compared without case.
  public var apps: [String]
  public var isEmpty: Bool { windowIds.isEmpty && apps.isEmpty }

  public init(windowIds: [String] = [], apps: [String] = []) {
    self.windowIds = windowIds
    self.apps = apps
  }
}

/// How several sources share one picture.
public struct LayoutConfig: Sendable, Equatable {
  public enum Kind: String, Codable, Sendable {
    case single, grid
    case sideBySide = "side-by-side"
    case pictureInPicture = "picture-in-picture"
  }

  public enum Corner: String, Codable, Sendable {
    case topLeft = "top-left"
    case topRight = "top-right"
    case bottomLeft = "bottom-left"
    case bottomRight = "bottom-right"
  }

  public var kind: Kind
  /// Of picture-in-picture.
  public var corner: Corner
  /// Of picture-in-picture: the small picture's width as a share of the whole. 0.1…0.5.
  public var size: Double

  public init(_ kind: Kind = .single, corner: Corner = .bottomRight, size: Double = 0.25) {
    self.kind = kind
    self.corner = corner
    self.size = size
  }
}

public struct AudioConfig: Sendable, Equatable {
  public var enabled: Bool
  public var microphone: AudioChoice
  public var systemAudio: AudioChoice
  /// 0 = microphone alone, 1 = system sound alone.
  public var balance: Double
  /// Milliseconds a WAV segment holds. 1000…3600000.
  public var segmentMs: Double
  /// Hertz. 8000…192000.
  public var sampleRate: Int
}

public enum AudioChoice: Sendable, Equatable {
  case none, byDefault
  case device(String)
}

public struct ScreenshotConfig: Sendable, Equatable {
  public var enabled: Bool
  /// Pixels; a wider picture is scaled down to it. 64…7680.
  public var maxWidth: Int
}

extension RecorderConfig: Decodable {
  private enum Keys: String, CodingKey { case sessionId, outputDirectory, video, audio, screenshots }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Keys.self)
    sessionId = try values.decode(String.self, forKey: .sessionId)
    outputDirectory = try values.decode(String.self, forKey: .outputDirectory)
    video = try values.decodeIfPresent(VideoConfig.self, forKey: .video) ?? VideoConfig()
    audio = try values.decodeIfPresent(AudioConfig.self, forKey: .audio) ?? AudioConfig()
    screenshots = try values.decodeIfPresent(ScreenshotConfig.self, forKey: .screenshots) ?? ScreenshotConfig()
    let allowed = sessionId.utf8.allSatisfy { byte in
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || [45, 46, 95].contains(byte)
    }
    guard !sessionId.isEmpty, sessionId.utf8.count <= 128, allowed else {
      throw RecorderError(.invalidConfig, "sessionId has to be 1 to 128 letters, digits, dots, dashes or underscores.")
    }
    guard outputDirectory.utf8.first == 47, !outputDirectory.utf8.contains(0), outputDirectory.utf8.count < 3500 else {
      throw RecorderError(.invalidConfig, "outputDirectory has to be an absolute path.")
    }
    guard video.enabled || audio.enabled || screenshots.enabled else {
      throw RecorderError(.invalidConfig, "Nothing to record: enable video, audio or screenshots.")
    }
  }
}

extension VideoConfig: Decodable {
  private enum Keys: String, CodingKey {
    case enabled, fps, maxWidth, fragmentMs, quality, layout, sources, excludedWindowIds, excludedApps, showCursor
  }

  init() {
    enabled = false
    fps = 15
    maxWidth = 1920
    fragmentMs = 2000
    quality = 0.6
    layout = LayoutConfig()
    sources = []
    exclusions = Exclusions()
    showCursor = true
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Keys.self)
    enabled = try values.value(.enabled, or: true)
    fps = try values.number(.fps, or: 15, in: 1...60)
    maxWidth = Int(try values.number(.maxWidth, or: 1920, in: 64...7680))
    fragmentMs = try values.number(.fragmentMs, or: 2000, in: 250...10_000)
    quality = try values.number(.quality, or: 0.6, in: 0...1)
    layout = try Self.layout(values)
    sources = try values.decodeIfPresent([SourceConfig].self, forKey: .sources) ?? []
    showCursor = try values.value(.showCursor, or: true)
    let windows = try values.decodeIfPresent([LooseId].self, forKey: .excludedWindowIds) ?? []
    let apps = try values.decodeIfPresent([String].self, forKey: .excludedApps) ?? []
    exclusions = Exclusions(windowIds: windows.map(\.text), apps: apps.filter { !$0.isEmpty })
    guard sources.count <= Self.mostSources else {
      throw RecorderError(.invalidConfig, "At most \(Self.mostSources) sources can be recorded together.")
    }
    for (index, source) in sources.enumerated() {
      try source.check()
      if sources[..<index].contains(where: { $0.id == source.id }) {
        throw RecorderError(.invalidConfig, "Two sources have the id “\(source.id)”; give each its own.")
      }
    }
  }

  public static let mostSources = 9

  /// "grid", or {"layout":"picture-in-picture","corner":"top-left","size":0.3}.
  private static func layout(_ values: KeyedDecodingContainer<Keys>) throws -> LayoutConfig {
    if let kind = try? values.decodeIfPresent(LayoutConfig.Kind.self, forKey: .layout) { return LayoutConfig(kind) }
    return try values.decodeIfPresent(LayoutConfig.self, forKey: .layout) ?? LayoutConfig()
  }
}

extension SourceConfig {
  /// - Throws: `invalidConfig` for an id or a target that cannot be used.
  public func check() throws(RecorderError) {
    guard !id.isEmpty, id.utf8.count <= 128, !id.utf8.contains(0) else {
      throw RecorderError(.invalidConfig, "A source's id has to be 1 to 128 bytes of text.")
    }
    guard type != .window || targetId?.isEmpty == false else {
      throw RecorderError(.invalidConfig, "A source of type window needs the window's id as targetId.")
    }
  }
}

extension LayoutConfig: Codable {
  private enum Keys: String, CodingKey { case layout, corner, size }

  /// As `screen_recorder_set_layout` takes it: {"layout", "corner"?, "size"?}.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Keys.self)
    kind = try values.decode(Kind.self, forKey: .layout)
    corner = try values.value(.corner, or: .bottomRight)
    size = try values.number(.size, or: 0.25, in: 0.1...0.5)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Keys.self)
    try values.encode(kind, forKey: .layout)
    try values.encode(corner, forKey: .corner)
    try values.encode(size, forKey: .size)
  }
}

extension AudioConfig: Decodable {
  private enum Keys: String, CodingKey { case enabled, microphone, systemAudio, balance, segmentMs, sampleRate }

  init() {
    enabled = false
    microphone = .none
    systemAudio = .none
    balance = 0.5
    segmentMs = 30_000
    sampleRate = 48_000
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Keys.self)
    enabled = try values.value(.enabled, or: true)
    microphone = try values.decodeIfPresent(AudioChoice.self, forKey: .microphone) ?? .none
    systemAudio = try values.decodeIfPresent(AudioChoice.self, forKey: .systemAudio) ?? .none
    balance = try values.number(.balance, or: 0.5, in: 0...1)
    segmentMs = try values.number(.segmentMs, or: 30_000, in: 1000...3_600_000)
    sampleRate = Int(try values.number(.sampleRate, or: 48_000, in: 8000...192_000))
    guard !enabled || microphone != .none || systemAudio != .none else {
      throw RecorderError(
        .invalidConfig, "audio is enabled but has neither microphone nor systemAudio; name one or disable it.")
    }
  }
}

extension AudioChoice: Decodable {
  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .none
    } else if let wanted = try? value.decode(Bool.self) {
      self = wanted ? .byDefault : .none
    } else if let id = try? value.decode(String.self), !id.isEmpty, !id.utf8.contains(0) {
      self = id == "default" ? .byDefault : .device(id)
    } else {
      throw RecorderError(.invalidConfig, "microphone and systemAudio take a device id, true, false or null.")
    }
  }
}

extension ScreenshotConfig: Decodable {
  private enum Keys: String, CodingKey { case enabled, format, maxWidth }

  init() {
    enabled = false
    maxWidth = 1920
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Keys.self)
    enabled = try values.value(.enabled, or: true)
    maxWidth = Int(try values.number(.maxWidth, or: 1920, in: 64...7680))
    let format = try values.value(.format, or: "png")
    guard format == "png" else {
      throw RecorderError(.unsupported, "This version writes screenshots as png only.")
    }
  }
}

/// A window id may come as a number or as text.
private struct LooseId: Decodable {
  let text: String

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let text = try? value.decode(String.self) {
      self.text = text
    } else {
      text = String(try value.decode(UInt64.self))
    }
  }
}

extension KeyedDecodingContainer {
  fileprivate func value<T: Decodable>(_ key: Key, or standard: T) throws -> T {
    try decodeIfPresent(T.self, forKey: key) ?? standard
  }

  fileprivate func number(_ key: Key, or standard: Double, in range: ClosedRange<Double>) throws -> Double {
    let number = try decodeIfPresent(Double.self, forKey: key) ?? standard
    guard number.isFinite, range.contains(number) else {
      let lowest = range.lowerBound.formattedShort
      throw RecorderError(
        .invalidConfig, "\(key.stringValue) has to lie between \(lowest) and \(range.upperBound.formattedShort).")
    }
    return number
  }
}

extension Double {
  var formattedShort: String { self == rounded() && magnitude < 1e15 ? String(Int64(self)) : String(self) }
}
