// Owns files and folders on POSIX: durable writes, the lock that keeps two recorders out of one folder, errno in words.

import Glibc
import Locks
import RecorderCore

func posixError(_ doing: String, _ path: String, _ number: Int32) -> RecorderError {
  let reason = String(cString: strerror(number))
  if number == ENOSPC || number == EDQUOT {
    return RecorderError(.diskFull, "The disk is full: cannot \(doing) \(path). Free some space.")
  }
  var error = RecorderError(.ioError, "Cannot \(doing) \(path): \(reason).")
  error.isShortage = number == EMFILE || number == ENFILE || number == ENOMEM
  return error
}

/// Calls again when a signal interrupted the call.
private func retrying(_ call: () -> Int) -> Int {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}

public final class PosixFolder: MediaFolder {
  private static let lockName = ".recorder.lock"
  private let directory: String
  private let descriptor: Int32
  private let lock: Mutex<Int32>

  /// - Parameter isShared: for those who only read: they keep a recorder out, and not each other.
  /// - Throws: `ioError`, `diskFull`; `invalidState` when another recorder holds the folder.
  public init(_ path: String, forRecording: Bool, isShared: Bool = false) throws(RecorderError) {
    if forRecording { try Self.makeFolders(path) }
    let opened = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard opened >= 0 else { throw posixError("open the folder", path, errno) }
    directory = path
    descriptor = opened
    lock = Mutex(-1)
    let access = (isShared ? O_RDONLY : O_RDWR) | (forRecording ? O_CREAT : 0)
    let lockFile = openat(opened, Self.lockName, access | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
    if lockFile < 0 {
      let number = errno
      // A folder that never had a recorder, or that may only be read, needs no lock to be read.
      if !forRecording, [ENOENT, EACCES, EROFS].contains(number) { return }
      throw posixError(forRecording ? "write to" : "lock", path, number)
    }
    guard flock(lockFile, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else {
      Glibc.close(lockFile)
      throw RecorderError(.invalidState, "Another recorder is using \(path).")
    }
    lock.withLock { $0 = lockFile }
  }

  deinit {
    close()
    Glibc.close(descriptor)
  }

  public func close() {
    lock.withLock { lock in
      if lock >= 0 { Glibc.close(lock) }
      lock = -1
    }
  }

  public func path(_ name: String) -> String { directory.hasSuffix("/") ? directory + name : directory + "/" + name }

  public func create(_ name: String) throws(RecorderError) -> any MediaFile {
    let file = openat(descriptor, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw posixError("create", path(name), errno) }
    try sync()
    return PosixFile(file, path: path(name))
  }

  public func open(_ name: String, writable: Bool) throws(RecorderError) -> any MediaFile {
    // A link could lead anywhere; a recorder makes none.
    let file = openat(descriptor, name, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    guard file >= 0 else { throw posixError("open", path(name), errno) }
    return PosixFile(file, path: path(name))
  }

  public func replace(_ name: String, with bytes: UnsafeRawBufferPointer) throws(RecorderError) {
    let temporary = "." + name + ".tmp"
    let opened = openat(descriptor, temporary, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0o600)
    guard opened >= 0 else { throw posixError("create", path(temporary), errno) }
    let file = PosixFile(opened, path: path(temporary))
    defer { file.close() }
    do {
      try file.write(bytes, at: 0)
      try file.sync()
      try rename(temporary, to: name)
    } catch {
      unlinkat(descriptor, temporary, 0)
      throw error
    }
  }

  public func rename(_ name: String, to other: String) throws(RecorderError) {
    guard renameat(descriptor, name, descriptor, other) == 0 else { throw posixError("rename", path(name), errno) }
    try sync()
  }

  public func list() throws(RecorderError) -> [String] {
    let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0, let stream = fdopendir(copy) else { throw posixError("read the folder", directory, errno) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  public func sync() throws(RecorderError) {
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw posixError("sync", directory, errno) }
  }

  public func freeBytes() throws(RecorderError) -> Int {
    var disk = statvfs()
    guard fstatvfs(descriptor, &disk) == 0 else { throw posixError("ask for the free space of", directory, errno) }
    return Int(clamping: UInt64(disk.f_bavail).multipliedReportingOverflow(by: UInt64(disk.f_frsize)).partialValue)
  }

  private static func makeFolders(_ path: String) throws(RecorderError) {
    if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
      throw posixError("create the folder", path, errno)
    }
    try makeFolders(String(path[..<slash]))
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw posixError("create the folder", path, errno) }
  }
}

/// Used by one thread at a time; closed once.
final class PosixFile: MediaFile {
  private let path: String
  private let state: Mutex<Int32>

  init(_ descriptor: Int32, path: String) {
    self.path = path
    state = Mutex(descriptor)
  }

  deinit {
    close()
  }

  private var descriptor: Int32 { state.withLock { $0 } }

  var size: Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(RecorderError) {
    var done = 0
    while done < bytes.count {
      let wrote = retrying {
        pwrite(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset + done))
      }
      guard wrote > 0 else { throw posixError("write", path, wrote == 0 ? ENOSPC : errno) }
      done += wrote
    }
  }

  func read(at offset: Int, count: Int) throws(RecorderError) -> [UInt8] {
    var failure: Int32 = 0
    let wanted = max(0, min(count, size - offset))
    // Swift writes a length of 0 into the storage that all empty arrays share, which the thread sanitizer sees.
    guard wanted > 0 else { return [] }
    let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
      while filled < wanted {
        let got = retrying {
          pread(descriptor, buffer.baseAddress?.advanced(by: filled), wanted - filled, off_t(offset + filled))
        }
        if got < 0 { failure = errno }
        if got <= 0 { break }
        filled += got
      }
    }
    if failure != 0 { throw posixError("read", path, failure) }
    return bytes
  }

  func truncate(to size: Int) throws(RecorderError) {
    guard ftruncate(descriptor, off_t(size)) == 0 else { throw posixError("truncate", path, errno) }
  }

  func sync() throws(RecorderError) {
    guard fdatasync(descriptor) == 0 || errno == EINVAL else { throw posixError("sync", path, errno) }
    // Writing into a deleted file succeeds; recording into one would be a lie.
    var status = stat()
    guard fstat(descriptor, &status) != 0 || status.st_nlink > 0 else {
      throw RecorderError(.ioError, "The file \(path) was deleted while it was being written.")
    }
  }

  func close() {
    state.withLock { descriptor in
      if descriptor >= 0 { Glibc.close(descriptor) }
      descriptor = -1
    }
  }
}
