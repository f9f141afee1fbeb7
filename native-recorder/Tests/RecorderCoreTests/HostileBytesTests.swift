// Owns what is promised of files whose bytes lie: no trap, no endless work, no memory for what only claims to be there.

import Locks
import Testing

@testable import RecorderCore

extension RecoveryTests {
  @Test(arguments: [Int.max, 1 << 50])
  func aFragmentOfTheFarFutureIsTorn(ticks: Int) throws {
    var bytes = try take(fragments: 2)
    let far = try #require(bytes.places(of: "tfdt").last)
    var writer = ByteWriter()
    writer.u64(ticks)
    bytes.replaceSubrange(far + 8..<far + 16, with: writer.bytes)
    let scan = try #require(try MovieScan.read(MemoryFile(bytes)))
    #expect(scan.fragments.count == 1 && scan.durationMs == 2000)
    #expect(try MovieScan.declaredTicks(MemoryFile(bytes), at: scan.wholeBytes) == nil)
  }

  @Test func boxesInBoxesWithoutEndAreNotFollowed() throws {
    let depth = 200_000
    var writer = ByteWriter()
    for level in 0...depth {
      writer.u32((depth + 1 - level) * 8)
      writer.text(level == 0 ? "moov" : "trak")
    }
    #expect(try MovieFront.read(MemoryFile(writer.bytes)) == nil)
  }

  @Test func aHeaderAsLargeAsTheFileIsNotRead() throws {
    let file = HollowFile([4, 0, 0, 0, 0x6d, 0x6f, 0x6f, 0x76], size: 64 << 20)
    #expect(try MovieFront.read(file) == nil)
    #expect(file.mostRead.withLock { $0 } < 1 << 20)
  }

  @Test func numbersThatNoRecoveryGivesAreNotCountedOn() throws {
    let folder = MemoryFolder([
      "video-0001.mp4": [1], "video-0001.mp4.torn-9223372036854775807": [2], "video-0001.mp4.torn--5": [3],
      "video-0002.mp4": try take(fragments: 1),
    ])
    _ = try recover(folder)
    #expect(folder.bytes("video-0001.mp4.torn-1") == [1])
  }

  @Test func takesFollowEachOtherByNumber() throws {
    let folder = MemoryFolder([
      "video-1001.mp4": try take(fragments: 1), "video-10000.mp4": try take(fragments: 2),
    ])
    let recovered = try recover(folder)
    #expect(recovered.takes.map(\.index) == [1001, 10_000] && recovered.takes.map(\.offsetMs) == [0, 2000])
  }

  @Test func theGapOfOneSourceIsClosedAndExcusesNothing() throws {
    let folder = MemoryFolder([
      "video-0001.mp4": try take(fragments: 5), "audio-0001.wav": try wave(seconds: 7),
      "manifest.json": manifest {
        $0.openGap(.audio, sourceId: "microphone", fromMs: 2000, reason: "sourceLost")
        $0.openGap(.audio, sourceId: "systemAudio", fromMs: 6000, reason: "sourceLost")
      },
    ])
    let recovered = try recover(folder)
    #expect(recovered.gaps.map(\.toMs) == [10_000, 10_000] && recovered.lostMs == 3000)
  }

  @Test func aTakeThatDoesNotSayItsSizeHasTheOneThatIsKnown() throws {
    var bytes = try take(fragments: 1)
    let header = try #require(bytes.places(of: "tkhd").first)
    // A tkhd of version 1 is 104 bytes long and ends with width and height.
    bytes.replaceSubrange(header + 92..<header + 100, with: [UInt8](repeating: 0, count: 8))
    let folder = MemoryFolder([
      "video-0001.mp4": bytes, "manifest.json": manifest { $0.put(line(1, offsetMs: 0, durationMs: 2000)) },
    ])
    let recovered = try #require(try recover(folder).takes.first)
    #expect(recovered.width == 64 && recovered.height == 48)
  }

  @Test(arguments: [false, true])
  func aMachineThatIsShortOfSomethingLosesNothing(hasManifest: Bool) throws {
    let folder = MemoryFolder(["video-0001.mp4": try take(fragments: 1)])
    if hasManifest { try folder.replace(Manifest.fileName, with: manifest { $0.finish(durationMs: 2000) }) }
    let before = MemoryFolder(folder.contents)
    var shortage = RecorderError(.ioError, "Too many open files.")
    shortage.isShortage = true
    folder.refusal.withLock { [shortage] in $0 = shortage }
    #expect(throws: shortage) { try recover(folder) }
    let different = differences(folder, before)
    #expect(different.isEmpty)
    // Any other error is the file's own.
    folder.refusal.withLock { $0 = RecorderError(.ioError, "Input/output error.") }
    #expect(try recover(folder).takes.isEmpty)
  }
}

extension [UInt8] {
  /// Where a box's type stands.
  fileprivate func places(of type: StaticString) -> [Int] {
    let wanted = type.withUTF8Buffer { Array($0) }
    return (0..<Swift.max(0, count - 3)).filter { Array(self[$0..<$0 + 4]) == wanted }
  }
}

/// A file that is large and holds nothing but its first bytes.
private final class HollowFile: MediaFile {
  let size: Int
  let mostRead = Mutex(0)
  private let head: [UInt8]

  init(_ head: [UInt8], size: Int) {
    self.head = head
    self.size = size
  }

  func read(at offset: Int, count: Int) throws(RecorderError) -> [UInt8] {
    let got = max(0, min(count, size - offset))
    mostRead.withLock { $0 = max($0, got) }
    let front = Array(head.dropFirst(offset).prefix(got))
    return front + [UInt8](repeating: 0, count: got - front.count)
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(RecorderError) {}
  func truncate(to size: Int) throws(RecorderError) {}
  func sync() throws(RecorderError) {}
  func close() {}
}
