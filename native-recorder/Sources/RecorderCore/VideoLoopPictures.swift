// Owns how the video thread answers those who ask for the captured picture.

extension VideoLoop {
  /// Gives the captured picture to who asked for it: the composed one, or in the single layout the source's own, at its
  /// own resolution. While the source holds it, everyone waits.
  func servePictures(isFresh: Bool = false) {
    guard !pictures.isEmpty, let composedAtMs else { return }
    if let lost = pictureError {
      refusePictures(lost)
      return
    }
    // With tiles that lie otherwise now, what was composed last is not what was asked for.
    guard isFresh || (context.config.video.enabled && !mustArrange) else { return }
    guard let picture = layout.kind == .single ? laidOut.first?.picture : compositor.canvas ?? laidOut.first?.picture
    else { return }
    for reply in pictures { reply.complete(.success(copy(picture, atMs: composedAtMs))) }
    pictures = []
  }

  /// Why no picture will come: no source gives one, or the only one that is shown does not.
  private var pictureError: RecorderError? {
    guard sources.areLive else {
      return context.monitor.current.error ?? RecorderError(.sourceLost, "The display is not being captured.")
    }
    guard layout.kind == .single, let shown = laidOut.first, shown.status.state != .active else { return nil }
    return shown.status.error?.about("Source “\(shown.config.id)”")
  }

  func refusePictures(_ error: RecorderError?) {
    for reply in pictures { VideoCommand.picture(reply).refuse(error) }
    pictures = []
  }

  static let pausedError = RecorderError(
    .invalidState, "Cannot take a screenshot: the recorder is paused.")

  private func copy(_ picture: BgraPicture, atMs: Double) -> CapturedPicture {
    let own = BgraPicture(size: picture.size)
    own.base.copyMemory(from: picture.base, byteCount: picture.byteCount)
    return CapturedPicture(picture: own, offsetMs: context.clock.offsetMs(atMs: atMs), capturedAtMs: atMs)
  }
}
