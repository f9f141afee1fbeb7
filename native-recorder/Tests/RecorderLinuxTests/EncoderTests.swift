// Owns what is promised of the encoders: what a player decodes is what was on the screen, whatever was marked as changed.

import FoundationEssentials
import Glibc
import Testing

@testable import RecorderCore
@testable import RecorderLinux

@Suite(.serialized) struct EncoderTests {
  /// Waiting for ffmpeg would take one of Swift's few own threads from the recorders of other tests.
  private func onOwnThread(_ body: @escaping @Sendable () throws -> Void) async throws {
    let reply = Reply<Result<Void, any Error>>()
    spawn("test") { reply.complete(Result { try body() }) }
    try await reply.value(withinMs: 60_000, or: .failure(RecorderError(.timeout, "The test hangs."))).get()
  }

  private let size = PictureSize(width: 338, height: 250)

  private func settings(allowsHardware: Bool = false) -> VideoEncoderSettings {
    VideoEncoderSettings(
      size: size, fps: 15, quality: 0.6, timescale: MovieHeader.timescale, allowsHardware: allowsHardware)
  }

  /// Writes frames as a take and decodes it again: each frame's luma, and what ffprobe says of it.
  private func recorded(
    _ frames: [(Nv12Picture) -> (atMs: Double, keyframe: Bool)]
  ) throws -> (shown: [[UInt8]], decoded: [[UInt8]], types: [String], idrNumbers: [Int]) {
    let folder = try ownFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let encoder = try X264Encoder(settings())
    let file = try PosixFolder(folder, forRecording: true).create("take.mp4")
    let movie = try FragmentedMovieWriter(file: file, size: size, decoderConfiguration: encoder.decoderConfiguration)
    let planes = Nv12Picture(size: size)
    var shown: [[UInt8]] = []
    var endTicks = 0
    for draw in frames {
      let (atMs, keyframe) = draw(planes)
      let encoded = try encoder.encode(planes, presentationTicks: Int64(atMs * 90), keyframe: keyframe)
      #expect(encoded.count == 1 && encoded.first?.isKeyframe == keyframe)
      for frame in encoded { movie.add(frame) }
      planes.forgetChanges()
      shown.append(luma(planes))
      endTicks = Int(atMs * 90) + 6_000
    }
    try movie.finish(endTicks: endTicks)
    let take = folder + "/take.mp4"
    let raw = try output(
      [
        "ffmpeg", "-v", "error", "-xerror", "-i", take, "-fps_mode", "passthrough", "-enc_time_base", "1:90000",
        "-pix_fmt", "yuv420p", "-f",
        "rawvideo",
      ])
    let types = try output(["ffprobe", "-v", "error", "-show_entries", "frame=pict_type", "-of", "csv=p=0", take])
    let headers = try output(
      ["ffmpeg", "-v", "info", "-i", take, "-c", "copy", "-bsf:v", "trace_headers", "-f", "null"], errors: true)
    return (
      shown,
      stride(from: 0, to: raw.count, by: size.area * 3 / 2).map { Array(raw[$0..<min(raw.count, $0 + size.area)]) },
      lines(types),
      lines(headers).filter { $0.contains(" idr_pic_id ") }.compactMap {
        $0.split(separator: " ").last.flatMap { Int($0) }
      }
    )
  }

  private func lines(_ bytes: [UInt8]) -> [String] {
    String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
  }

  private func luma(_ planes: Nv12Picture) -> [UInt8] {
    (0..<size.height).flatMap {
      Array(UnsafeBufferPointer(start: planes.luma + $0 * planes.lumaStride, count: size.width))
    }
  }

