// Owns what is promised of the configuration: good values pass, every wrong one is an error with a code.

import Testing

@testable import RecorderCore

@Suite struct RecorderConfigTests {
  private static func decode(_ more: String) throws -> RecorderConfig {
    try Json.decode(RecorderConfig.self, from: #"{"sessionId":"s","outputDirectory":"/tmp/x""# + more + "}")
  }

  @Test func defaultsFollowTheContract() throws {
    let config = try Self.decode(#","video":{},"audio":{"microphone":"default","systemAudio":true},"screenshots":{}"#)
    #expect(config.video.fps == 15 && config.video.maxWidth == 1920 && config.video.fragmentMs == 2000)
    #expect(config.audio.microphone == .byDefault && config.audio.systemAudio == .byDefault)
    #expect(config.audio.segmentMs == 30_000 && config.audio.sampleRate == 48_000 && config.audio.balance == 0.5)
    #expect(config.screenshots.maxWidth == 1920)
  }

  @Test func layoutsSourcesAndExclusionsAreTaken() throws {
    let sources = #""sources":[{"id":"a","type":"display"},{"id":"b","type":"window","targetId":"0x7"}]"#
    let exclusions = #""excludedWindowIds":[7,"0x8"],"excludedApps":["mail"]"#
    let layout = #""layout":{"layout":"picture-in-picture","corner":"top-left","size":0.3}"#
    let video = try Self.decode(#","video":{"# + [sources, exclusions, layout].joined(separator: ",") + "}").video
    #expect(video.layout == LayoutConfig(.pictureInPicture, corner: .topLeft, size: 0.3))
    #expect(video.sources.map(\.type) == [.display, .window])
    #expect(video.exclusions == Exclusions(windowIds: ["7", "0x8"], apps: ["mail"]))
    #expect(try Self.decode(#","video":{"layout":"grid"}"#).video.layout == LayoutConfig(.grid))
  }

  @Test func devicesCanBeNamedOrLeftOut() throws {
    let config = try Self.decode(#","audio":{"microphone":null,"systemAudio":"out.monitor"}"#)
    #expect(config.audio.microphone == .none && config.audio.systemAudio == .device("out.monitor"))
  }

  @Test(arguments: [
    "", #","video":{"fps":0}"#, #","video":{"fps":1e9}"#, #","video":{"fps":"fast"}"#, #","video":{"fps":1e999}"#,
    #","video":{"maxWidth":-1}"#, #","video":{"quality":2}"#, #","video":[]"#, #","video":{"sources":[{"id":1}]}"#,
    #","video":{"layout":"mosaic"}"#, #","video":{"sources":[{"id":"a","type":"hologram"}]}"#,
    #","audio":{"enabled":true}"#, #","audio":{"systemAudio":true,"sampleRate":1}"#, #","audio":{"microphone":7}"#,
    #","screenshots":{"maxWidth":1e308}"#, #","video":{"sources":[{"id":"a","type":"window"}]}"#,
    #","video":{"sources":[{"id":"a","type":"display"},{"id":"a","type":"display"}]}"#,
    #","video":{"layout":{"layout":"grid","size":0.9}}"#, #","video":{"layout":{"corner":"top-left"}}"#,
    #","video":{"excludedWindowIds":[true]}"#,
  ])
  func wrongValuesAreInvalid(_ more: String) {
    do {
      _ = try Self.decode(more)
      Issue.record("\(more) was accepted")
    } catch {
      #expect((error as? RecorderError)?.code == .invalidConfig)
    }
  }

  @Test(arguments: [#","screenshots":{"format":"webp"}"#])
  func whatThisVersionCannotDoIsRefused(_ more: String) {
    do {
      _ = try Self.decode(more)
      Issue.record("\(more) was accepted")
    } catch {
      #expect((error as? RecorderError)?.code == .unsupported)
    }
  }

  @Test(arguments: [
    "", "{", "null", "[]", "\"x\"", "{\"sessionId\":\"../x\",\"outputDirectory\":\"/tmp\"}",
    "{\"sessionId\":\"s\",\"outputDirectory\":\"relative\",\"video\":{}}", String(repeating: "[", count: 100_000),
  ])
  func nonsenseIsInvalid(_ text: String) {
    do {
      _ = try Json.decode(RecorderConfig.self, from: text)
      Issue.record("accepted")
    } catch {
      #expect(error.code == .invalidConfig)
    }
  }
}
