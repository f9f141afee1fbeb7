// Owns the promise that what is excluded is never captured: a secret colour is painted in windows that a random program
// opens, moves, covers and closes, and searched for in every picture.

import CX11
import Glibc
import Locks
import Testing

import struct Synchronization.Atomic

@testable import RecorderCore
@testable import RecorderLinux
@testable import SessionRecorder

extension LinuxRecorderTests {
  @Suite struct ExclusionTests {
    struct Sightings {
      var pictures = 0
      var withSecret = 0
      var withControl = 0
      var firstPlace = ""
    }

    /// Captures as fast as it can while `body` runs on a thread of its own.
    func watch(
      _ source: any RecordingSource, while body: @escaping @Sendable (Watch) throws -> Void
    ) throws -> Sightings {
      let watch = Watch()
      spawn("commotion") {
        do { try body(watch) } catch { watch.error.withLock { $0 = error } }
        watch.isDone.store(true, ordering: .releasing)
      }
      defer { watch.isOver.store(true, ordering: .relaxed) }
      var seen = Sightings()
      while !watch.isDone.load(ordering: .acquiring) {
        let picture = try source.capture().picture
        seen.pictures += 1
        watch.pictures.store(seen.pictures, ordering: .relaxed)
        if let place = picture.find(secret) {
          if seen.withSecret == 0 { seen.firstPlace = "picture \(seen.pictures) at \(place)" }
          seen.withSecret += 1
        }
        if picture.find(control) != nil { seen.withControl += 1 }
      }
      if let error = watch.error.withLock({ $0 }) { throw error }
      return seen
    }

    final class Watch: Sendable {
      let pictures = Atomic<Int>(0)
      let isDone = Atomic<Bool>(false)
      let isOver = Atomic<Bool>(false)
      let error = Mutex<(any Error)?>(nil)

      /// However busy the machine is, the commotion does not run ahead of the pictures.
      func waitForPicture() {
        let before = pictures.load(ordering: .relaxed)
        while pictures.load(ordering: .relaxed) == before, !isOver.load(ordering: .relaxed) { usleep(200) }
      }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func noPictureEverShowsAnExcludedProgram(seed: UInt64) async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        let size = PictureSize(width: 640, height: 480)
        let source = try X11DisplaySource(
          request(.display, cursor: true, exclusions: Exclusions(apps: ["KEEPER"])), waker: EventFd())
        let seen = try watch(source) { watch in
          let commotion = try Commotion(seed: seed, screen: size)
          for step in 0..<700 {
            commotion.step()
            if step % 8 == 7 { watch.waitForPicture() }
          }
        }
        #expect(seen.withSecret == 0, "\(seen.firstPlace)")
        #expect(seen.withControl > 30 && seen.pictures > 50)
        source.close()
        withExtendedLifetime(display) {}
      }
    }

