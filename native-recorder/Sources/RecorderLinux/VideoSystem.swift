// Owns the system calls that Video4Linux needs; a test brings its own.

import CLinux
import Glibc

protocol VideoSystem: Sendable {
  /// Device files, each with the name that stays the same when it is plugged in again, where there is one.
  func nodes() -> [(path: String, stableId: String?)]
  /// A descriptor that poll() takes, or -errno. Calls on it do not block.
  func open(_ path: String) -> Int32
  /// 0 or errno. `argument` is the struct that linux/videodev2.h names for the request.
  func control(_ file: Int32, _ request: UInt, _ argument: UnsafeMutableRawPointer) -> Int32
  func map(_ file: Int32, length: Int, offset: Int) -> UnsafeMutableRawPointer?
  func unmap(_ address: UnsafeMutableRawPointer, length: Int)
  func close(_ file: Int32)
}

extension VideoSystem {
  func control<T>(_ file: Int32, _ request: UInt, _ value: inout T) -> Int32 {
    withUnsafeMutableBytes(of: &value) { raw in raw.baseAddress.map { control(file, request, $0) } ?? EINVAL }
  }
}

struct LinuxVideoSystem: VideoSystem {
  func nodes() -> [(path: String, stableId: String?)] {
    var stable: [String: String] = [:]
    for folder in ["/dev/v4l/by-path", "/dev/v4l/by-id"] {
      for name in list(folder) {
        guard let target = realpath("\(folder)/\(name)", nil) else { continue }
        stable[String(cString: target)] = "\(folder)/\(name)"
        free(target)
      }
    }
    return list("/dev")
      .compactMap { name in name.hasPrefix("video") ? Int(name.dropFirst(5)) : nil }.sorted()
      .map { ("/dev/video\($0)", stable["/dev/video\($0)"]) }
  }

  func open(_ path: String) -> Int32 {
    let file = Glibc.open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
    return file >= 0 ? file : -errno
  }

  func control(_ file: Int32, _ request: UInt, _ argument: UnsafeMutableRawPointer) -> Int32 {
    while ws_ioctl(file, request, argument) != 0 {
      if errno != EINTR { return errno }
    }
    return 0
  }

  func map(_ file: Int32, length: Int, offset: Int) -> UnsafeMutableRawPointer? {
    let address = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, file, offset)
    return address == MAP_FAILED ? nil : address
  }

  func unmap(_ address: UnsafeMutableRawPointer, length: Int) { munmap(address, length) }

  func close(_ file: Int32) { Glibc.close(file) }

  private func list(_ folder: String) -> [String] {
    guard let handle = opendir(folder) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
