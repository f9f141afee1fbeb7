// Owns what is promised of the kinds of sources over the C interface: what was asked for is what is in the file.

import Glibc
import Testing

@testable import RecorderCore
@testable import RecorderLinux
@testable import SessionRecorder

private let green: UInt32 = 0x1fd36b
private let red: UInt32 = 0xc81432

extension LinuxRecorderTests {
  private func begin(_ folder: String, _ source: String) throws -> UInt64 {
    let config = """
      {"sessionId":"t","outputDirectory":"\(folder)/session",
       "video":{"fragmentMs":500,"quality":1,"showCursor":false,"sources":[\(source)]}}
      """
    return try Json.decode(Created.self, from: text(create(config))).handle
  }

  @Test func aWindowThatIsAskedForIsWhatIsRecorded() async throws {
    try await onOwnThread {
      let display = try #require(TestDisplay())
      let client = try TestClient()
      let screen = PixelRect(x: 0, y: 0, width: 640, height: 480)
      client.map(client.window(screen, red))
      let window = client.window(PixelRect(x: 100, y: 80, width: 320, height: 240), green)
      client.map(window)
      client.sync()
      let folder = temporaryFolder()
      let handle = try begin(folder, #"{"id":"w","type":"window","targetId":"\#(window)"}"#)
      #expect(text(start(handle)).contains("\"state\":\"active\""))
      // The display shows nothing of it any more.
      client.map(client.window(screen, red, isPopup: true))
      client.sync()
      let before = number("itemsRecorded", of: "video", handle)
      client.fill(window, PixelRect(x: 10, y: 10, width: 40, height: 40), 0x203080)
      client.sync()
      eventually("what was drawn is recorded") { number("itemsRecorded", of: "video", handle) > before }
      let manifest = try Json.decode(Manifest.self, from: text(stop(handle)))
      _ = text(destroy(handle))
      let take = try #require(manifest.takes.first)
      #expect(take.width == 320 && take.height == 240)
      let path = "\(folder)/session/\(take.path)"
      #expect(try countPixels(near: green, in: path, folder) > 300 * 220 * take.frames)
      #expect(try countPixels(near: red, in: path, folder) == 0)
      withExtendedLifetime(display) {}
    }
  }

  @Test func aCameraThatIsMissingIsSaidAndNothingElseIsRecordedInItsPlace() async throws {
    struct Failure: Decodable { let error: RecorderError }
    try await onOwnThread {
      let display = try #require(TestDisplay())
      var cameras = [#"{"id":"c","type":"webcam","targetId":"none"}"#]
      // Without a name the first one is meant.
      if Cameras.list(LinuxVideoSystem()).isEmpty { cameras.append(#"{"id":"c","type":"webcam"}"#) }
      for camera in cameras {
        let alone = try begin(temporaryFolder(), camera)
        let failure = try Json.decode(Failure.self, from: text(start(alone)))
        #expect(failure.error.code == .sourceNotFound && failure.error.message.hasPrefix("There is no camera"))
        _ = text(destroy(alone))
        let handle = try begin(temporaryFolder(), #"{"id":"d","type":"display"}"#)
        #expect(text(start(handle)).contains("\"state\":\"active\""))
        #expect(code(addSource(handle, camera)) == .sourceNotFound)
        #expect(!text(status(handle)).contains("webcam"))
        _ = text(destroy(handle))
      }
      withExtendedLifetime(display) {}
    }
  }
}
