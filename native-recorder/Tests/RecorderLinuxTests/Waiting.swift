// Owns how these tests wait: on threads of their own, for conditions and not for time.

import Glibc
import Testing

@testable import RecorderCore
@testable import RecorderLinux

/// The C calls block; a test that made them on Swift's own threads would starve the recorder it waits for.
func onOwnThread(limitMs: Double = 60_000, _ body: @escaping @Sendable () throws -> Void) async throws {
  let reply = Reply<Result<Void, any Error>>()
  spawn("test") { reply.complete(Result { try body() }) }
  defer { removeTemporaryFolders() }
  try await reply.value(withinMs: limitMs, or: .failure(RecorderError(.timeout, "The test hangs."))).get()
}

/// Waits for a condition, however busy the machine is; a condition that never holds is a failure.
func eventually(_ what: String, _ holds: () -> Bool) {
  for _ in 0..<1_000 {
    if holds() { return }
    usleep(20_000)
  }
  Issue.record("It never came to this: \(what)")
}
