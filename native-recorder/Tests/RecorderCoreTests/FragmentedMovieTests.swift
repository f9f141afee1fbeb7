// Owns what is promised of a take's file: whole after every fragment, and readable up to there when it is torn.

import Locks
import Testing

@testable import RecorderCore

@Suite struct FragmentedMovieTests {
  private let configuration: [UInt8] = [1, 100, 0, 40, 0xff, 0xe1, 0, 1, 0x67, 1, 0, 1, 0x68]

  private func writer(_ file: any MediaFile) throws -> FragmentedMovieWriter {
    try FragmentedMovieWriter(
      file: file, size: PictureSize(width: 64, height: 48), decoderConfiguration: configuration)
  }

  private func frame(_ ticks: Int, key: Bool = false) -> EncodedFrame {
    EncodedFrame(bytes: [UInt8](repeating: 9, count: 40), presentationTicks: Int64(ticks), isKeyframe: key)
  }

  @Test func theHeaderAlwaysSaysTheTrueDuration() throws {
    let file = MemoryFile()
    let movie = try writer(file)
    for fragment in 0..<5 {
      movie.add(frame(fragment * 180_000, key: fragment == 0))
      movie.add(frame(fragment * 180_000 + 90_000))
      try movie.cut(endTicks: (fragment + 1) * 180_000)
      let front = try #require(try MovieFront.read(file))
      #expect(front.durations.count == 4)
      for field in front.durations {
        #expect(ByteReader(bytes: file.bytes).u64(field.offset) == (fragment + 1) * 180_000)
      }
    }
    try movie.finish(endTicks: 900_000)
    let scan = try #require(try MovieScan.read(file))
    #expect(scan.fragments.count == 5 && scan.frames == 10 && scan.durationMs == 10_000)
    #expect(scan.hasRandomAccessIndex && !scan.isTorn)
    #expect(scan.front.width == 64 && scan.front.height == 48)
  }

  @Test func everyFragmentIsSynced() throws {
    let file = MemoryFile()
    let movie = try writer(file)
    let before = file.syncs
    movie.add(frame(0, key: true))
    try movie.cut(endTicks: 90_000)
    #expect(file.syncs == before + 1)
  }

  @Test func theIndexHasOneReferenceForEachGroupOfAKeyframe() throws {
    let file = MemoryFile()
    let movie = try writer(file)
    for fragment in 0..<6 {
      movie.add(frame(fragment * 90_000, key: fragment % 3 == 0))
      try movie.cut(endTicks: (fragment + 1) * 90_000)
    }
    let reader = ByteReader(bytes: file.bytes)
    let front = try #require(try MovieFront.read(file))
    let room = try #require(front.indexRoom)
    #expect(room.size == MovieHeader.indexRoom)
    #expect(reader.u16(room.offset + 38) == 2)
    // The references cover the fragments exactly.
    let bytes = [0, 1].map { (reader.u32(room.offset + 40 + $0 * 12) ?? 0) }
    #expect(bytes.reduce(0, +) == file.size - front.end)
    #expect(reader.u64(room.offset + 28) == room.size - 40 - 24)
  }

  /// A disk whose syncs fail for a time.
  private final class UnsyncedFile: MediaFile {
    let memory = MemoryFile()
    let fails = Mutex(false)
    var size: Int { memory.size }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(RecorderError) {
      try memory.write(bytes, at: offset)
    }
    func read(at offset: Int, count: Int) throws(RecorderError) -> [UInt8] { try memory.read(at: offset, count: count) }
    func truncate(to size: Int) throws(RecorderError) { try memory.truncate(to: size) }
    func sync() throws(RecorderError) {
      if fails.withLock(\.self) { throw RecorderError(.ioError, "no sync") }
    }
    func close() {}
  }

  @Test func aFragmentThatHadToBeWrittenTwiceIsInTheIndexOnce() throws {
    let file = UnsyncedFile()
    let movie = try writer(file)
    movie.add(frame(0, key: true))
    try movie.cut(endTicks: 90_000)
    movie.add(frame(90_000, key: true))
    file.fails.withLock { $0 = true }
    #expect(throws: RecorderError(.ioError, "no sync")) { try movie.cut(endTicks: 180_000) }
    file.fails.withLock { $0 = false }
    try movie.cut(endTicks: 180_000)
    let front = try #require(try MovieFront.read(file))
    let room = try #require(front.indexRoom)
    let reader = ByteReader(bytes: file.memory.bytes)
    #expect(reader.u16(room.offset + 38) == 2)
    let bytes = [0, 1].map { reader.u32(room.offset + 40 + $0 * 12) ?? 0 }
    #expect(bytes.reduce(0, +) == file.size - front.end)
  }

  @Test func aFullIndexKeepsCoveringEverything() throws {
    var index = MovieIndex()
    for _ in 0..<(MovieHeader.mostReferences * 2 + 7) { index.add(bytes: 10, ticks: 20, beginsWithKeyframe: true) }
    #expect(index.references.count <= MovieHeader.mostReferences)
    #expect(index.references.reduce(0) { $0 + $1.bytes } == (MovieHeader.mostReferences * 2 + 7) * 10)
  }

