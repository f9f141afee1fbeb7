// Owns commands on their way to a service's thread. A closed mailbox gives commands back instead of losing them.

import Locks

final class Mailbox<Command: Sendable>: Sendable {
  private struct State {
    var commands: [Command] = []
    var isClosed = false
  }

  private let state = Mutex(State())
  let waker: any Signal

  init(waker: any Signal) {
    self.waker = waker
  }

  /// Returns false when nobody will read it.
  func post(_ command: Command) -> Bool {
    let taken = state.withLock { state -> Bool in
      guard !state.isClosed else { return false }
      state.commands.append(command)
      return true
    }
    if taken { waker.raise() }
    return taken
  }

  func drain() -> [Command] {
    state.withLock { state in
      defer { state.commands.removeAll() }
      return state.commands
    }
  }

  /// What was still waiting.
  func close() -> [Command] {
    state.withLock { state in
      state.isClosed = true
      defer { state.commands.removeAll() }
      return state.commands
    }
  }
}
