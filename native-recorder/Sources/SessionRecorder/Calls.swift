// Owns the way from a blocking C call to async code and back: text in, text out, a limit on every wait.

import Dispatch
import Glibc
import Locks
import RecorderCore
import RecorderLinux

struct ErrorAnswer: Encodable {
  let error: RecorderError
}

struct EmptyAnswer: Encodable {}

let platform = LinuxPlatform()
let mediaJobs = MediaJobs(platform: platform)

/// A string that the caller frees with `screen_recorder_free_string`; nil only when there is no memory.
func cString(_ text: String) -> UnsafeMutablePointer<CChar>? {
  strdup(text)
}

func answer<T: Encodable>(_ result: Result<T, RecorderError>) -> UnsafeMutablePointer<CChar>? {
  switch result {
  case .success(let value): cString(Json.encode(value))
  case .failure(let error): cString(Json.encode(ErrorAnswer(error: error)))
  }
}

func answering<T: Encodable>(_ body: () throws(RecorderError) -> T) -> UnsafeMutablePointer<CChar>? {
  answer(Result { () throws(RecorderError) in try body() })
}

/// Reads a request; nil, text that is not UTF-8 and text without an end within a megabyte are errors.
func request<T: Decodable>(_ type: T.Type, _ text: UnsafePointer<CChar>?) throws(RecorderError) -> T {
  guard let text else { throw RecorderError(.invalidConfig, "The request is missing (a null pointer was given).") }
  let length = strnlen(text, Json.longestRequest + 1)
  let bytes = UnsafeRawBufferPointer(start: text, count: length)
  guard let string = String(validating: bytes, as: UTF8.self) else {
    throw RecorderError(.invalidConfig, "The request is not UTF-8 text.")
  }
  return try Json.decode(type, from: string)
}

/// Runs async work and blocks the calling thread, which is the caller's own, until it is done or `limitMs` are over.
func waiting<T: Sendable>(
  limitMs: Int, _ work: @escaping @Sendable () async throws(RecorderError) -> T
) throws(RecorderError) -> T {
  let outcome = Outcome<T>()
  // A thread waits for it.
  Task.detached(priority: .userInitiated) {
    do throws(RecorderError) {
      outcome.set(.success(try await work()))
    } catch {
      outcome.set(.failure(error))
    }
  }
  guard let result = outcome.get(limitMs: limitMs) else {
    throw RecorderError(.timeout, "The recorder did not answer within \(limitMs / 1000) seconds.")
  }
  return try result.get()
}

/// Runs blocking work on a thread of its own, so that a server that hangs costs the caller `limitMs` at most. Work that
/// was given up goes on; what it comes to is handed to `tooLate`, because nobody else knows of it.
func onThread<T: Sendable>(
  limitMs: Int, _ work: @escaping @Sendable () throws(RecorderError) -> T,
  tooLate: @escaping @Sendable (T) -> Void = { _ in }
) throws(RecorderError) -> T {
  let outcome = Outcome<T>()
  platform.spawnThread("ws-call") {
    let result = Result { () throws(RecorderError) in try work() }
    if !outcome.set(result), case .success(let value) = result { tooLate(value) }
  }
  guard let result = outcome.get(limitMs: limitMs) else {
    throw RecorderError(.timeout, "No answer within \(limitMs / 1000) seconds; a server or a disk hangs.")
  }
  return try result.get()
}

private final class Outcome<T: Sendable>: Sendable {
  private enum State {
    case open
    case set(Result<T, RecorderError>)
    case abandoned
  }

  private let state = Mutex(State.open)
  private let done = DispatchSemaphore(value: 0)

  /// False when nobody waits for it any more.
  @discardableResult
  func set(_ result: Result<T, RecorderError>) -> Bool {
    defer { done.signal() }
    return state.withLock { state in
      if case .abandoned = state { return false }
      state = .set(result)
      return true
    }
  }

  func get(limitMs: Int) -> Result<T, RecorderError>? {
    _ = done.wait(timeout: .now() + .milliseconds(limitMs))
    return state.withLock { state in
      if case .set(let result) = state { return result }
      state = .abandoned
      return nil
    }
  }
}
