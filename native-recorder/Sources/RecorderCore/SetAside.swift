// Owns keeping what cannot be read: as NAME.torn-N beside the file it came from.

struct SetAside {
  private let folder: any MediaFolder

  init(_ folder: any MediaFolder) {
    self.folder = folder
  }

  /// Moves a whole file out of the way; also a folder or a link that has a file's name.
  func move(_ name: String) throws(RecorderError) {
    try folder.rename(name, to: Self.name(name, try count(name) + 1))
  }

  /// Copies a file's end into a file of its own and makes that durable. A copy that an interrupted recovery left
  /// unfinished is finished.
  func copy(_ file: any MediaFile, from begin: Int, _ name: String) throws(RecorderError) {
    let target: any MediaFile
    if let begun = try unfinished(file, from: begin, name) {
      target = begun
    } else {
      target = try folder.create(Self.name(name, try count(name) + 1))
    }
    defer { target.close() }
    var offset = begin + target.size
    while offset < file.size {
      let bytes = try file.read(at: offset, count: min(1 << 20, file.size - offset))
      if bytes.isEmpty { break }
      try target.write(bytes, at: offset - begin)
      offset += bytes.count
    }
    try target.sync()
  }

  /// What was set aside last of this file.
  func newest(_ name: String) throws(RecorderError) -> (any MediaFile)? {
    let number = try count(name)
    return number == 0 ? nil : try? folder.open(Self.name(name, number), writable: false)
  }

  /// The newest copy, when it is the beginning of what is to be copied.
  private func unfinished(
    _ file: any MediaFile, from begin: Int, _ name: String
  ) throws(RecorderError) -> (any MediaFile)? {
    let number = try count(name)
    guard number > 0, let copy = try? folder.open(Self.name(name, number), writable: true) else { return nil }
    var offset = 0
    while offset < copy.size {
      let bytes = try copy.read(at: offset, count: 1 << 20)
      guard !bytes.isEmpty, try file.read(at: begin + offset, count: bytes.count) == bytes else {
        copy.close()
        return nil
      }
      offset += bytes.count
    }
    return copy
  }

  /// The largest N in use; a number that no recovery comes to is somebody else's name.
  private func count(_ name: String) throws(RecorderError) -> Int {
    let prefix = name + ".torn-"
    return try folder.list().compactMap { $0.hasPrefix(prefix) ? Int($0.dropFirst(prefix.count)) : nil }
      .filter { (1...999_999_999).contains($0) }.max() ?? 0
  }

  private static func name(_ name: String, _ number: Int) -> String { "\(name).torn-\(number)" }
}