  @Test func aTornFileReadsUpToItsLastWholeFragment() throws {
    let file = MemoryFile()
    let movie = try writer(file)
    var ends: [Int] = [file.size]
    for fragment in 0..<3 {
      movie.add(frame(fragment * 90_000, key: fragment == 0))
      try movie.cut(endTicks: (fragment + 1) * 90_000)
      ends.append(file.size)
    }
    let whole = file.bytes
    for length in ends[0]...whole.count {
      let scan = try #require(try MovieScan.read(MemoryFile(Array(whole.prefix(length)))))
      #expect(scan.fragments.count == ends.filter { $0 <= length }.count - 1)
    }
  }

  @Test func aFullDiskLeavesTheLastWholeFragment() throws {
    let file = MemoryFile(capacity: 34_000)
    let movie = try writer(file)
    movie.add(frame(0, key: true))
    try movie.cut(endTicks: 90_000)
    let before = file.bytes
    movie.add(EncodedFrame(bytes: [UInt8](repeating: 1, count: 5000), presentationTicks: 90_000, isKeyframe: false))
    #expect(throws: RecorderError(.diskFull, "full")) { try movie.cut(endTicks: 180_000) }
    #expect(file.bytes == before)
  }

  @Test func aPictureThatStaysIsMadeToLastWithoutAFrame() throws {
    let file = MemoryFile()
    let movie = try writer(file)
    movie.add(frame(0, key: true))
    try movie.cut(endTicks: 9_000)
    let (bytes, syncs) = (file.size, file.syncs)
    for second in 1...7 { try movie.extend(endTicks: second * 90_000) }
    #expect(file.size == bytes && movie.bytes == bytes && file.syncs == syncs + 7)
    // Nothing to say is no write.
    try movie.extend(endTicks: 90_000)
    #expect(file.syncs == syncs + 7)
    let scan = try #require(try MovieScan.read(file))
    #expect(scan.frames == 1 && scan.durationMs == 7_000)
    for field in scan.front.durations { #expect(ByteReader(bytes: file.bytes).u64(field.offset) == 630_000) }
    let room = try #require(scan.front.indexRoom)
    #expect(ByteReader(bytes: file.bytes).u32(room.offset + 44) == 630_000)
    // The next frame begins where the last one ends, also when it comes a little later than that was said.
    movie.add(frame(640_000))
    try movie.finish(endTicks: 700_000)
    let end = try #require(try MovieScan.read(file))
    #expect(end.fragments.map(\.startTicks) == [0, 640_000] && end.fragments.map(\.endTicks) == [640_000, 700_000])
    #expect(ByteReader(bytes: file.bytes).u32(room.offset + 44) == 700_000)
  }

  @Test func anIndexThatIsTornHidesNoFragment() throws {
    let file = MemoryFile()
    let movie = try writer(file)
    movie.add(frame(0, key: true))
    try movie.cut(endTicks: 90_000)
    movie.add(frame(90_000, key: true))
    try movie.cut(endTicks: 180_000)
    let room = try #require(try MovieFront.read(file)?.indexRoom)
    let whole = Array(file.bytes[room.offset..<room.offset + 80])
    let before = MovieHeader(size: PictureSize(width: 64, height: 48), decoderConfiguration: configuration).bytes()
    for length in 0...whole.count {
      try file.write(Array(before[room.offset..<room.offset + 80]), at: room.offset)
      try file.write(Array(whole.prefix(length)), at: room.offset)
      #expect(try MovieScan.read(file)?.fragments.count == 2, "torn after \(length) bytes")
    }
  }

  /// Between two syncs a disk may have written any of what it was given; a killed process, any beginning of it.
  @Test func aCrashAtAnyWriteLeavesAPlayableFile() throws {
    let file = JournalFile()
    let movie = try writer(file)
    var synced: [(steps: Int, ticks: Int)] = []
    func note() { synced.append((file.steps.count, movie.durationTicks)) }
    note()
    var ticks = 0
    for round in 0..<3 {
      movie.add(frame(ticks, key: round == 2))
      movie.add(frame(ticks + 6_000))
      try movie.cut(endTicks: ticks + 12_000)
      note()
      for _ in 0..<2 {
        try movie.extend(endTicks: movie.durationTicks + 90_000)
        note()
      }
      ticks = movie.durationTicks + 700
    }
    try movie.finish(endTicks: movie.durationTicks + 5)
    note()
    let steps = file.steps
    for (before, after) in zip(synced, synced.dropFirst()) {
      let between = Array(steps[before.steps..<after.steps])
      var kept = (0...between.count).map { Array(between.prefix($0)) }
      for mask in 0..<(1 << min(between.count, 5)) {
        kept.append(between.indices.filter { mask >> $0 & 1 == 1 || $0 >= 5 }.map { between[$0] })
      }
      for some in kept {
        let torn = try JournalFile.replay(steps.prefix(before.steps) + some)
        let scan = try #require(try MovieScan.read(torn))
        #expect(scan.endTicks >= before.ticks && scan.endTicks <= after.ticks)
      }
    }
  }
}
