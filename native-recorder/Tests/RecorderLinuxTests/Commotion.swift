// Owns the commotion that exclusion is tested in: windows that a random program opens, moves, covers and closes.

import CX11
import Glibc

@testable import RecorderCore
@testable import RecorderLinux

/// What an excluded window is painted with, and what one beside it is.
let secret: UInt32 = 0xf413c7
let control: UInt32 = 0x1fd36b

/// Two programs on one screen, doing at random what windows do.
final class Commotion {
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
      secrets.randomElement(using: &numbers).map {
        keeper.fill($0, PixelRect(x: 0, y: 0, width: 600, height: 400), secret)
      }
    case 8:
      if secrets.count > 2 { keeper.destroy(secrets.remove(at: Int.random(in: 0..<secrets.count, using: &numbers))) }
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
    other.movePointer(
      Int.random(in: 0..<screen.width, using: &numbers), Int.random(in: 0..<screen.height, using: &numbers))
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
