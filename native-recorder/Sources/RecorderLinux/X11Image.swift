// Owns the lasting picture of a display or window and the memory that the X server writes it into.

import CX11
import Glibc
import RecorderCore

/// One shared segment: first the whole picture, then room for rectangles on their way into it. Without shared memory
/// (a remote display) rectangles come over the connection. The picture can be read for as long as anybody holds it.
final class X11Image {
  let picture: BgraPicture

  private let link: X11Connection
  private let segment: SharedSegment?
  private let stagingCapacity: Int
  private var pending: [Pending] = []
  private var stagingUsed = 0
  private static let stagingShare = 2

  private struct Pending {
    enum Cookie {
      case shared(xcb_shm_get_image_cookie_t)
      case sent(xcb_get_image_cookie_t)
    }
    let cookie: Cookie
    let target: PixelRect
    /// Where in the segment the rows are, when not in their place.
    let stagedAt: Int?
  }

  init(_ link: X11Connection, size: PictureSize) {
    self.link = link
    stagingCapacity = size.area * 4 / Self.stagingShare
    segment = SharedSegment(link, byteCount: size.area * 4 + stagingCapacity)
    if let segment {
      picture = BgraPicture(size: size, over: segment.address, owner: segment)
    } else {
      picture = BgraPicture(size: size)
    }
  }

  deinit {
    if let segment, !link.isBroken { xcb_shm_detach(link.raw, segment.id) }
  }

  /// Asks for `rect` (in the picture's pixels) of a drawable in which the picture begins at (`x`, `y`). Returns what
  /// will be written: wide rectangles come as whole rows, straight to their place.
  func request(_ drawable: xcb_drawable_t, _ rect: PixelRect, x: Int, y: Int) -> PixelRect {
    let all = UInt32.max
    let format = UInt8(XCB_IMAGE_FORMAT_Z_PIXMAP.rawValue)
    guard let segment else {
      let cookie = xcb_get_image(
        link.raw, format, drawable, Int16(x + rect.x), Int16(y + rect.y), UInt16(rect.width), UInt16(rect.height), all)
      pending.append(Pending(cookie: .sent(cookie), target: rect, stagedAt: nil))
      return rect
    }
    let isWide = rect.width * 2 > picture.size.width || stagingUsed + rect.area * 4 > stagingCapacity
    let target = isWide ? PixelRect(x: 0, y: rect.y, width: picture.size.width, height: rect.height) : rect
    let offset = isWide ? target.y * picture.stride : picture.byteCount + stagingUsed
    if !isWide { stagingUsed += rect.area * 4 }
    let cookie = xcb_shm_get_image(
      link.raw, drawable, Int16(x + target.x), Int16(y + target.y), UInt16(target.width), UInt16(target.height), all,
      format, segment.id, UInt32(offset))
    pending.append(Pending(cookie: .shared(cookie), target: target, stagedAt: isWide ? nil : offset))
    return target
  }

  /// Waits for what was asked for and puts it in its place. A rectangle that the server refuses (the screen may just
  /// have shrunk: the event that says so follows) stays as it was.
  func collect() {
    defer {
      pending.removeAll(keepingCapacity: true)
      stagingUsed = 0
    }
    for item in pending {
      switch item.cookie {
      case .shared(let cookie):
        guard let segment, let reply = xcb_shm_get_image_reply(link.raw, cookie, nil) else { continue }
        free(reply)
        if let offset = item.stagedAt { copyRows(from: segment.address + offset, into: item.target) }
      case .sent(let cookie):
        let _: Void? = link.read(xcb_get_image_reply(link.raw, cookie, nil)) { reply in
          guard let data = xcb_get_image_data(reply),
            Int(xcb_get_image_data_length(reply)) >= item.target.area * 4
          else { return }
          copyRows(from: data, into: item.target)
        }
      }
    }
  }

  private func copyRows(from source: UnsafeRawPointer, into rect: PixelRect) {
    for row in 0..<rect.height {
      (picture.base + (rect.y + row) * picture.stride + rect.x * 4).copyMemory(
        from: source + row * rect.width * 4, byteCount: rect.width * 4)
    }
  }
}

/// Memory shared with the X server. It goes when both sides are done with it, also after a crash.
private final class SharedSegment: @unchecked Sendable {
  let id: xcb_shm_seg_t
  let address: UnsafeMutableRawPointer

  /// Nil when the server cannot share memory with this process.
  init?(_ link: X11Connection, byteCount: Int) {
    guard link.has(WS_X_SHM) else { return nil }
    let key = shmget(IPC_PRIVATE, max(4096, byteCount), Int32(IPC_CREAT) | 0o600)
    guard key >= 0 else { return nil }
    guard let mapped = shmat(key, nil, 0), mapped != UnsafeMutableRawPointer(bitPattern: -1) else {
      shmctl(key, IPC_RMID, nil)
      return nil
    }
    id = xcb_generate_id(link.raw)
    address = mapped
    let isAttached = link.succeeded(xcb_shm_attach_checked(link.raw, id, UInt32(key), 0))
    shmctl(key, IPC_RMID, nil)
    guard isAttached else { return nil }
  }

  deinit {
    shmdt(address)
  }
}