  /// Peak signal to noise ratio, decibels.
  private func psnr(_ one: [UInt8], _ other: [UInt8]) -> Double {
    let sum = zip(one, other).reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) }
    return sum == 0 ? 100 : 10 * log10(255 * 255 * Double(one.count) / Double(sum))
  }

  /// Something like letters, another one for each number.
  private func write(_ number: Int, at rect: PixelRect, _ picture: BgraPicture, _ planes: Nv12Picture) {
    let pixels = picture.base.assumingMemoryBound(to: UInt32.self)
    for y in rect.y..<rect.y + rect.height {
      for x in rect.x..<rect.x + rect.width {
        var seed = UInt32(truncatingIfNeeded: x / 3 &+ y / 4 &* 4_099 &+ number &* 1_000_003) &* 2_654_435_761
        seed = (seed ^ seed >> 15) &* 2_246_822_519
        let isInk = (seed ^ seed >> 13) % 4 == 0
        pixels[y * size.width + x] = isInk ? 0xd4d4d4 : 0x1e1e1e
      }
    }
    _ = planes.update(from: picture, in: [rect])
  }

  @Test func whatIsDecodedIsWhatWasShown() async throws {
    try await onOwnThread { [self] in
      let picture = BgraPicture(size: size)
      let seen = try recorded(
        (0..<40).map { frame in
          { planes in
            if frame == 0 { write(0, at: PixelRect(size), picture, planes) }
            // Two changes before a frame: the second must not hide the first.
            write(frame, at: PixelRect(x: frame * 7 % 280, y: 20, width: 40, height: 24), picture, planes)
            write(frame + 3, at: PixelRect(x: 30, y: 60 + frame * 4, width: 90, height: 12), picture, planes)
            // Frames come as they come: the rate varies.
            return (Double(frame * 70 + frame % 3 * 20), frame % 20 == 0)
          }
        })
      #expect(seen.decoded.count == 40 && seen.types.count == 40)
      for (frame, (shown, decoded)) in zip(seen.shown, seen.decoded).enumerated() {
        #expect(psnr(shown, decoded) > 28, "frame \(frame)")
      }
      #expect(seen.types.enumerated().allSatisfy { $1.hasPrefix($0 % 20 == 0 ? "I" : "P") })
    }
  }

  @Test func whatScrolledIsSharpAgainWhenItStops() async throws {
    try await onOwnThread { [self] in
      let picture = BgraPicture(size: size)
      let seen = try recorded(
        (0..<60).map { frame in
          { planes in
            if frame < 40 { write(frame, at: PixelRect(size), picture, planes) }
            if frame >= 40 { write(frame, at: PixelRect(x: 0, y: 0, width: 8, height: 16), picture, planes) }
            return (Double(frame) * 66, frame == 0)
          }
        })
      #expect(psnr(seen.shown[59], seen.decoded[59]) > psnr(seen.shown[39], seen.decoded[39]) + 1)
    }
  }

  /// Bytes of a still picture's keyframes come again; neighbouring IDR pictures differ in number all the same.
  @Test func keyframesOfAStillPictureAreNotEncodedAgain() async throws {
    try await onOwnThread { [self] in
      for stillFrames in 1...5 {
        let picture = BgraPicture(size: size)
        let seen = try recorded(
          (0..<(2 * stillFrames + 3)).map { frame in
            { planes in
              if frame == 0 { write(0, at: PixelRect(size), picture, planes) }
              if frame == stillFrames { write(7, at: PixelRect(size), picture, planes) }
              let isLast = frame == 2 * stillFrames + 2
              if isLast { write(9, at: PixelRect(x: 100, y: 90, width: 60, height: 30), picture, planes) }
              return (Double(frame) * 10_000, !isLast)
            }
          })
        #expect(seen.decoded.count == 2 * stillFrames + 3)
        for (shown, decoded) in zip(seen.shown, seen.decoded) { #expect(psnr(shown, decoded) > 28) }
        #expect(seen.idrNumbers.count == 2 * stillFrames + 2)
        #expect(zip(seen.idrNumbers, seen.idrNumbers.dropFirst()).allSatisfy { $0 != $1 })
      }
    }
  }

  @Test func betterQualityIsMoreBytes() async throws {
    try await onOwnThread { [self] in
      let picture = BgraPicture(size: size)
      let sizes = try [0.0, 0.3, 0.6, 1.0].map { quality in
        let planes = Nv12Picture(size: size)
        write(1, at: PixelRect(size), picture, planes)
        let encoder = try X264Encoder(
          VideoEncoderSettings(size: size, fps: 15, quality: quality, timescale: 90_000, allowsHardware: false))
        return try encoder.encode(planes, presentationTicks: 0, keyframe: true).reduce(0) { $0 + $1.bytes.count }
      }
      #expect(sizes == sizes.sorted() && Set(sizes).count == 4)
    }
  }

  @Test func withoutAGraphicsCardThatEncodesItIsSoftware() throws {
    let settings = settings(allowsHardware: true)
    let fallen = try LinuxEncoders.open(settings) { _ throws(RecorderError) in
      throw RecorderError(.encoderFailed, "a driver that is broken")
    }
    #expect(fallen.name == "libx264" && !fallen.isHardware)
    // Whatever this machine has: something encodes.
    #expect(try !LinuxEncoders.open(settings).decoderConfiguration.isEmpty)
  }

  @Test func sizesThatCannotBeEncodedAreAnError() {
    let impossible = VideoEncoderSettings(
      size: PictureSize(width: 0, height: 0), fps: 15, quality: 0.6, timescale: 90_000, allowsHardware: true)
    #expect(throws: RecorderError.self) { _ = try LinuxEncoders.open(impossible) }
  }
}

/// A folder that the end of another test does not remove.
private func ownFolder() throws -> String {
  let folder = FileManager.default.temporaryDirectory.path + "/encoder-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  return folder
}

/// What a program writes; its messages with `errors`. A program that fails, or complains, fails the test.
private func output(_ arguments: [String], errors: Bool = false) throws -> [UInt8] {
  let folder = try ownFolder()
  defer { try? FileManager.default.removeItem(atPath: folder) }
  let isProbe = arguments[0] == "ffprobe"
  let list = arguments + (isProbe ? [] : ["-y", errors ? "/dev/null" : folder + "/out"])
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
  posix_spawn_file_actions_addopen(&actions, 1, isProbe ? folder + "/out" : "/dev/null", O_WRONLY | O_CREAT, 0o600)
  posix_spawn_file_actions_addopen(&actions, 2, folder + "/err", O_WRONLY | O_CREAT, 0o600)
  var pointers = list.map { strdup($0) } + [nil]
  defer { for text in pointers { free(text) } }
  var pid: pid_t = 0
  try #require(posix_spawnp(&pid, list[0], &actions, nil, &pointers, environ) == 0)
  var status: Int32 = 0
  waitpid(pid, &status, 0)
  let messages = FileManager.default.contents(atPath: folder + "/err") ?? Data()
  #expect(
    status == 0 && (errors || messages.isEmpty),
    "\(list[0]): \(String(decoding: messages.prefix(2_000), as: UTF8.self))")
  return Array(errors ? messages : FileManager.default.contents(atPath: folder + "/out") ?? Data())
}
