// Owns the verdict on each window: whether it belongs to what the user keeps out of the recording.

import CX11
import Glibc
import RecorderCore

/// Follows windows by their ids, their program's names, the client that made them, and whom they serve. A verdict
/// "excluded" lasts as long as the window: doubt never uncovers it.
final class X11ExcludedWindows {
  private struct Facts {
    /// Every child of the root that this window is or was inside of; a window manager's frame among them.
    var tops: Set<xcb_window_t>
    var names: [String] = []
    var transientFor: xcb_window_t = 0
    /// Menus, tooltips: windows that no window manager handles.
    var isPopup = false
    var isExcluded = false
    var traits = X11WindowTraits.unknown
  }

  private struct Client {
    let pid: Int
    let names: [String]
    /// All of its windows are kept out.
    var isExcluded = false
    /// Its popups are kept out: which of its windows a menu belongs to cannot be told.
    var hasExcludedPopups = false
  }

  private let link: X11Connection
  private var wantedIds: Set<xcb_window_t>
  private let wantedApps: Set<String>
  private var facts: [xcb_window_t: Facts] = [:]
  /// By the bits that a client's resources share. When it quits, the server gives them to the next client at once.
  private var clients: [UInt32: Client] = [:]
  private var excludedTops: Set<xcb_window_t> = []

  /// - Throws: `invalidConfig` for an id that is none.
  init(_ link: X11Connection, _ exclusions: Exclusions) throws(RecorderError) {
    self.link = link
    var ids: Set<xcb_window_t> = []
    for text in exclusions.windowIds {
      guard let id = X11Windows.id(text) else {
        throw RecorderError(.invalidConfig, "“\(text)” in excludedWindowIds is not the id of a window.")
      }
      ids.insert(id)
    }
    wantedIds = ids
    wantedApps = Set(exclusions.apps.map { $0.lowercased() })
    if link.has(WS_X_RES) {
      _ = link.read(xcb_res_query_version_reply(link.raw, xcb_res_query_version(link.raw, 1, 2), nil)) { _ in true }
    }
  }

  /// Looks at all windows that are there, also inside of window managers' frames.
  func begin(_ tops: [xcb_window_t]) {
    examine(tops)
    var level = tops.map { (window: $0, top: $0) }
    // Frames are two or three windows deep.
    for _ in 0..<4 where !level.isEmpty {
      let trees = level.map { xcb_query_tree(link.raw, $0.window) }
      let children = zip(level, trees).flatMap { parent, tree in
        (link.tree(tree)?.children ?? []).map { (window: $0, top: parent.top) }
      }
      let states = children.map { link.ask($0.window, link.atoms.state) }
      let isClient = states.map { !(link.bytes($0) ?? []).isEmpty }
      let clients = zip(children, isClient).filter(\.1).map(\.0)
      examine(clients.map(\.window))
      for client in clients { facts[client.window]?.tops = [client.top] }
      level = zip(children, isClient).filter { !$0.1 }.map(\.0)
    }
    for id in wantedIds where facts[id] == nil {
      guard let top = link.ancestry(of: id).last else { continue }
      examine([id])
      facts[id]?.tops = [top]
    }
    settle()
  }

  /// Brings the verdicts up to date before the events are followed. Returns whether any has changed.
  func learn(from events: [X11Event]) -> Bool {
    var news: [xcb_window_t] = []
    var gone: Set<xcb_window_t> = []
    for event in events {
      switch event.kind {
      case .destroyed: gone.insert(event.window)
      case .created where event.reporter == link.root:
        // Another window under the same id.
        if gone.contains(event.window) {
          facts[event.window] = nil
          excludedTops.remove(event.window)
          wantedIds.remove(event.window)
        }
        news.append(event.window)
      case .reparented(let parent, _, _) where parent == link.root: news.append(event.window)
      case .property(let atom) where isTelling(atom) && facts[event.window] != nil: news.append(event.window)
      case .shape where facts[event.window] != nil: news.append(event.window)
      default: break
      }
    }
    if !news.isEmpty { examine(Array(Set(news))) }
    var hasChanged = !news.isEmpty
    for event in events {
      switch event.kind {
      case .reparented(let parent, _, _) where event.reporter == link.root:
        hasChanged = true
        let top = parent == link.root ? event.window : facts[parent] != nil ? parent : link.ancestry(of: parent).last
        facts[event.window, default: Facts(tops: [])].tops.insert(top ?? parent)
      default: break
      }
    }
    if hasChanged { settle() }
    return hasChanged
  }

  /// Windows that no event has announced.
  func meet(_ tops: [xcb_window_t]) {
    let unknown = tops.filter { facts[$0] == nil }
    guard !unknown.isEmpty else { return }
    examine(unknown)
    settle()
  }

  /// After the events have been followed: what is gone needs no verdict.
  func forget(_ events: [X11Event]) {
    var gone: Set<xcb_window_t> = []
    for event in events {
      switch event.kind {
      // A window inside of another tells it itself.
      case .destroyed: gone.insert(event.window)
      case .created: gone.remove(event.window)
      default: break
      }
    }
    guard !gone.isEmpty else { return }
    excludedTops.subtract(gone)
    wantedIds.subtract(gone)
    for window in gone { facts[window] = nil }
    for (window, known) in facts where !known.tops.isDisjoint(with: gone) {
      facts[window]?.tops.subtract(gone)
      if known.tops.isSubset(of: gone) { facts[window] = nil }
    }
  }

  /// Of any window: whether it is known to be kept out. One of which nothing is known is not.
  func isKnownExcluded(_ window: xcb_window_t) -> Bool {
    facts[window]?.isExcluded == true || excludedTops.contains(window)
  }

