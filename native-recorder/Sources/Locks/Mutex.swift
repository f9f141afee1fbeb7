// Owns which lock the recorder uses: Swift's own, and for the thread sanitizer one that it can see. Swift's is a futex in
// a library that is not instrumented, so every use of it under contention would look like a race.

#if THREAD_SANITIZER
  import Glibc

  public final class Mutex<Value>: @unchecked Sendable {
    private var value: Value
    private let lock: UnsafeMutablePointer<pthread_mutex_t>

    public init(_ value: Value) {
      self.value = value
      lock = .allocate(capacity: 1)
      pthread_mutex_init(lock, nil)
    }

    deinit {
      pthread_mutex_destroy(lock)
      lock.deallocate()
    }

    public func withLock<Result, Failure: Error>(
      _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
      pthread_mutex_lock(lock)
      defer { pthread_mutex_unlock(lock) }
      return try body(&value)
    }
  }
#else
  @_exported import struct Synchronization.Mutex
#endif
