// Owns the numbers that stand for recorders outside: never a pointer, never used twice.

import Locks
import RecorderCore

enum HandleTable {
  private struct State {
    var next: UInt64 = 1
    var sessions: [UInt64: RecordingSession] = [:]
  }

  private static let state = Mutex(State())

  static func add(_ session: RecordingSession) -> UInt64 {
    state.withLock { state in
      defer { state.next += 1 }
      state.sessions[state.next] = session
      return state.next
    }
  }

  /// - Throws: `invalidHandle` for a number that was never given out or was destroyed.
  static func session(_ handle: UInt64) throws(RecorderError) -> RecordingSession {
    guard let session = state.withLock({ $0.sessions[handle] }) else { throw unknown(handle) }
    return session
  }

  static func remove(_ handle: UInt64) throws(RecorderError) -> RecordingSession {
    guard let session = state.withLock({ $0.sessions.removeValue(forKey: handle) }) else { throw unknown(handle) }
    return session
  }

  private static func unknown(_ handle: UInt64) -> RecorderError {
    RecorderError(.invalidHandle, "There is no recorder with the handle \(handle); create one first.")
  }
}
