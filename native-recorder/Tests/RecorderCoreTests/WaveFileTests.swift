// Owns what is promised of WAV files: what a reader finds at every moment, also of a writer that was killed.

import Locks
import Testing

@testable import RecorderCore

/// Keeps the file as it was after every byte that was written: what a kill at any moment leaves.
private final class CutFile: MediaFile {
  let memory = MemoryFile()
  private let log = Mutex<[[UInt8]]>([])

  var states: [[UInt8]] { log.withLock { $0 } }
  var size: Int { memory.size }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(RecorderError) {
    for at in 0..<bytes.count {
      try memory.write(UnsafeRawBufferPointer(rebasing: bytes[at..<(at + 1)]), at: offset + at)
      log.withLock { $0.append(memory.bytes) }
    }
  }

  func read(at offset: Int, count: Int) throws(RecorderError) -> [UInt8] { try memory.read(at: offset, count: count) }
  func truncate(to size: Int) throws(RecorderError) { try memory.truncate(to: size) }
  func sync() throws(RecorderError) {}
  func close() {}
}

@Suite struct WaveFileTests {
  @Test func theHeaderMatchesTheFileAfterEverySync() throws {
    let file = MemoryFile()
    let wave = try WaveFileWriter(file: file, sampleRate: 8000, channels: 2)
    for round in 1...3 {
      try wave.append([Int16](repeating: Int16(round * 1000), count: 1600))
      try wave.sync()
      let scan = try #require(try WaveScan.read(file))
      #expect(scan.isComplete && scan.frames == round * 800 && scan.durationMs == Double(round) * 100)
    }
  }

  @Test func aWriterThatIsKilledAtAnyByteLeavesAHeaderThatHolds() throws {
    let file = CutFile()
    let wave = try WaveFileWriter(file: file, sampleRate: 8000, channels: 2)
    var synced = 0
    for round in 1...4 {
      // Lengths of 320, 640, 960 and 1280 bytes: the low byte also falls while the high byte grows.
      try wave.append([Int16](repeating: 5, count: 160))
      #expect(try WaveScan.read(file.memory)?.promisedBytes == synced)
      try wave.sync()
      synced = round * 320
      let scan = try #require(try WaveScan.read(file.memory))
      #expect(scan.isComplete && scan.promisedBytes == synced)
    }
    for state in file.states where state.count >= WaveFileWriter.headerBytes {
      let scan = try #require(try WaveScan.read(MemoryFile(state)))
      #expect(scan.promisedBytes <= state.count - WaveFileWriter.headerBytes)
    }
  }

  @Test func theLongestSegmentFitsTheHeader() throws {
    let bytes = 3_600 * 192_000 * 4
    #expect(bytes + 36 <= Int(UInt32.max))
    let header = WaveFileWriter.header(sampleRate: 192_000, channels: 2, dataBytes: bytes)
    let scan = try #require(try WaveScan.read(MemoryFile(header)))
    #expect(scan.promisedBytes == bytes && scan.sampleRate == 192_000)
  }

  @Test func aFullDiskLeavesTheSoundOfBefore() throws {
    let file = MemoryFile(capacity: 1000)
    let wave = try WaveFileWriter(file: file, sampleRate: 8000, channels: 2)
    try wave.append([Int16](repeating: 1, count: 400))
    #expect(throws: RecorderError.self) { try wave.append([Int16](repeating: 1, count: 400)) }
    #expect(file.size == 844)
  }
}