    @Test func withoutAnExclusionTheSameProgramIsSeen() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        let source = try X11DisplaySource(request(.display), waker: EventFd())
        let seen = try watch(source) { watch in
          let commotion = try Commotion(seed: 1, screen: PictureSize(width: 640, height: 480))
          for step in 0..<300 {
            commotion.step()
            if step % 8 == 7 { watch.waitForPicture() }
          }
        }
        #expect(seen.withSecret > 10 && seen.withControl > 10)
        source.close()
        withExtendedLifetime(display) {}
      }
    }

    /// Captures until nothing more changes.
    func settle(_ source: any RecordingSource) throws -> BgraPicture {
      var picture = try source.capture().picture
      while try source.wait(untilMs: monotonicMs() + 150) == .changed { picture = try source.capture().picture }
      return picture
    }

    @Test func whenItIsGoneEverythingIsSeenAgain() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        let size = PictureSize(width: 640, height: 480)
        let source = try X11DisplaySource(
          request(.display, exclusions: Exclusions(apps: ["keeper"])), waker: EventFd())
        _ = try watch(source) { watch in
          let commotion = try Commotion(seed: 7, screen: size)
          for step in 0..<600 {
            commotion.step()
            if step % 8 == 7 { watch.waitForPicture() }
          }
          // Both programs end here, and all their windows with them.
        }
        // Everything is drawn anew, as programs do when they are uncovered.
        let client = try TestClient()
        let whole = client.window(PixelRect(size), control)
        client.map(whole)
        client.sync()
        client.destroy(whole)
        client.sync()
        let guarded = try settle(source)
        let plain = try X11DisplaySource(request(.display), waker: EventFd())
        let truth = try settle(plain)
        #expect(memcmp(guarded.base, truth.base, truth.byteCount) == 0)
        source.close()
        plain.close()
        withExtendedLifetime(display) {}
      }
    }

    @Test func oneWindowIsKeptOutWithItsFrameDialogsAndMenusAndTheRestOfItsProgramIsSeen() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        #expect(run("xrandr", "--setmonitor", "m", "320/100x480/100+320+0", "none"))
        let manager = try #require(ServerProcess(["openbox", "--sm-disable"]))
        let client = try TestClient()
        let hidden = client.window(PixelRect(x: 40, y: 60, width: 200, height: 150), secret)
        let shown = client.window(PixelRect(x: 10, y: 300, width: 100, height: 80), control)
        client.map(hidden)
        client.map(shown)
        client.sync()
        eventually("openbox frames it") { client.link.ancestry(of: hidden).count > 1 }
        let exclusions = Exclusions(windowIds: [String(hidden)])
        let source = try X11DisplaySource(request(.display, "screen", exclusions: exclusions), waker: EventFd())
        let second = try X11DisplaySource(request(.display, "m", exclusions: exclusions), waker: EventFd())
        let picture = try settle(source)
        #expect(picture.find(secret) == nil && picture.find(control) != nil)
        let dialog = client.window(PixelRect(x: 350, y: 100, width: 120, height: 90), secret)
        client.set(dialog, XCB_ATOM_WM_TRANSIENT_FOR.rawValue, hidden)
        client.map(dialog)
        let menu = client.window(PixelRect(x: 400, y: 300, width: 60, height: 90), secret, isPopup: true)
        client.map(menu)
        client.place(hidden, PixelRect(x: 250, y: 60, width: 200, height: 150))
        for _ in 0..<30 {
          #expect(try source.capture().picture.find(secret) == nil)
          #expect(try second.capture().picture.find(secret) == nil)
          _ = try source.wait(untilMs: monotonicMs() + 5)
        }
        let later = try settle(source)
        #expect(later.find(secret) == nil && later.find(control) != nil && later.pixel(420, 340) == 0)
        #expect(try settle(second).find(secret) == nil)
        // Iconified and shown again by the manager.
        client.unmap(hidden)
        client.sync()
        client.map(hidden)
        client.sync()
        #expect(try settle(source).find(secret) == nil)
        source.close()
        second.close()
        withExtendedLifetime((display, manager)) {}
      }
    }

    @Test func aProgramIsKnownByItsProcessToo() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        // It opens after the recording began.
        let source = try X11DisplaySource(request(.display, exclusions: Exclusions(apps: ["xterm"])), waker: EventFd())
        #expect(try source.capture().picture.find(secret) == nil)
        let client = try TestClient()
        let terminal = try terminal(secret)
        eventually("xterm is there") { find("Other", client) != nil }
        for _ in 0..<20 {
          #expect(try source.capture().picture.find(secret) == nil)
          _ = try source.wait(untilMs: monotonicMs() + 20)
        }
        #expect(try settle(source).pixel(100, 100) == 0)
        let plain = try X11DisplaySource(request(.display), waker: EventFd())
        #expect(try settle(plain).find(secret) != nil)
        source.close()
        plain.close()
        withExtendedLifetime((display, terminal)) {}
      }
    }

    @Test(arguments: [11, 12] as [UInt64]) func aRecordedWindowNeverShowsAnExcludedOne(seed: UInt64) async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        let client = try TestClient()
        // No background: its picture begins with what the screen shows there.
        let window = client.window(PixelRect(x: 100, y: 100, width: 300, height: 250), nil)
        client.map(window)
        client.fill(window, PixelRect(x: 0, y: 0, width: 300, height: 250), control)
        client.sync()
        let source = try X11WindowSource(
          request(.window, String(window), exclusions: Exclusions(apps: ["keeper"])), waker: EventFd())
        let link = client.link
        let changes = Sendables(client: client)
        let seen = try watch(source) { watch in
          let commotion = try Commotion(seed: seed, screen: PictureSize(width: 640, height: 480))
          var numbers = SeededNumbers(seed: 3)
          for step in 0..<600 {
            commotion.step()
            if step % 8 == 7 { watch.waitForPicture() }
            if step % 15 == 0 {
              let rect = PixelRect(
                x: Int.random(in: 0...300, using: &numbers), y: Int.random(in: 0...200, using: &numbers),
                width: Int.random(in: 100...300, using: &numbers), height: Int.random(in: 100...250, using: &numbers))
              changes.client.place(window, rect)
              if step % 60 == 0 {
                changes.client.unmap(window)
                changes.client.map(window)
              }
              if step % 30 == 0 { changes.client.fill(window, PixelRect(x: 0, y: 0, width: 300, height: 250), control) }
              changes.client.flush()
            }
          }
        }
        #expect(seen.withSecret == 0 && seen.pictures > 50, "\(seen.firstPlace)")
        // When all is quiet and the program has drawn, its window is whole again.
        _ = try settle(source)
        client.fill(window, PixelRect(x: 0, y: 0, width: 300, height: 250), control)
        client.sync()
        let last = try settle(source)
        #expect(last.pixel(0, 0) == control && last.pixel(last.size.width - 1, last.size.height - 1) == control)
        source.close()
        withExtendedLifetime((display, link)) {}
      }
    }

    /// A connection that another thread uses while this one waits for that thread.
    private struct Sendables: @unchecked Sendable { let client: TestClient }

    @Test func anExcludedWindowCannotBeRecorded() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        let client = try TestClient()
        let window = client.window(PixelRect(x: 0, y: 0, width: 100, height: 100), secret, app: "Keeper")
        let other = client.window(PixelRect(x: 200, y: 0, width: 100, height: 100), control)
        client.map(window)
        client.map(other)
        client.sync()
        for exclusions in [Exclusions(apps: ["keeper"]), Exclusions(windowIds: ["0x" + String(window, radix: 16)])] {
          #expect(throws: RecorderError.self) {
            try X11WindowSource(request(.window, String(window), exclusions: exclusions), waker: EventFd())
          }
        }
        let source = try X11WindowSource(
          request(.window, String(other), exclusions: Exclusions(windowIds: [String(window)])), waker: EventFd())
        _ = try source.capture()
        client.set(other, XCB_ATOM_WM_TRANSIENT_FOR.rawValue, window)
        client.sync()
        #expect(throws: RecorderError.self) { for _ in 0..<50 { _ = try source.wait(untilMs: monotonicMs() + 20) } }
        #expect(throws: RecorderError.self) {
          try X11DisplaySource(request(.display, exclusions: Exclusions(windowIds: ["firefox"])), waker: EventFd())
        }
        source.close()
        withExtendedLifetime(display) {}
      }
    }

    @Test func whereItCannotBeKeptThePromiseIsNotGiven() async throws {
      try await onOwnThread {
        for name in ["X-Resource", "DAMAGE"] {
          let display = try #require(TestDisplay(options: ["-extension", name]))
          var code: ErrorCode?
          do {
            _ = try X11DisplaySource(request(.display, exclusions: Exclusions(apps: ["a"])), waker: EventFd())
          } catch { code = (error as? RecorderError)?.code }
          #expect(code == .unsupported)
          withExtendedLifetime(display) {}
        }
      }
    }

    /// Records a commotion with a display and screenshots; counts the secret and the control colour in all of it.
    private func record(excluding apps: String) throws -> (secret: Int, control: Int, screenshots: Int) {
      struct Created: Decodable { let handle: UInt64 }
      let text = { (pointer: UnsafeMutablePointer<CChar>?) -> String in
        defer { freeString(pointer) }
        return pointer.map { String(cString: $0) } ?? ""
      }
      let folder = temporaryFolder()
      let config = """
        {"sessionId":"t","outputDirectory":"\(folder)/session","video":{"fps":30,"maxWidth":400,"fragmentMs":500,
         "quality":1,"excludedApps":[\(apps)]},"screenshots":{"maxWidth":300}}
        """
      let handle = try Json.decode(Created.self, from: text(create(config))).handle
      #expect(text(start(handle)).contains("\"active\""))
      let commotion = try Commotion(seed: 21, screen: PictureSize(width: 640, height: 480))
      for step in 0..<800 {
        commotion.step()
        if step % 100 == 50 { _ = text(takeScreenshot(handle, "{}")) }
      }
      let manifest = try Json.decode(Manifest.self, from: text(stop(handle)))
      _ = text(destroy(handle))
      var sum = (secret: 0, control: 0, screenshots: manifest.screenshots.count)
      for name in manifest.takes.map(\.path) + manifest.screenshots.map(\.path) {
        sum.secret += try countPixels(near: secret, in: "\(folder)/session/\(name)", folder)
        sum.control += try countPixels(near: control, in: "\(folder)/session/\(name)", folder)
      }
      return sum
    }

    @Test func aRecordedSessionHasNoTraceOfItInVideoAndScreenshots() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        let kept = try record(excluding: #""keeper""#)
        #expect(kept.secret == 0 && kept.control > 10_000 && kept.screenshots > 0)
        // The same without an exclusion: the search can find it.
        let open = try record(excluding: "")
        #expect(open.secret > 10_000)
        withExtendedLifetime(display) {}
      }
    }
  }
}
