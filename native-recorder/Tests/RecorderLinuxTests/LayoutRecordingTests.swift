// Owns what is promised of layouts in the finished file: test patterns are recorded over the C interface, decoded by
// ffmpeg, and their counters read.

import FoundationEssentials
import Glibc
import Testing

@testable import RecorderCore
@testable import RecorderLinux
@testable import SessionRecorder

extension LinuxRecorderTests {
  @Test func theCountersOfFourTestPatternsCanBeReadInTheVideo() async throws {
    try await onOwnThread {
      let folder = temporaryFolder() + "/session"
      let handle = try beginPatterns(folder, layout: "grid", sizes: ["1280x720", "1280x720", "960x540", "640x360"])
      #expect(text(start(handle)).contains("\"state\":\"active\""))
      eventually("forty frames") { number("itemsRecorded", of: "video", handle) >= 40 }
      let manifest = try Json.decode(Manifest.self, from: text(stop(handle)))
      _ = text(destroy(handle))
      let take = try #require(manifest.takes.first)
      let size = PictureSize(width: take.width, height: take.height)
      #expect(size == PictureSize(width: 1280, height: 720))
      let frames = try decodedLuma("\(folder)/\(take.path)", size)
      #expect(frames.count == take.frames)
      let sizes = [(1280, 720), (1280, 720), (960, 540), (640, 360)].map { PictureSize(width: $0.0, height: $0.1) }
      let geometry = LayoutGeometry(
        LayoutConfig(.grid), sources: sizes.map { .init(.testPattern, $0) }, maxWidth: 1280)
      for tile in geometry.tiles {
        let pattern = TestPattern(size: sizes[tile.source])
        // A source that takes longer than the others to open is black in the first frames.
        let counters = frames.map { frame in
          pattern.counter(in: tile.rect) { frame[$1 * size.width + $0] } ?? -1
        }.drop { $0 < 0 }
        #expect(!counters.contains(-1), "source \(tile.source): \(counters)")
        #expect(zip(counters, counters.dropFirst()).allSatisfy { $0 <= $1 }, "source \(tile.source)")
        #expect(Set(counters).count >= 20, "source \(tile.source) moves")
      }
    }
  }

  @Test func aLayoutThatIsChangedWhileRecordingIsInTheVideo() async throws {
    try await onOwnThread {
      let folder = temporaryFolder() + "/session"
      let handle = try beginPatterns(folder, layout: "single", sizes: ["1280x720"])
      _ = text(start(handle))
      eventually("five frames") { number("itemsRecorded", of: "video", handle) >= 5 }
      let more = #"{"id":"more","type":"testPattern","targetId":"640x360@5"}"#
      #expect(text(addSource(handle, more)) == #"{"id":"more"}"#)
      let wanted = #"{"layout":"picture-in-picture","corner":"top-left","size":0.25}"#
      #expect(text(setLayout(handle, wanted)) == #"{"corner":"top-left","layout":"picture-in-picture","size":0.25}"#)
      #expect(code(setLayout(handle, #"{"layout":"mosaic"}"#)) == .invalidConfig)
      #expect(code(addSource(handle, #"{"id":"w","type":"window"}"#)) == .invalidConfig)
      #expect(code(removeSource(handle, #"{"id":"nobody"}"#)) == .sourceNotFound)
      eventually("twenty frames") { number("itemsRecorded", of: "video", handle) >= 20 }
      let manifest = try Json.decode(Manifest.self, from: text(stop(handle)))
      _ = text(destroy(handle))
      let take = try #require(manifest.takes.first)
      #expect(manifest.takes.count == 1)
      let size = PictureSize(width: take.width, height: take.height)
      let last = try #require(try decodedLuma("\(folder)/\(take.path)", size).last)
      let small = PixelRect(x: 24, y: 24, width: 320, height: 180)
      #expect(TestPattern(size: size).counter { last[$1 * size.width + $0] } ?? 0 > 10)
      let added = TestPattern(size: PictureSize(width: 640, height: 360))
      #expect(added.counter(in: small) { last[$1 * size.width + $0] } != nil)
    }
  }

  private func beginPatterns(_ folder: String, layout: String, sizes: [String]) throws -> UInt64 {
    let sources = sizes.enumerated().map { #"{"id":"\#($0)","type":"testPattern","targetId":"\#($1)"}"# }
    let config = """
      {"sessionId":"t","outputDirectory":"\(folder)",
       "video":{"fragmentMs":500,"maxWidth":1280,"layout":"\(layout)","sources":[\(sources.joined(separator: ","))]}}
      """
    return try Json.decode(Created.self, from: text(create(config))).handle
  }

  /// Every frame's luma in full range, row by row.
  private func decodedLuma(_ path: String, _ size: PictureSize) throws -> [[UInt8]] {
    let raw = path + ".gray"
    let ffmpeg = try #require(
      ServerProcess(
        ["ffmpeg", "-loglevel", "error", "-i", path, "-fps_mode", "passthrough", "-pix_fmt", "gray"]
          + ["-f", "rawvideo", raw]))
    eventually("ffmpeg has decoded \(path)") { ffmpeg.hasEnded() }
    let bytes = try Data(contentsOf: URL(filePath: raw))
    return stride(from: 0, to: bytes.count - size.area + 1, by: size.area).map { [UInt8](bytes[$0..<($0 + size.area)]) }
  }
}
