// Owns screenshots: the frame that was captured anyway, scaled, hashed, written as PNG under a temporary name first.

import Locks

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
  /// Bits in which the hash differs from the one of the screenshot before, 0…64.
  public var distance: Int?
  /// The file that shows the same already; nothing was written then, and path, bytes and hashes are those of that file.
  public var duplicateOf: String?
}

final class ScreenshotService: Sendable {
  static let limitMs = 8_000.0
  static let stopLimitMs = 1_000.0

  let monitor: ServiceMonitor
  private let context: VideoContext
  private let video: VideoService
  private let kept = Mutex(Kept())
  private let flow = Mutex(Flow())

  private struct Kept {
    var count = 0
    var last: (file: String, answer: ScreenshotAnswer, hash: PerceptualHash, print: BlockPrint)?
  }

  private struct Flow {
    var underWay = 0
    var isOver = false
    /// Told when the last one that is under way has been written.
    let idle = Reply<Void>()
  }

  init(_ context: VideoContext, video: VideoService) {
    self.context = context
    self.video = video
    monitor = context.monitor
  }

  /// Takes no more, and waits for those that are being written: the manifest names every file.
  func stop() async {
    let idle = flow.withLock { flow in
      flow.isOver = true
      return flow.underWay > 0 ? flow.idle : nil
    }
    await idle?.value(withinMs: Self.stopLimitMs, or: ())
    monitor.move(to: .stopped)
  }

  func take(name: String?) async -> Result<ScreenshotAnswer, RecorderError> {
    let begunMs = context.clock.nowMs
    let isOver = flow.withLock { flow in
      if !flow.isOver { flow.underWay += 1 }
      return flow.isOver
    }
    guard !isOver else {
      return .failure(RecorderError(.invalidState, "Cannot take a screenshot: the recording has ended."))
    }
    switch await video.picture() {
    case .failure(let error):
      leave()
      note(error)
      return .failure(error)
    case .success(let picture):
      let reply = Reply<Result<ScreenshotAnswer, RecorderError>>()
      // Compressing and syncing take tens of milliseconds: not on Swift's own threads.
      context.platform.spawnThread("ws-screenshot") { [self] in
        let result = Result { () throws(RecorderError) in try write(picture, name: name) }
        leave()
        reply.complete(result)
      }
      let late = RecorderError(.timeout, "The screenshot was not written in time; the disk may hang.")
      let result = await reply.value(withinMs: Self.limitMs, or: .failure(late))
      switch result {
      case .failure(let error): note(error)
      case .success(let answer):
        let nowMs = context.clock.nowMs
        monitor.update { status in
          status.note("screenshot", nil)
          status.lastActivityMonotonicMs = nowMs
          guard answer.duplicateOf == nil else { return }
          status.metrics.itemsRecorded += 1
          status.noteLatency(nowMs - begunMs)
          status.bytesOnDisk += answer.bytes
        }
      }
      return result
    }
  }

  private func leave() {
    let idle = flow.withLock { flow in
      flow.underWay -= 1
      return flow.isOver && flow.underWay == 0 ? flow.idle : nil
    }
    idle?.complete(())
  }

  private func note(_ error: RecorderError) {
    monitor.update { $0.note("screenshot", error) }
  }

  /// One at a time: each is compared with the one before. Called on a thread of its own.
  private func write(_ captured: CapturedPicture, name: String?) throws(RecorderError) -> ScreenshotAnswer {
    let result = kept.withLock { kept in
      Result { () throws(RecorderError) in try write(captured, name: name, &kept) }
    }
    return try result.get()
  }

  private func write(
    _ captured: CapturedPicture, name: String?, _ kept: inout Kept
  ) throws(RecorderError) -> ScreenshotAnswer {
    let print = BlockPrint(captured.picture)
    if var same = kept.last, same.print.isSame(as: print) {
      same.answer.duplicateOf = same.file
      same.answer.distance = 0
      same.answer.name = name
      same.answer.offsetMs = captured.offsetMs.roundedMs
      same.answer.capturedAtMonotonicMs = captured.capturedAtMs.roundedMs
      return same.answer
    }
    let shown = fitted(captured.picture)
    let hash = PerceptualHash(shown)
    let png = try encode(shown)
    let file = MediaName.screenshot(kept.count + 1)
    try context.folder.replace(file, with: png)
    kept.count += 1
    let answer = ScreenshotAnswer(
      path: context.folder.path(file), width: shown.size.width, height: shown.size.height, bytes: png.count,
      sha256: png.withUnsafeBytes { context.platform.sha256($0) }, perceptualHash: hash.text,
      offsetMs: captured.offsetMs.roundedMs, capturedAtMonotonicMs: captured.capturedAtMs.roundedMs, name: name,
      distance: kept.last.map { $0.hash.distance(to: hash) })
    kept.last = (file, answer, hash, print)
    let line = Manifest.Screenshot(
      path: file, offsetMs: answer.offsetMs, sha256: answer.sha256, perceptualHash: answer.perceptualHash,
      bytes: answer.bytes, width: answer.width, height: answer.height)
    context.manifest.update { $0.screenshots.append(line) }
    return answer
  }

  private func fitted(_ picture: BgraPicture) -> BgraPicture {
    guard picture.size.width > context.config.screenshots.maxWidth else { return picture }
    let small = BgraPicture(size: picture.size.fitted(maxWidth: context.config.screenshots.maxWidth))
    small.shrink(picture, into: PixelRect(small.size))
    return small
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
