// Owns the lasting picture of a display and the memory that the X server writes it into.

import CX11
import Glibc
import RecorderCore

/// One shared segment: first the whole picture, then room for rectangles on their way into it. Without shared memory
/// (a remote display) rectangles come over the connection.
final class X11Image {
  let picture: BgraPicture

  private let connection: X11Connection
  /// At an address of its own, because Xlib keeps a pointer to it.
  private let segment: UnsafeMutablePointer<XShmSegmentInfo>
  private var image: UnsafeMutablePointer<XImage>?
  private var staging: UnsafeMutableRawPointer?
  private static let stagingShare = 2

  init(_ connection: X11Connection, size: PictureSize) throws(RecorderError) {
    self.connection = connection
    segment = .allocate(capacity: 1)
    segment.initialize(to: XShmSegmentInfo())
    if let memory = Self.share(connection, size: size, segment) {
      picture = BgraPicture(size: size, over: memory)
      staging = memory + size.area * 4
    } else {
      picture = BgraPicture(size: size)
      return
    }
    let display = connection.display
    image = XShmCreateImage(
      display, ws_x_visual(display), UInt32(ws_x_depth(display)), Int32(ZPixmap), nil, segment, UInt32(size.width),
      UInt32(size.height))
    guard image != nil else {
      release()
      throw RecorderError(.sourceLost, "The display server refused a picture.")
    }
  }

  deinit {
    release()
    if let address = segment.pointee.shmaddr { shmdt(address) }
    segment.deallocate()
  }

  /// Copies `rect` (in the display's pixels) of the screen into the picture.
  func grab(_ root: Window, _ rect: PixelRect, origin: PixelRect) throws(RecorderError) {
    guard let image, let staging else {
      try grabWithoutSharing(root, rect, origin: origin)
      return
    }
    // Wide rectangles are fetched as whole rows, straight to their place; narrow ones by way of the staging room.
    let isWide = rect.width * 2 > picture.size.width
    let target = isWide ? PixelRect(x: 0, y: rect.y, width: picture.size.width, height: rect.height) : rect
    let data = isWide ? picture.base + target.y * picture.stride : staging
    ws_x_image_window(image, data.assumingMemoryBound(to: CChar.self), Int32(target.width), Int32(target.height))
    let done = XShmGetImage(
      connection.display, root, image, Int32(origin.x + target.x), Int32(origin.y + target.y), UInt(bitPattern: -1))
    try connection.check()
    // The screen may just have shrunk: the event that says so follows, and a new picture with it.
    guard done != 0, !isWide else { return }
    copyRows(from: staging, stride: target.width * 4, into: target)
  }

  private func grabWithoutSharing(_ root: Window, _ rect: PixelRect, origin: PixelRect) throws(RecorderError) {
    let fetched = XGetImage(
      connection.display, root, Int32(origin.x + rect.x), Int32(origin.y + rect.y), UInt32(rect.width),
      UInt32(rect.height), UInt(bitPattern: -1), Int32(ZPixmap))
    try connection.check()
    guard let fetched else { return }
    defer { ws_x_destroy_image(fetched) }
    guard fetched.pointee.bits_per_pixel == 32, let data = fetched.pointee.data else { return }
    copyRows(from: UnsafeMutableRawPointer(data), stride: Int(fetched.pointee.bytes_per_line), into: rect)
  }

  private func copyRows(from source: UnsafeMutableRawPointer, stride: Int, into rect: PixelRect) {
    for row in 0..<rect.height {
      (picture.base + (rect.y + row) * picture.stride + rect.x * 4).copyMemory(
        from: source + row * stride, byteCount: rect.width * 4)
    }
  }

  /// Ends the server's part; the picture can still be looked at while this object lives.
  func release() {
    guard staging != nil else { return }
    staging = nil
    if !connection.isBroken { XShmDetach(connection.display, segment) }
    if let image {
      image.pointee.data = nil
      image.pointee.obdata = nil
      XFree(image)
    }
    image = nil
  }

  /// Nil when the server cannot share memory with this process.
  private static func share(
    _ connection: X11Connection, size: PictureSize, _ segment: UnsafeMutablePointer<XShmSegmentInfo>
  ) -> UnsafeMutableRawPointer? {
    guard XShmQueryExtension(connection.display) != 0 else { return nil }
    let id = shmget(IPC_PRIVATE, size.area * 4 + size.area * 4 / stagingShare + 4096, Int32(IPC_CREAT) | 0o600)
    guard id >= 0 else { return nil }
    guard let address = shmat(id, nil, 0), address != UnsafeMutableRawPointer(bitPattern: -1) else {
      shmctl(id, IPC_RMID, nil)
      return nil
    }
    segment.pointee.shmid = id
    segment.pointee.shmaddr = address.assumingMemoryBound(to: CChar.self)
    segment.pointee.readOnly = 0
    let failed = connection.errorOf { XShmAttach(connection.display, segment) }
    // Marked for removal at once: it goes when both sides are done with it, also after a crash.
    shmctl(id, IPC_RMID, nil)
    guard failed == 0, !connection.isBroken else {
      shmdt(address)
      segment.pointee.shmaddr = nil
      return nil
    }
    return address
  }
}
