// Owns where excluded windows can be seen: the root's children in stacking order, followed event by event, and the
// pixels that an excluded window may have left behind.

import CX11
import RecorderCore

/// What of a window matters here.
struct X11WindowTraits: Equatable {
  var isExcluded: Bool
  /// Nothing below shows through: no alpha, no opacity, no shape.
  var isOpaque: Bool
  /// False for windows that only take input.
  var hasPixels: Bool

  /// A window of which nothing is known is kept out, and hides nothing.
  static let unknown = X11WindowTraits(isExcluded: true, isOpaque: false, hasPixels: true)
}

struct X11WindowStack {
  struct Entry: Equatable {
    let id: xcb_window_t
    /// With its border, in the root's pixels.
    var rect: PixelRect
    var border: Int
    var isMapped: Bool
    var traits: X11WindowTraits
  }

  /// Lowest first.
  private(set) var entries: [Entry] = []
  /// Where excluded windows can be seen now.
  private(set) var visible = PixelRegion()
  /// Where one could be seen and nobody has drawn since. A window without a background shows what was there before
  /// it until its program draws; so do the pixels of a window that was closed above it.
  private(set) var held = PixelRegion()
  /// Held as well, but what is drawn before the next picture does not count: it may be a copy of held pixels.
  private(set) var copied = PixelRegion()
  /// A compositing manager draws the screen some time later, and with transparency: no window hides another.
  private var isComposited = false

  mutating func apply(_ event: X11Event, root: xcb_window_t, traits: (xcb_window_t) -> X11WindowTraits) {
    if case .damage(let area) = event.kind {
      if event.window == root { release(area) }
      return
    }
    guard event.reporter == root else { return }
    let index = entries.firstIndex { $0.id == event.window }
    switch event.kind {
    case .created(let rect, let border):
      change { stack in
        stack.remove(event.window)
        stack.entries.append(
          Entry(id: event.window, rect: rect, border: border, isMapped: false, traits: traits(event.window)))
      }
    case .destroyed:
      change { $0.remove(event.window) }
    case .mapped, .unmapped:
      guard let index else { return }
      let isMapped = if case .mapped = event.kind { true } else { false }
      change { $0.entries[index].isMapped = isMapped }
    case .configured(let rect, let border, let above):
      guard let index else { return }
      noteCopy(entries[index], to: rect)
      change { stack in
        var entry = stack.entries.remove(at: index)
        entry.rect = rect
        entry.border = border
        let place = stack.entries.firstIndex { $0.id == above }.map { $0 + 1 } ?? (above == 0 ? 0 : index)
        stack.entries.insert(entry, at: min(place, stack.entries.count))
      }
    case .moved(let x, let y):
      guard let index else { return }
      var rect = entries[index].rect
      (rect.x, rect.y) = (x, y)
      noteCopy(entries[index], to: rect)
      change { $0.entries[index].rect = rect }
    case .circulated(let toTop):
      guard let index else { return }
      change { stack in
        let entry = stack.entries.remove(at: index)
        stack.entries.insert(entry, at: toTop ? stack.entries.count : 0)
      }
    case .reparented(let parent, let x, let y):
      change { stack in
        let old = index.map { stack.entries[$0] }
        stack.remove(event.window)
        // It comes to the root unmapped, on top; its size is the same. The next picture asks for the geometry.
        guard parent == root else { return }
        let size = old?.rect ?? PixelRect(x: 0, y: 0, width: 1, height: 1)
        stack.entries.append(
          Entry(
            id: event.window, rect: PixelRect(x: x, y: y, width: size.width, height: size.height),
            border: old?.border ?? 0, isMapped: false, traits: traits(event.window)))
      }
    default: return
    }
  }

  /// Takes over what is known better now. What a window hides from now on may still show what was there before.
  mutating func update(_ traits: (xcb_window_t) -> X11WindowTraits) {
    let before = visible
    for index in entries.indices { entries[index].traits = traits(entries[index].id) }
    visible = seen()
    copied.add(before.subtracting(visible))
  }

  /// What the server said while nobody could change anything.
  mutating func adopt(_ truth: [Entry], isComposited: Bool) {
    guard truth != entries || isComposited != self.isComposited else { return }
    self.isComposited = isComposited
    let before = visible
    entries = truth
    visible = seen()
    copied.add(before.subtracting(visible))
  }

  /// What was copied before this moment is released by drawing from now on.
  mutating func pictureTaken() {
    guard !copied.isEmpty else { return }
    held.add(copied)
    copied = PixelRegion()
  }

  /// Forgets what is held and returns it.
  mutating func takeHeld() -> PixelRegion {
    defer {
      held = PixelRegion()
      copied = PixelRegion()
    }
    return held.adding(copied)
  }

  private mutating func remove(_ id: xcb_window_t) {
    entries.removeAll { $0.id == id }
  }

  private mutating func change(_ body: (inout X11WindowStack) -> Void) {
    let before = visible
    body(&self)
    visible = seen()
    let left = before.subtracting(visible)
    if !left.isEmpty { held.add(left.subtracting(borders())) }
    // Where no window is, the server has painted the root's background.
    if !isComposited, !held.isEmpty { held = held.intersection(windows()) }
  }

  private func windows() -> PixelRegion {
    var region = PixelRegion()
    for entry in entries where entry.isMapped && entry.traits.hasPixels { region.add(entry.rect) }
    return region
  }

  /// A window that moves takes its pixels along, held ones too.
  private mutating func noteCopy(_ entry: Entry, to rect: PixelRect) {
    guard rect != entry.rect, held.overlaps(entry.rect) || copied.overlaps(entry.rect) else { return }
    copied.add(rect)
  }

  private mutating func release(_ area: PixelRect) {
    guard !isComposited, held.overlaps(area) else { return }
    // The server reports the box around what it painted. Of a box that reaches into a second window nothing is known
    // about the part there; through a shaped window the one below may have painted.
    for entry in entries.reversed() where entry.isMapped && entry.traits.hasPixels && entry.rect.overlaps(area) {
      if entry.rect.intersection(area) != area { return }
      if entry.traits.isOpaque { break }
    }
    // Inside of it the excluded window may have drawn itself.
    held.subtract(PixelRegion(area).subtracting(visible))
  }

  private func seen() -> PixelRegion {
    var region = PixelRegion()
    for entry in entries where entry.isMapped && entry.traits.hasPixels {
      if entry.traits.isExcluded {
        region.add(entry.rect)
      } else if entry.traits.isOpaque, !isComposited {
        region.subtract(entry.rect)
      }
    }
    return region
  }

  /// The server paints borders at once, and does not report them.
  private func borders() -> PixelRegion {
    var above = PixelRegion()
    var found = PixelRegion()
    for entry in entries.reversed() where entry.isMapped && entry.traits.hasPixels {
      if entry.border > 0, !entry.traits.isExcluded, entry.traits.isOpaque {
        var ring = PixelRegion(entry.rect)
        ring.subtract(
          PixelRect(
            x: entry.rect.x + entry.border, y: entry.rect.y + entry.border,
            width: entry.rect.width - 2 * entry.border, height: entry.rect.height - 2 * entry.border))
        found.add(ring.subtracting(above))
      }
      above.add(entry.rect)
    }
    return found
  }
}
