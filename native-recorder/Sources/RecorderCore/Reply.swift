// Owns the way back from a thread to async code: one answer, the first one counts, and it can be late.

import Locks

public final class Reply<Value: Sendable>: Sendable {
  private struct State {
    var value: Value?
    var waiting: CheckedContinuation<Value, Never>?
  }

  private let state = Mutex(State())

  public init() {}

  /// Later answers are ignored; returns whether this one counted.
  @discardableResult public func complete(_ value: Value) -> Bool {
    let (counted, waiting) = state.withLock { state -> (Bool, CheckedContinuation<Value, Never>?) in
      guard state.value == nil else { return (false, nil) }
      state.value = value
      defer { state.waiting = nil }
      return (true, state.waiting)
    }
    waiting?.resume(returning: value)
    return counted
  }

  /// Awaited by one task at a time. After `withinMs` the answer is `late`.
  public func value(withinMs: Double, or late: Value) async -> Value {
    let timer = Task {
      try? await Task.sleep(for: .milliseconds(withinMs))
      if !Task.isCancelled { complete(late) }
    }
    defer { timer.cancel() }
    return await withCheckedContinuation { continuation in
      let value = state.withLock { state -> Value? in
        if state.value == nil { state.waiting = continuation }
        return state.value
      }
      if let value { continuation.resume(returning: value) }
    }
  }
}
