// Owns the video thread: waits for the screen to change, grabs at the frame rate's ticks, encodes, cuts fragments.
// A still screen wakes it once for each fragment.

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
  case resume(Reply<RecorderError?>)
  case stop(offsetMs: Double, Reply<RecorderError?>)
  case picture(Reply<Result<CapturedPicture, RecorderError>>)
}

/// Pixels of a captured frame, copied out.
struct CapturedPicture: Sendable {
  let size: PictureSize
  /// BGRX rows without padding.
  var pixels: [UInt8]
  let offsetMs: Double
  let capturedAtMs: Double
}

final class VideoLoop {
  private let context: VideoContext
  private let mailbox: Mailbox<VideoCommand>
  private let source: any RecordingSource
  private var take: TakeRecorder?
  private var takes = 0
  /// Until a hardware encoder fails.
  private var allowsHardware = true
  private var latest: (picture: BgraPicture, atMs: Double)?
  private var isPaused = false
  private var isDone = false
  private var hasChanged = true
  /// When the change that waits was seen; 0 when none waits.
  private var changedSinceMs = 0.0
  /// Monotonic moment from which the next frame may be grabbed.
  private var tickMs = 0.0
  private let tickIntervalMs: Double

  init(_ context: VideoContext, source: any RecordingSource, mailbox: Mailbox<VideoCommand>) {
    self.context = context
    self.source = source
    self.mailbox = mailbox
    tickIntervalMs = 1000 / context.config.video.fps
  }

  /// Opens the first take and puts its first frame into the encoder.
  func begin() throws(RecorderError) {
    tickMs = context.clock.nowMs
    if context.config.video.enabled { try beginTake() }
    try captureFrame()
  }

  /// Runs until stopped. Throws what ended it before that; the take is finished in either case.
  func run() throws(RecorderError) {
    do {
      while !isDone {
        for command in mailbox.drain() { try handle(command) }
        if !isDone { try step() }
      }
    } catch {
      try? take?.finish(endMs: context.clock.offsetMs)
      take = nil
      throw error
    }
  }

  private func step() throws(RecorderError) {
    let nowMs = context.clock.nowMs
    let wantsFrame = hasChanged && !isPaused && context.config.video.enabled
    if wantsFrame, nowMs >= tickMs {
      try captureFrame()
      return
    }
    let offsetMs = context.clock.offsetMs(atMs: nowMs)
    var waitMs = wantsFrame ? tickMs - nowMs : .infinity
    if let take, !isPaused {
      if offsetMs >= take.dueMs {
        // Nothing new: what is shown reaches the disk all the same.
        try encode(atMs: offsetMs, changedShare: 0)
        return
      }
      waitMs = min(waitMs, take.dueMs - offsetMs)
    }
    switch try source.wait(untilMs: nowMs + waitMs) {
    case .nothing: break
    case .changed:
      if !hasChanged { changedSinceMs = context.clock.nowMs }
      hasChanged = true
    case .resized: try handleResize()
    }
  }

  private func captureFrame() throws(RecorderError) {
    let dueMs = tickMs
    let frame = try source.capture()
    hasChanged = false
    latest = (frame.picture, frame.presentationMs)
    countDrops(dueMs: dueMs, nowMs: frame.presentationMs)
    tickMs = nextTick(after: frame.presentationMs)
    guard let take else { return }
    let share = take.update(frame.picture, damage: frame.damage)
    // Programs often draw what is already there; that is no frame.
    guard share > 0 || take.offsetMs == nil else { return }
    try encode(atMs: context.clock.offsetMs(atMs: frame.presentationMs), changedShare: share)
    let doneMs = context.clock.nowMs
    context.monitor.update { status in
      status.metrics.itemsRecorded += 1
      status.noteLatency(doneMs - frame.presentationMs)
    }
  }

