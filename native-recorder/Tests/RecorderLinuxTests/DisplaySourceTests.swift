// Owns what is promised of display sources: geometry, changes of it, damage, the pointer, a server that goes away.

import CX11
import Glibc
import Testing

@testable import RecorderCore
@testable import RecorderLinux

extension LinuxRecorderTests {
  @Suite struct DisplaySourceTests {
    private let red: UInt32 = 0xc81432

    /// Waits for change after change until the picture is as wanted.
    private func capture(
      _ source: any RecordingSource, _ what: String, until holds: (SourcedFrame) -> Bool
    ) throws -> SourcedFrame? {
      for _ in 0..<200 {
        let frame = try source.capture()
        if holds(frame) { return frame }
        _ = try source.wait(untilMs: monotonicMs() + 100)
      }
      Issue.record("It never came to this: \(what)")
      return nil
    }

    @Test func eachOfSeveralMonitorsIsRecordedAtItsPlace() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay(width: 640, height: 400))
        #expect(run("xrandr", "--setmonitor", "right", "240/100x400/100+400+0", "none"))
        #expect(run("xrandr", "--setmonitor", "left", "400/100x400/100+0+0", "screen"))
        let client = try TestClient()
        client.map(client.window(PixelRect(x: 390, y: 20, width: 30, height: 30), red))
        client.sync()
        let waker = EventFd()
        let left = try X11DisplaySource(request(.display, "left"), waker: waker)
        let right = try X11DisplaySource(request(.display, "right"), waker: waker)
        let leftPicture = try left.capture().picture
        let rightPicture = try right.capture().picture
        #expect(leftPicture.size == PictureSize(width: 400, height: 400))
        #expect(rightPicture.size == PictureSize(width: 240, height: 400))
        #expect(leftPicture.pixel(389, 20) != red && leftPicture.pixel(399, 49) == red)
        #expect(rightPicture.pixel(19, 20) == red && rightPicture.pixel(20, 20) != red)
        #expect(throws: RecorderError.self) { try X11DisplaySource(request(.display, "none"), waker: waker) }
        left.close()
        right.close()
        withExtendedLifetime(display) {}
      }
    }

    @Test func aChangeOfResolutionGivesANewPictureAndTheOldOneStaysReadable() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        let source = try X11DisplaySource(request(.display), waker: EventFd())
        let old = try source.capture().picture
        #expect(run("xrandr", "--newmode", "small", "1", "320", "320", "320", "320", "200", "200", "200", "200"))
        #expect(run("xrandr", "--addmode", "screen", "small"))
        #expect(run("xrandr", "--output", "screen", "--mode", "small"))
        let frame = try capture(source, "a smaller picture") { $0.picture.size == PictureSize(width: 320, height: 200) }
        #expect(frame?.damage == [PixelRect(x: 0, y: 0, width: 320, height: 200)])
        #expect(source.pictureSize == PictureSize(width: 320, height: 200))
        #expect(old.size == PictureSize(width: 640, height: 480) && old.find(red) == nil)
        source.close()
        withExtendedLifetime(display) {}
      }
    }

    @Test func aMonitorThatMovesIsFollowedAndOneThatIsSwitchedOffIsLost() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        #expect(run("xrandr", "--setmonitor", "m", "100/100x100/100+0+0", "none"))
        let client = try TestClient()
        client.map(client.window(PixelRect(x: 300, y: 0, width: 100, height: 100), red))
        client.sync()
        let source = try X11DisplaySource(request(.display, "m"), waker: EventFd())
        let first = try source.capture().picture
        #expect(first.size == PictureSize(width: 100, height: 100) && first.find(red) == nil)
        client.moveMonitor("m", to: PixelRect(x: 300, y: 0, width: 100, height: 100))
        client.sync()
        _ = try capture(source, "the other place") { $0.picture.pixel(50, 50) == red }
        #expect(run("xrandr", "--delmonitor", "m"))
        var lost: RecorderError?
        do {
          _ = try capture(source, "lost") { _ in false }
        } catch { lost = error as? RecorderError }
        #expect(lost?.code == .sourceLost && lost?.message.contains("switched off") == true)
        source.close()
        withExtendedLifetime(display) {}
      }
    }

    @Test func onlyWhatChangedIsReported() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        let client = try TestClient()
        let window = client.window(PixelRect(x: 100, y: 100, width: 200, height: 200), 0x101010)
        client.map(window)
        client.sync()
        let source = try X11DisplaySource(request(.display), waker: EventFd())
        _ = try source.capture()
        #expect(try source.capture().damage.isEmpty)
        #expect(try source.wait(untilMs: monotonicMs()) == .nothing)
        client.fill(window, PixelRect(x: 10, y: 20, width: 30, height: 40), red)
        client.sync()
        #expect(try source.wait(untilMs: monotonicMs() + 5_000) == .changed)
        let frame = try source.capture()
        #expect(frame.damage == [PixelRect(x: 110, y: 120, width: 30, height: 40)])
        #expect(frame.picture.pixel(110, 120) == red && frame.picture.pixel(109, 120) == 0x101010)
        source.close()
        withExtendedLifetime(display) {}
      }
    }

    @Test func thePointerIsDrawnWhereItIsAndNowhereElse() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        #expect(run("xrandr", "--setmonitor", "m", "200/100x200/100+0+0", "none"))
        #expect(run("xsetroot", "-solid", "#c81432", "-cursor_name", "left_ptr"))
        let client = try TestClient()
        client.movePointer(400, 400)
        client.sync()
        let source = try X11DisplaySource(request(.display, "m", cursor: true), waker: EventFd())
        let isPlain = { (frame: SourcedFrame) in
          (0..<200).allSatisfy { y in frame.picture.pixel(100 + y % 3, y) == red }
        }
        #expect(isPlain(try source.capture()))
        client.movePointer(100, 100)
        client.sync()
        let shown = try capture(source, "the pointer") { !isPlain($0) }
        #expect(shown?.damage.allSatisfy { $0.x > 60 && $0.y > 60 } == true)
        client.movePointer(400, 400)
        client.sync()
        _ = try capture(source, "no pointer") { isPlain($0) }
        source.close()
        withExtendedLifetime(display) {}
      }
    }

    @Test func eventsThatWereReadTogetherWithAReplyDoNotWait() async throws {
      try await onOwnThread(limitMs: 20_000) {
        let display = try #require(TestDisplay())
        let link = try X11Connection()
        link.select(link.root, XCB_EVENT_MASK_SUBSTRUCTURE_NOTIFY.rawValue)
        _ = link.tree(xcb_query_tree(link.raw, link.root))
        let client = try TestClient()
        let window = client.window(PixelRect(x: 0, y: 0, width: 10, height: 10), red)
        client.sync()
        #expect(link.tree(xcb_query_tree(link.raw, link.root))?.children == [window])
        // Longer than this test may take.
        #expect(!link.sleep(EventFd(), untilMs: monotonicMs() + 600_000))
        #expect(link.events().map(\.window) == [window])
        withExtendedLifetime(display) {}
      }
    }

    @Test func aServerWithoutSharedMemoryIsRecordedToo() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay(options: ["-extension", "MIT-SHM"]))
        let client = try TestClient()
        client.map(client.window(PixelRect(x: 100, y: 100, width: 20, height: 20), red))
        client.sync()
        let source = try X11DisplaySource(request(.display), waker: EventFd())
        #expect(try source.capture().picture.find(red).map { [$0.x, $0.y] } == [100, 100])
        source.close()
        withExtendedLifetime(display) {}
      }
    }

    @Test func aServerThatIsKilledOrHangsEndsTheCaptureAndNothingElse() async throws {
      try await onOwnThread {
        for signal in [SIGKILL, SIGSTOP] {
          let display = try #require(TestDisplay())
          let client = try TestClient()
          let window = client.window(PixelRect(x: 0, y: 0, width: 200, height: 200), red)
          client.map(window)
          client.sync()
          let sources: [any RecordingSource] = [
            try X11DisplaySource(request(.display, cursor: true), waker: EventFd()),
            try X11WindowSource(request(.window, String(window), cursor: true), waker: EventFd()),
            try X11DisplaySource(
              request(.display, exclusions: Exclusions(windowIds: [String(window)])), waker: EventFd()),
          ]
          for source in sources { _ = try source.capture() }
          display.server.end(signal)
          for source in sources {
            if signal == SIGSTOP { source.interrupt() }
            var code: ErrorCode?
            do {
              for _ in 0..<100 {
                _ = try source.capture()
                _ = try source.wait(untilMs: monotonicMs() + 20)
              }
            } catch { code = (error as? RecorderError)?.code }
            #expect(code == .sourceLost)
            source.close()
          }
          client.link.interrupt()
        }
      }
    }
  }
}
