// Owns the promise that what is excluded is never captured: a secret colour is painted in windows that a random program
// opens, moves, covers and closes, and searched for in every picture.

import CX11
import FoundationEssentials
import Glibc
import Synchronization
import Testing

@testable import RecorderCore
@testable import RecorderLinux
@testable import SessionRecorder

private let secret: UInt32 = 0xf413c7
private let control: UInt32 = 0x1fd36b

/// Two programs on one screen, doing at random what windows do.
private final class Commotion {
  let keeper: TestClient
  let other: TestClient
  private var numbers: SeededNumbers
  private let screen: PictureSize
  private var secrets: [xcb_window_t] = []
  private var others: [(window: xcb_window_t, rect: PixelRect, hasBackground: Bool)] = []
  private let app: String

  init(seed: UInt64, screen: PictureSize, app: String = "Keeper") throws {
    keeper = try TestClient()
    other = try TestClient()
    numbers = SeededNumbers(seed: seed)
    self.screen = screen
    self.app = app
    for _ in 0..<3 { open() }
    for _ in 0..<5 { cover() }
    keeper.sync()
    other.sync()
  }

  func step() {
    switch Int.random(in: 0..<16, using: &numbers) {
    case 0: open()
    case 1, 2, 3: secrets.randomElement(using: &numbers).map { keeper.place($0, rect()) }
    case 4: secrets.randomElement(using: &numbers).map { keeper.stack($0, above: .random(using: &numbers)) }
    case 5: secrets.randomElement(using: &numbers).map { keeper.unmap($0) }
    case 6: secrets.randomElement(using: &numbers).map { keeper.map($0) }
    case 7:
      secrets.randomElement(using: &numbers).map { keeper.fill($0, PixelRect(x: 0, y: 0, width: 600, height: 400), secret) }
    case 8: if secrets.count > 2 { keeper.destroy(secrets.remove(at: Int.random(in: 0..<secrets.count, using: &numbers))) }
    case 9:
      let menu = keeper.window(rect(), secret, isPopup: true)
      keeper.map(menu)
      secrets.append(menu)
    case 10: cover()
    case 11, 12:
      if let index = others.indices.randomElement(using: &numbers) {
        others[index].rect = rect()
        other.place(others[index].window, others[index].rect)
      }
    case 13: others.randomElement(using: &numbers).map { other.stack($0.window, above: .random(using: &numbers)) }
    case 14:
      if let item = others.randomElement(using: &numbers) {
        other.map(item.window)
        other.fill(item.window, PixelRect(x: 0, y: 0, width: item.rect.width, height: item.rect.height), control)
      }
    default:
      if others.count > 3 {
        let item = others.remove(at: Int.random(in: 0..<others.count, using: &numbers))
        other.destroy(item.window)
      }
    }
    other.movePointer(Int.random(in: 0..<screen.width, using: &numbers), Int.random(in: 0..<screen.height, using: &numbers))
    keeper.flush()
    other.flush()
    if Bool.random(using: &numbers) { usleep(UInt32.random(in: 0..<4_000, using: &numbers)) }
  }

  private func open() {
    let window = keeper.window(rect(), secret, app: app, border: Int.random(in: 0...2, using: &numbers))
    // A window inside the window, as toolkits make them.
    keeper.map(keeper.window(PixelRect(x: 5, y: 5, width: 60, height: 40), secret, in: window))
    keeper.map(window)
    secrets.append(window)
  }

  private func cover() {
    let place = rect()
    let hasBackground = Bool.random(using: &numbers)
    let window = other.window(place, hasBackground ? control : nil, app: "Other")
    other.map(window)
    if hasBackground || Bool.random(using: &numbers) {
      other.fill(window, PixelRect(x: 0, y: 0, width: place.width, height: place.height), control)
    }
    others.append((window, place, hasBackground))
  }

  private func rect() -> PixelRect {
    PixelRect(
      x: Int.random(in: -60..<screen.width - 20, using: &numbers),
      y: Int.random(in: -60..<screen.height - 20, using: &numbers),
      width: Int.random(in: 20..<300, using: &numbers), height: Int.random(in: 20..<240, using: &numbers))
  }
}

extension LinuxRecorderTests {
  @Suite struct ExclusionTests {
    private struct Sightings {
      var pictures = 0
      var withSecret = 0
      var withControl = 0
      var firstPlace = ""
    }

    /// Captures as fast as it can while `body` runs on a thread of its own.
    private func watch(
      _ source: any RecordingSource, while body: @escaping @Sendable () throws -> Void
    ) throws -> Sightings {
      let done = Done()
      spawn("commotion") {
        do { try body() } catch { done.error.withLock { $0 = error } }
        done.flag.store(true, ordering: .releasing)
      }
      var seen = Sightings()
      while !done.flag.load(ordering: .acquiring) {
        let picture = try source.capture().picture
        seen.pictures += 1
        if let place = picture.find(secret) {
          if seen.withSecret == 0 { seen.firstPlace = "picture \(seen.pictures) at \(place)" }
          seen.withSecret += 1
        }
        if picture.find(control) != nil { seen.withControl += 1 }
      }
      if let error = done.error.withLock({ $0 }) { throw error }
      return seen
    }

    private final class Done: Sendable {
      let flag = Atomic<Bool>(false)
      let error = Mutex<(any Error)?>(nil)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func noPictureEverShowsAnExcludedProgram(seed: UInt64) async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        let size = PictureSize(width: 640, height: 480)
        let source = try X11DisplaySource(
          request(.display, cursor: true, exclusions: Exclusions(apps: ["KEEPER"])), waker: EventFd())
        let seen = try watch(source) {
          let commotion = try Commotion(seed: seed, screen: size)
          for _ in 0..<1_500 { commotion.step() }
        }
        print("SEEN", seen)
        #expect(seen.withSecret == 0, "\(seen.firstPlace)")
        #expect(seen.withControl > 20 && seen.pictures > 50)
        source.close()
        withExtendedLifetime(display) {}
      }
    }

    @Test func withoutAnExclusionTheSameProgramIsSeen() async throws {
      try await onOwnThread {
        let display = try #require(TestDisplay())
        let source = try X11DisplaySource(request(.display), waker: EventFd())
        let seen = try watch(source) {
          let commotion = try Commotion(seed: 1, screen: PictureSize(width: 640, height: 480))
          for _ in 0..<300 { commotion.step() }
        }
        #expect(seen.withSecret > 20 && seen.withControl > 20)
        source.close()
        withExtendedLifetime(display) {}
      }
    }
  }
}
