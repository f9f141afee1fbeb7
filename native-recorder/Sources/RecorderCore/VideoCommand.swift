// Owns what is asked of the video thread, and what it works with.

/// What the video side works with.
struct VideoContext: Sendable {
  let platform: any RecorderPlatform
  let config: RecorderConfig
  let clock: SessionClock
  let folder: any MediaFolder
  let manifest: ManifestKeeper
  let events: EventQueue
  let monitor: ServiceMonitor
}

enum VideoCommand: Sendable {
  case pause(offsetMs: Double, Reply<RecorderError?>)
  case resume(atMs: Double, Reply<RecorderError?>)
  case stop(offsetMs: Double, Reply<RecorderError?>)
  case picture(Reply<Result<CapturedPicture, RecorderError>>)
  case add(SourceConfig, Reply<RecorderError?>)
  case remove(id: String, Reply<RecorderError?>)
  case setLayout(LayoutConfig, Reply<RecorderError?>)
  case source(Int, SourceMessage)

  /// Answers a command that nobody carries out any more; nil is as good as done.
  func refuse(_ error: RecorderError?) {
    switch self {
    case .pause(_, let reply), .resume(_, let reply), .stop(_, let reply): reply.complete(error)
    case .add(_, let reply), .remove(_, let reply), .setLayout(_, let reply): reply.complete(error ?? Self.over)
    case .picture(let reply): reply.complete(.failure(error ?? Self.over))
    case .source: break
    }
  }

  private static let over = RecorderError(.invalidState, "The recording has ended.")
}

/// A captured frame, copied out: nobody else has these pixels.
struct CapturedPicture: @unchecked Sendable {
  let picture: BgraPicture
  let offsetMs: Double
  let capturedAtMs: Double
}
