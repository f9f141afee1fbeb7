// Owns a file that appears under its name only when it is whole: written under another name beside it, synced, renamed.

import Glibc
import RecorderCore

/// Without `commit` nothing is left behind, and what had the name before stays.
final class MediaOutput {
  let path: String
  let temporaryPath: String
  private let folder: String
  private let descriptor: Int32
  /// Whether the file that has the temporary name is this one: only then is it removed.
  private var isMine = false
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
    // A job that ended between the two calls has taken the file that was opened with it.
    var (opened, named) = (stat(), stat())
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &opened) == 0,
      lstat(temporaryPath, &named) == 0, opened.st_dev == named.st_dev, opened.st_ino == named.st_ino
    else { throw RecorderError(.invalidState, "Another job is writing \(path).") }
    isMine = true
    if stat(path, &named) == 0, named.st_mode & S_IFMT == S_IFDIR {
      throw RecorderError(.ioError, "Cannot write \(path): it is a folder.")
    }
  }

  deinit {
    if isMine, !isCommitted { unlink(temporaryPath) }
    if descriptor >= 0 { close(descriptor) }
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