  private func encode(atMs: Double, changedShare: Double) throws(RecorderError) {
    do {
      try take?.encode(atMs: atMs, changedShare: changedShare)
    } catch {
      guard let old = take, old.usesHardware, error.code == .encoderFailed, let latest else { throw error }
      // The card failed, not the recording: software goes on in a new take.
      allowsHardware = false
      try? old.finish(endMs: atMs)
      try beginTake()
      _ = take?.update(latest.picture, damage: [PixelRect(latest.picture.size)])
      try take?.encode(atMs: atMs, changedShare: 1)
    }
  }

  private func handle(_ command: VideoCommand) throws(RecorderError) {
    switch command {
    case .pause(let offsetMs, let reply):
      isPaused = true
      defer { reply.complete(nil) }
      try take?.cut(endMs: offsetMs)
      context.monitor.move(to: .paused)
    case .resume(let reply):
      isPaused = false
      defer { reply.complete(nil) }
      context.monitor.move(to: .active)
      tickMs = context.clock.nowMs
      if let take {
        // A frame at once: the picture may have changed, and the next fragment begins here.
        let frame = try source.capture()
        latest = (frame.picture, frame.presentationMs)
        hasChanged = false
        let share = take.update(frame.picture, damage: frame.damage)
        try encode(atMs: context.clock.offsetMs(atMs: frame.presentationMs), changedShare: share)
        tickMs = nextTick(after: frame.presentationMs)
      }
    case .stop(let offsetMs, let reply):
      isDone = true
      context.monitor.move(to: .stopping)
      do {
        try take?.finish(endMs: offsetMs)
        take = nil
        context.monitor.move(to: .stopped)
        reply.complete(nil)
      } catch {
        take = nil
        context.monitor.update { $0.fail(error) }
        reply.complete(error)
      }
    case .picture(let reply):
      do {
        if take == nil { try captureFrame() }
        reply.complete(copyLatest())
      } catch {
        reply.complete(.failure(error))
        throw error
      }
    }
  }

  private func copyLatest() -> Result<CapturedPicture, RecorderError> {
    guard let latest else { return .failure(RecorderError(.internal, "No frame has been captured yet.")) }
    let picture = latest.picture
    let pixels = [UInt8](unsafeUninitializedCapacity: picture.byteCount) { buffer, count in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(
        from: UnsafeRawBufferPointer(start: picture.base, count: picture.byteCount))
      count = picture.byteCount
    }
    return .success(
      CapturedPicture(
        size: picture.size, pixels: pixels, offsetMs: context.clock.offsetMs(atMs: latest.atMs),
        capturedAtMs: latest.atMs))
  }

  private func handleResize() throws(RecorderError) {
    hasChanged = true
    // The old picture's memory is gone.
    latest = nil
    guard let old = take else { return }
    take = nil
    do throws(RecorderError) {
      try beginTake()
      if !isPaused { try captureFrame() }
    } catch {
      try? old.finish(endMs: context.clock.offsetMs)
      throw error
    }
    // The old picture lasts until the new one is there: opening an encoder leaves no gap between the takes.
    try old.finish(endMs: take?.offsetMs ?? context.clock.offsetMs)
  }

  private func beginTake() throws(RecorderError) {
    takes += 1
    take = try TakeRecorder(index: takes, source: source.pictureSize, context: context, allowsHardware: allowsHardware)
  }

  /// Ticks lie on a grid, so that frames of a busy screen are evenly spaced.
  private func nextTick(after nowMs: Double) -> Double {
    let behind = ((nowMs - tickMs) / tickIntervalMs).rounded(.down)
    return tickMs + (max(0, behind) + 1) * tickIntervalMs
  }

  private func countDrops(dueMs: Double, nowMs: Double) {
    // Ticks that passed while a changed picture waited to be grabbed.
    guard take?.offsetMs != nil, changedSinceMs > 0 else { return }
    let missed = Int((nowMs - max(dueMs, changedSinceMs)) / tickIntervalMs)
    changedSinceMs = 0
    guard missed > 0 else { return }
    context.monitor.update { $0.metrics.droppedItems += missed }
    context.manifest.update { $0.droppedFrames["late", default: 0] += missed }
  }

}
