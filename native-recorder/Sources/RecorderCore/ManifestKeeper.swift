// Owns manifest.json while recording: changes from any thread, written atomically by one thread of its own, so that no
// recording thread waits for it.

import Locks

public final class ManifestKeeper: Sendable {
  private struct State {
    var manifest: Manifest
    var version = 0
    var written = 0
    var waiting: [Reply<RecorderError?>] = []
    var isClosed = false
  }

  private let state: Mutex<State>
  private let signal: any Signal
  private let folder: any MediaFolder

  /// Nothing is written before the first `update`: a recording that never began leaves no manifest.
  public init(_ manifest: Manifest, folder: any MediaFolder, platform: any RecorderPlatform) {
    state = Mutex(State(manifest: manifest))
    signal = platform.makeSignal()
    self.folder = folder
    platform.spawnThread("ws-manifest") { [self] in run() }
  }

  public var current: Manifest { state.withLock { $0.manifest } }

  public func update(_ change: (inout Manifest) -> Void) {
    state.withLock { state in
      change(&state.manifest)
      state.version += 1
    }
    signal.raise()
  }

  /// Changes what the next write will say, without writing.
  public func note(_ change: (inout Manifest) -> Void) {
    state.withLock { state in
      change(&state.manifest)
      state.version += 1
    }
  }

  /// Waits until everything said so far is on disk. Nil is success.
  public func flush(withinMs: Double) async -> RecorderError? {
    let reply = Reply<RecorderError?>()
    state.withLock { $0.waiting.append(reply) }
    signal.raise()
    return await reply.value(
      withinMs: withinMs, or: RecorderError(.timeout, "manifest.json was not written in time; the disk may hang."))
  }

  public func close() {
    state.withLock { $0.isClosed = true }
    signal.raise()
  }

  private func run() {
    while true {
      signal.wait(untilMs: .infinity)
      let (manifest, version, waiting, isDirty, isClosed) = state.withLock { state in
        defer { state.waiting = [] }
        return (state.manifest, state.version, state.waiting, state.version != state.written, state.isClosed)
      }
      var failure: RecorderError?
      if isDirty {
        do throws(RecorderError) {
          try folder.replace(Manifest.fileName, with: Array(Json.encode(manifest).utf8))
          state.withLock { $0.written = version }
        } catch {
          // The manifest of before still stands; the next change tries again, and recovery reads the media themselves.
          failure = error
        }
      }
      for reply in waiting { reply.complete(failure) }
      if isClosed { return }
    }
  }
}