  /// Of a child of the root.
  func traits(_ top: xcb_window_t) -> X11WindowTraits {
    var traits = facts[top]?.traits ?? .unknown
    traits.isExcluded = traits.isExcluded || excludedTops.contains(top)
    return traits
  }

  private func isTelling(_ atom: xcb_atom_t) -> Bool {
    atom == xcb_atom_t(XCB_ATOM_WM_CLASS.rawValue) || atom == xcb_atom_t(XCB_ATOM_WM_TRANSIENT_FOR.rawValue)
      || atom == link.atoms.pid || atom == link.atoms.opacity
  }

  private func client(_ window: xcb_window_t) -> UInt32 { window & ~link.resourceMask }

  /// Asks all at once. Events are selected first: what changes after the answer is reported.
  private func examine(_ windows: [xcb_window_t]) {
    let raw = link.raw
    let asked = windows.map { window in
      link.select(window, X11Connection.windowEvents)
      xcb_shape_select_input(raw, window, 1)
      return (
        attributes: xcb_get_window_attributes(raw, window), geometry: xcb_get_geometry(raw, window),
        kind: link.ask(window, xcb_atom_t(XCB_ATOM_WM_CLASS.rawValue)),
        master: link.ask(window, xcb_atom_t(XCB_ATOM_WM_TRANSIENT_FOR.rawValue)),
        pid: link.ask(window, link.atoms.pid), opacity: link.ask(window, link.atoms.opacity),
        shape: xcb_shape_query_extents(raw, window), clientPid: X11Windows.askPid(link, window)
      )
    }
    let pids = asked.map { X11Windows.pid(link, $0.clientPid) }
    for (window, pid) in zip(windows, pids) { note(client(window), pid: pid) }
    // Of an id that was freed meanwhile the answers may speak of another program's window.
    let gone = Set(link.waiting().compactMap { if case .destroyed = $0.kind { $0.window } else { nil } })
    for (window, asked) in zip(windows, asked) {
      var known = facts[window] ?? Facts(tops: [window])
      let attributes = link.read(xcb_get_window_attributes_reply(raw, asked.attributes, nil)) { $0.pointee }
      let depth = link.read(xcb_get_geometry_reply(raw, asked.geometry, nil)) { $0.pointee.depth }
      let kind = link.bytes(asked.kind)
      let master = link.words(asked.master).first
      let pid = link.words(asked.pid).first
      let opacity = link.bytes(asked.opacity)
      let isShaped = link.read(xcb_shape_query_extents_reply(raw, asked.shape, nil)) {
        $0.pointee.bounding_shaped != 0
      }
      if !gone.contains(window), let attributes, let depth, let kind, let opacity, let isShaped {
        known.names = X11Windows.classNames(kind).map { $0.lowercased() }
        if let pid { known.names += ProcessNames.of(pid: Int(pid)) }
        known.transientFor = master ?? 0
        known.isPopup = attributes.override_redirect != 0
        known.traits = X11WindowTraits(
          isExcluded: false, isOpaque: depth == 24 && opacity.isEmpty && !isShaped,
          hasPixels: UInt32(attributes._class) == XCB_WINDOW_CLASS_INPUT_OUTPUT.rawValue)
      } else {
        known.traits = .unknown
      }
      facts[window] = known
    }
  }

  /// The server does not name the process of a client from elsewhere, nor of one that has quit.
  private func note(_ owner: UInt32, pid: Int) {
    guard clients[owner] == nil || (pid != 0 && clients[owner]?.pid != pid) else { return }
    clients[owner] = Client(pid: pid, names: ProcessNames.of(pid: pid))
  }

  /// Verdicts follow from each other (a client, its menus, their dialogs), so this goes round until nothing changes.
  private func settle() {
    var isSettled = false
    while !isSettled {
      isSettled = true
      for (window, known) in facts where !known.isExcluded && isExcluded(window, known) {
        facts[window]?.isExcluded = true
        isSettled = false
        // A frame is the window manager's; what counts is the window inside.
        let inside = facts.filter { $0.key != window && $0.value.tops.contains(window) }.map(\.key)
        for client in inside { facts[client]?.isExcluded = true }
        for owner in inside.isEmpty ? [window] : inside { clients[client(owner)]?.hasExcludedPopups = true }
      }
    }
    for known in facts.values where known.isExcluded { excludedTops.formUnion(known.tops) }
  }

  private func isExcluded(_ window: xcb_window_t, _ known: Facts) -> Bool {
    let owner = client(window)
    if wantedIds.contains(window) || clients[owner]?.isExcluded == true { return true }
    if known.isPopup, clients[owner]?.hasExcludedPopups == true { return true }
    if known.transientFor != 0, facts[known.transientFor]?.isExcluded == true { return true }
    guard !wantedApps.isEmpty else { return false }
    let isApp = (known.names + (clients[owner]?.names ?? [])).contains { wantedApps.contains($0) }
    if isApp { clients[owner]?.isExcluded = true }
    return isApp
  }
}

/// What a program may be called by, in lower case.
enum ProcessNames {
  static func of(pid: Int) -> [String] {
    guard pid > 0 else { return [] }
    var names: [String] = []
    if let text = read("/proc/\(pid)/comm") { names.append(text.filter { $0 != "\n" }) }
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/\(pid)/exe", &buffer, buffer.count - 1)
    if count > 0 { names.append(String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)) }
    if let line = read("/proc/\(pid)/cmdline") { names.append(String(line.prefix { $0 != "\0" })) }
    return names.map { ($0.split(separator: "/").last.map(String.init) ?? $0).lowercased() }.filter { !$0.isEmpty }
  }

  private static func read(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(file, &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
  }
}
