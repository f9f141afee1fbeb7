// Owns what is promised of window sources: covered, moved, resized, minimised and closed windows, with a window manager
// and without, and the list of what can be recorded.

import CX11
import Glibc
import Testing

@testable import RecorderCore
@testable import RecorderLinux

private let green: UInt32 = 0x1fd36b
private let red: UInt32 = 0xc81432

extension LinuxRecorderTests {
  @Suite struct WindowSourceTests {
    private func isAll(_ colour: UInt32, _ picture: BgraPicture) -> Bool {
      (0..<picture.size.height).allSatisfy { y in
        stride(from: 0, to: picture.size.width, by: 7).allSatisfy { picture.pixel($0, y) == colour }
      }
    }

    private func capture(
      _ source: any RecordingSource, _ what: String, until holds: (BgraPicture) -> Bool
    ) throws {
      for _ in 0..<200 {
        if holds(try source.capture().picture) { return }
        _ = try source.wait(untilMs: monotonicMs() + 100)
      }
      Issue.record("It never came to this: \(what)")
    }

    @Test func aCoveredWindowThatLiesPartlyOffTheScreenIsWhole() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        let client = try TestClient()
        let window = client.window(PixelRect(x: -50, y: 300, width: 200, height: 300), green, border: 3)
        // Menus, buttons: windows inside of it belong to its picture.
        let inner = client.window(PixelRect(x: 150, y: 200, width: 20, height: 20), red, in: window)
        client.map(window)
        client.sync()
        let source = try X11WindowSource(request(.window, String(window)), waker: EventFd())
        // What was covered when the recording began comes when its program has drawn it.
        try capture(source, "the whole window") { isAll(green, $0) && $0.size.height == 300 }
        client.map(client.window(PixelRect(x: 0, y: 0, width: 640, height: 480), red))
        client.map(inner)
        client.fill(window, PixelRect(x: 10, y: 250, width: 30, height: 30), red)
        client.sync()
        try capture(source, "what was drawn while covered") { picture in
          picture.pixel(20, 260) == red && picture.pixel(160, 210) == red && picture.pixel(100, 100) == green
        }
        let old = try source.capture().picture
        client.place(window, PixelRect(x: 10, y: 10, width: 90, height: 60))
        client.sync()
        try capture(source, "the new size") { $0.size == PictureSize(width: 90, height: 60) && isAll(green, $0) }
        #expect(old.size.height == 300 && old.pixel(100, 100) == green)
        source.close()
        withExtendedLifetime(display) {}
      }
    }

    @Test func aMinimisedWindowKeepsItsLastPictureAndAClosedOneIsLost() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        let client = try TestClient()
        let frame = client.window(PixelRect(x: 0, y: 0, width: 110, height: 120), 0x303030)
        let window = client.window(PixelRect(x: 5, y: 15, width: 100, height: 100), green, in: frame)
        client.map(window)
        client.map(frame)
        client.sync()
        let source = try X11WindowSource(request(.window, String(window)), waker: EventFd())
        try capture(source, "the window without its frame") { isAll(green, $0) && $0.size.width == 100 }
        // A window manager may unmap the window, or only the frame.
        for hidden in [window, frame] {
          client.unmap(hidden)
          client.sync()
          #expect(isAll(green, try source.capture().picture))
          client.map(hidden)
          client.fill(window, PixelRect(x: 0, y: 0, width: 100, height: 100), red)
          client.sync()
          try capture(source, "the window again") { isAll(red, $0) }
          client.fill(window, PixelRect(x: 0, y: 0, width: 100, height: 100), green)
          client.sync()
          try capture(source, "another picture") { isAll(green, $0) }
        }
        client.destroy(window)
        client.sync()
        var lost: RecorderError?
        do {
          try capture(source, "lost") { _ in false }
        } catch { lost = error as? RecorderError }
        #expect(lost?.code == .sourceLost && lost?.message.contains("closed") == true)
        source.close()
        withExtendedLifetime(display) {}
      }
    }

    @Test func aWindowThatIsNotMappedYetIsBlackUntilItIs() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        let client = try TestClient()
        let window = client.window(PixelRect(x: 0, y: 0, width: 64, height: 48), green, isTranslucent: true)
        client.sync()
        let source = try X11WindowSource(request(.window, "0x" + String(window, radix: 16)), waker: EventFd())
        #expect(isAll(0, try source.capture().picture))
        client.map(window)
        client.sync()
        try capture(source, "the window with transparency") { isAll(green, $0) }
        #expect(throws: RecorderError.self) { try X11WindowSource(request(.window, "1"), waker: EventFd()) }
        #expect(throws: RecorderError.self) { try X11WindowSource(request(.window, "firefox"), waker: EventFd()) }
        source.close()
        withExtendedLifetime(display) {}
      }
    }

    @Test func thePointerIsDrawnOnlyWhereItIsOverTheWindow() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        #expect(run("xsetroot", "-cursor_name", "left_ptr"))
        let client = try TestClient()
        let window = client.window(PixelRect(x: 100, y: 100, width: 200, height: 200), green)
        let cover = client.window(PixelRect(x: 90, y: 90, width: 100, height: 300), red)
        client.map(window)
        client.map(cover)
        client.movePointer(250, 200)
        client.sync()
        let source = try X11WindowSource(request(.window, String(window), cursor: true), waker: EventFd())
        try capture(source, "the pointer") { $0.pixel(152, 104) != green && $0.pixel(20, 20) == green }
        for place in [(400, 200), (150, 200)] {
          client.movePointer(place.0, place.1)
          client.sync()
          try capture(source, "no pointer") { isAll(green, $0) }
        }
        source.close()
        withExtendedLifetime(display) {}
      }
    }

    @Test func windowsAreListedWithAndWithoutAWindowManager() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        let client = try TestClient()
        let window = client.window(
          PixelRect(x: 20, y: 30, width: 123, height: 77), green, app: "Editor", title: "caf\u{e9} – notes")
        client.map(window)
        client.map(client.window(PixelRect(x: 0, y: 0, width: 50, height: 50), red, isPopup: true))
        client.sync()
        let alone = X11Windows.list(client.link)
        #expect(alone.map(\.id) == [window])
        #expect(alone.first?.title == "caf\u{e9} – notes" && alone.first?.app == "Editor")
        #expect(alone.first?.size == PictureSize(width: 123, height: 77) && alone.first?.pid == Int(getpid()))
        let manager = try #require(ServerProcess(["openbox", "--sm-disable"]))
        eventually("openbox lists it") {
          !client.link.words(client.link.ask(client.link.root, client.link.atoms.clientList)).isEmpty
        }
        let managed = X11Windows.list(client.link)
        #expect(managed.map(\.id) == [window] && managed.first?.app == "Editor")
        // It lies in a frame now.
        #expect(client.link.ancestry(of: window).count > 1)
        let source = try X11WindowSource(request(.window, X11Windows.text(window)), waker: EventFd())
        try capture(source, "the window in its frame") { $0.pixel(60, 40) == green }
        source.close()
        withExtendedLifetime((display, manager)) {}
      }
    }
  }
}
