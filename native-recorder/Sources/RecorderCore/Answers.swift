// Owns the shapes of what the session's calls answer.

public struct StartAnswer: Encodable, Sendable {
  public let startedAtMonotonicMs: Double
  public let startedAt: String
  public let services: [String: ServiceBrief]
}

public struct ServiceBrief: Encodable, Sendable {
  public let state: ServiceStatus.State
  public let health: ServiceStatus.Health
  public let error: RecorderError?

  public init(_ status: ServiceStatus) {
    state = status.state
    health = status.health
    error = status.error
  }
}

public struct PauseAnswer: Encodable, Sendable {
  public let offsetMs: Double
  public let pausedAtMonotonicMs: Double?
  public let resumedAtMonotonicMs: Double?
}

public struct StatusAnswer: Encodable, Sendable {
  public let state: RecordingSession.State
  public let offsetMs: Double
  public let monotonicMs: Double
  public let encoder: String?
  public let layout: LayoutConfig
  public let sources: [SourceStatus]
  public let services: [String: ServiceStatus]

  private enum Keys: String, CodingKey { case state, offsetMs, monotonicMs, encoder, layout, sources, services }

  /// `encoder` is written as null, not left out.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Keys.self)
    try values.encode(state, forKey: .state)
    try values.encode(offsetMs, forKey: .offsetMs)
    try values.encode(monotonicMs, forKey: .monotonicMs)
    try values.encode(self.encoder, forKey: .encoder)
    try values.encode(layout.kind, forKey: .layout)
    try values.encode(sources, forKey: .sources)
    try values.encode(services, forKey: .services)
  }
}
