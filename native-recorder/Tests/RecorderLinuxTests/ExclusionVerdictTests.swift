// Owns the promise that a verdict belongs to one program and one window, and not to the next ones that the server gives
// their numbers to.

import CX11
import Glibc
import Testing

@testable import RecorderCore
@testable import RecorderLinux

extension LinuxRecorderTests.ExclusionTests {
  func terminal(_ colour: UInt32) throws -> ServerProcess {
    // WM_CLASS says something else; the process is xterm.
    try #require(
      ServerProcess([
        "xterm", "-name", "other", "-class", "Other", "-bg", "#" + String(colour, radix: 16), "-geometry",
        "40x10+50+50", "-e", "sleep", "60",
      ]))
  }

  func find(_ app: String, _ client: TestClient) -> xcb_window_t? {
    X11Windows.list(client.link).first { $0.app == app }?.id
  }

  private func base(of window: xcb_window_t?, _ client: TestClient) -> UInt32? {
    window.map { $0 & ~client.link.resourceMask }
  }

  @Test func aProgramThatTakesThePlaceOfAnExcludedOneIsSeen() async throws {
    try await onOwnThread {
      let display = try #require(TestDisplay())
      let observer = try TestClient()
      let source = try X11DisplaySource(request(.display, exclusions: Exclusions(apps: ["xterm"])), waker: EventFd())
      var excluded: ServerProcess? = try terminal(secret)
      eventually("xterm is there") { find("Other", observer) != nil }
      let base = self.base(of: find("Other", observer), observer)
      #expect(try settle(source).find(secret) == nil)
      excluded = nil
      eventually("xterm is gone") { find("Other", observer) == nil }
      // The server gives the new client the old one's ids.
      let client = try TestClient()
      #expect(client.base == base)
      client.map(client.window(PixelRect(x: 40, y: 40, width: 200, height: 200), control))
      client.sync()
      #expect(try settle(source).pixel(100, 100) == control)
      source.close()
      withExtendedLifetime((display, excluded)) {}
    }
  }

  @Test func anExcludedProgramThatTakesThePlaceOfAnotherIsNotSeen() async throws {
    try await onOwnThread {
      let display = try #require(TestDisplay())
      let observer = try TestClient()
      let isThere = { X11Windows.list(observer.link).first { $0.title == "Event Tester" }?.id }
      let white: UInt32 = 0xffffff
      let source = try X11DisplaySource(request(.display, exclusions: Exclusions(apps: ["xev"])), waker: EventFd())
      var harmless: TestClient? = try TestClient()
      if let harmless {
        harmless.map(harmless.window(PixelRect(x: 300, y: 300, width: 50, height: 50), control, app: "Harmless"))
        harmless.sync()
      }
      #expect(try settle(source).pixel(310, 310) == control)
      let base = harmless?.base
      harmless = nil
      eventually("the other one is gone") { find("Harmless", observer) == nil }
      // Its windows say nothing of their program; only its process has a name.
      let excluded = try #require(ServerProcess(["xev"]))
      eventually("xev is there") { isThere() != nil }
      #expect(self.base(of: isThere(), observer) == base)
      for _ in 0..<20 {
        #expect(try source.capture().picture.find(white) == nil)
        _ = try source.wait(untilMs: monotonicMs() + 20)
      }
      #expect(try settle(source).find(white) == nil)
      let plain = try X11DisplaySource(request(.display), waker: EventFd())
      #expect(try settle(plain).find(white) != nil)
      source.close()
      plain.close()
      withExtendedLifetime((display, excluded)) {}
    }
  }

  @Test func aWindowUnderTheIdOfAnExcludedOneThatIsGoneIsSeen() async throws {
    try await onOwnThread {
      let display = try #require(TestDisplay())
      let client = try TestClient()
      let manager = try TestClient()
      let hidden = client.window(PixelRect(x: 0, y: 0, width: 50, height: 50), secret)
      client.map(hidden)
      client.sync()
      let exclusions = Exclusions(windowIds: [String(hidden)])
      let source = try X11DisplaySource(request(.display, exclusions: exclusions), waker: EventFd())
      let place = PixelRect(x: 200, y: 200, width: 100, height: 100)
      // A dialog in a frame, which alone says that it is gone.
      let frame = manager.window(PixelRect(x: 190, y: 170, width: 120, height: 140), 0x303030)
      manager.map(frame)
      let dialog = client.window(place, secret)
      client.set(dialog, XCB_ATOM_WM_TRANSIENT_FOR.rawValue, hidden)
      client.sync()
      manager.reparent(dialog, to: frame)
      client.map(dialog)
      for each in [manager, client] { each.sync() }
      #expect(try settle(source).find(secret) == nil)
      client.destroy(dialog)
      client.sync()
      manager.destroy(frame)
      manager.sync()
      #expect(try settle(source).find(secret) == nil)
      client.map(client.window(place, control, id: dialog))
      client.sync()
      #expect(try settle(source).pixel(250, 250) == control)
      source.close()
      withExtendedLifetime(display) {}
    }
  }

  @Test func aRecordedWindowIsNotLostWhenItMovesIntoAFrameThatIsNotKnownYet() async throws {
    try await onOwnThread {
      let display = try #require(TestDisplay())
      let client = try TestClient()
      let window = client.window(PixelRect(x: 0, y: 0, width: 100, height: 100), control)
      client.map(window)
      client.sync()
      let source = try X11WindowSource(
        request(.window, String(window), exclusions: Exclusions(apps: ["keeper"])), waker: EventFd())
      let seen = try watch(source) { _ in
        let manager = try TestClient()
        var frame: xcb_window_t = 0
        for _ in 0..<400 {
          let next = manager.window(PixelRect(x: 20, y: 20, width: 150, height: 150), 0x303030)
          manager.map(next)
          manager.reparent(window, to: next)
          if frame != 0 { manager.destroy(frame) }
          frame = next
          manager.sync()
        }
        manager.reparent(window, to: manager.link.root)
        manager.sync()
      }
      #expect(seen.pictures > 0)
      source.close()
      withExtendedLifetime(display) {}
    }
  }

  @Test func aBoxInAShapedWindowReleasesNothingThatTwoWindowsBelowShare() {
    let root: xcb_window_t = 1
    // Bottom up: two windows side by side, the excluded one above both, a shaped one above all.
    let rects: [xcb_window_t: PixelRect] = [
      2: PixelRect(x: 0, y: 0, width: 100, height: 100), 3: PixelRect(x: 100, y: 0, width: 100, height: 100),
      4: PixelRect(x: 0, y: 0, width: 200, height: 100), 5: PixelRect(x: 0, y: 0, width: 200, height: 100),
    ]
    var stack = X11WindowStack()
    func apply(_ kind: X11Event.Kind, _ window: xcb_window_t) {
      stack.apply(X11Event(kind: kind, window: window, reporter: root, sequence: 0), root: root) { window in
        X11WindowTraits(isExcluded: window == 4, isOpaque: window != 5, hasPixels: true)
      }
    }
    for (window, rect) in rects.sorted(by: { $0.key < $1.key }) {
      apply(.created(rect, border: 0), window)
      apply(.mapped, window)
    }
    apply(.destroyed, 4)
    let held = stack.held
    apply(.damage(PixelRect(x: 90, y: 10, width: 20, height: 10)), root)
    #expect(!held.isEmpty && stack.held == held)
    let inside = PixelRect(x: 10, y: 10, width: 20, height: 10)
    apply(.damage(inside), root)
    #expect(stack.held == held.subtracting(PixelRegion(inside)))
  }
}
