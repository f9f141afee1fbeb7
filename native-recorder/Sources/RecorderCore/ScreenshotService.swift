// Owns screenshots: the frame that was captured anyway, scaled, hashed, written as PNG under a temporary name first.

import Synchronization

public struct ScreenshotAnswer: Codable, Sendable, Equatable {
  public var path: String
  public var width: Int
  public var height: Int
  public var bytes: Int
  public var sha256: String
  public var perceptualHash: String
  public var offsetMs: Double
  public var capturedAtMonotonicMs: Double
  public var name: String?
}

final class ScreenshotService: Sendable {
  static let limitMs = 8_000.0

  let monitor: ServiceMonitor
  private let context: VideoContext
  private let video: VideoService
  private let count = Mutex(0)

  init(_ context: VideoContext, video: VideoService) {
    self.context = context
    self.video = video
    monitor = context.monitor
  }

  func take(name: String?) async -> Result<ScreenshotAnswer, RecorderError> {
    let begunMs = context.clock.nowMs
    switch await video.picture() {
    case .failure(let error):
      note(error)
      return .failure(error)
    case .success(let picture):
      let reply = Reply<Result<ScreenshotAnswer, RecorderError>>()
      // Compressing and syncing take tens of milliseconds: not on Swift's own threads.
      context.platform.spawnThread("ws-screenshot") { [self] in
        reply.complete(Result { () throws(RecorderError) in try write(picture, name: name) })
      }
      let late = RecorderError(.timeout, "The screenshot was not written in time; the disk may hang.")
      let result = await reply.value(withinMs: Self.limitMs, or: .failure(late))
      switch result {
      case .failure(let error): note(error)
      case .success(let answer):
        let nowMs = context.clock.nowMs
        monitor.update { status in
          status.metrics.itemsRecorded += 1
          status.noteLatency(nowMs - begunMs)
          status.bytesOnDisk += answer.bytes
          status.lastActivityMonotonicMs = nowMs
        }
      }
      return result
    }
  }

  private func note(_ error: RecorderError) {
    monitor.update { status in
      status.errorCount += 1
      status.error = error
      status.health = .degraded
    }
  }

  private func write(_ captured: CapturedPicture, name: String?) throws(RecorderError) -> ScreenshotAnswer {
    var pixels = captured.pixels
    let result = pixels.withUnsafeMutableBytes { raw in
      Result { () throws(RecorderError) -> (size: PictureSize, hash: PerceptualHash, png: [UInt8]) in
        guard let base = raw.baseAddress else { throw RecorderError(.internal, "An empty picture was captured.") }
        var picture = BgraPicture(size: captured.size, over: base)
        if captured.size.width > context.config.screenshots.maxWidth {
          let small = BgraPicture(size: captured.size.fitted(maxWidth: context.config.screenshots.maxWidth))
          small.shrink(picture, into: PixelRect(small.size))
          picture = small
        }
        let hash = PerceptualHash(picture)
        let png = try encode(picture)
        return (picture.size, hash, png)
      }
    }
    let picture = try result.get()
    let digest = picture.png.withUnsafeBytes { context.platform.sha256($0) }
    let number = count.withLock { count in
      count += 1
      return count
    }
    let file = MediaName.screenshot(number)
    try context.folder.replace(file, with: picture.png)
    let offsetMs = captured.offsetMs.roundedMs
    let line = Manifest.Screenshot(
      path: file, offsetMs: offsetMs, sha256: digest, perceptualHash: picture.hash.text, bytes: picture.png.count,
      width: picture.size.width, height: picture.size.height)
    context.manifest.update { $0.screenshots.append(line) }
    return ScreenshotAnswer(
      path: context.folder.path(file), width: picture.size.width, height: picture.size.height,
      bytes: picture.png.count, sha256: digest, perceptualHash: picture.hash.text, offsetMs: offsetMs,
      capturedAtMonotonicMs: captured.capturedAtMs.roundedMs, name: name)
  }

  private func encode(_ picture: BgraPicture) throws(RecorderError) -> [UInt8] {
    let rgb = picture.packedRgb()
    let result = rgb.withUnsafeBytes { raw in
      Result { () throws(RecorderError) in
        try context.platform.encodePng(rgb: raw, width: picture.size.width, height: picture.size.height)
      }
    }
    return try result.get()
  }
}
