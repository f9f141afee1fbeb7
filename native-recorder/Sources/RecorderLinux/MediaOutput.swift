// Owns a file that appears under its name only when it is whole: written under another name beside it, synced, renamed.

import Glibc
import RecorderCore

/// Without `commit` nothing is left behind, and what had the name before stays.
final class MediaOutput {
  let path: String
  let temporaryPath: String
  private let folder: String
  private let descriptor: Int32
  private var isCommitted = false

  /// - Throws: `ioError` or `diskFull` when the folder cannot be written, `invalidState` while another job writes the
  ///   same file.
  init(_ path: String) throws(RecorderError) {
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    folder = slash == path.startIndex ? "/" : String(path[..<slash])
    self.path = path
    temporaryPath = String(path[...slash]) + "." + path[path.index(after: slash)...] + ".partial"
    descriptor = open(temporaryPath, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw posixError("create", temporaryPath, errno) }
    // What a crashed job left under this name is overwritten; what a living one writes is not.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw RecorderError(.invalidState, "Another job is writing \(path).")
    }
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      unlink(temporaryPath)
      close(descriptor)
      throw RecorderError(.ioError, "Cannot write \(path): it is a folder.")
    }
  }

  deinit {
    if !isCommitted { unlink(temporaryPath) }
    close(descriptor)
  }

  /// Makes the file durable under its name. Returns its size in bytes.
  func commit() throws(RecorderError) -> Int {
    guard fsync(descriptor) == 0 else { throw posixError("sync", temporaryPath, errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw posixError("read", temporaryPath, errno) }
    guard rename(temporaryPath, path) == 0 else { throw posixError("rename", temporaryPath, errno) }
    isCommitted = true
    let opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { close(opened) }
    guard opened >= 0, fsync(opened) == 0 || errno == EINVAL else { throw posixError("sync", folder, errno) }
    return Int(status.st_size)
  }
}
