// Owns the servers that these tests start for themselves, and ends them by process id: Xvfb and PulseAudio.

import FoundationEssentials
import Glibc
import Locks
import Testing

/// A process of the tests' own; ended when it goes out of sight.
final class ServerProcess {
  let pid: pid_t

  init?(_ arguments: [String], keeping descriptor: Int32 = -1) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // A descriptor that is to be inherited is copied onto 3: the copy survives exec.
    if descriptor >= 0 { posix_spawn_file_actions_adddup2(&actions, descriptor, 3) }
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    // Test threads come from a pool that blocks signals; a child would inherit that and never hear SIGTERM.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var list = arguments.map { strdup($0) } + [nil]
    defer { for text in list { free(text) } }
    var started: pid_t = 0
    guard posix_spawnp(&started, arguments[0], &actions, &attributes, &list, environ) == 0 else { return nil }
    pid = started
  }

  func end(_ signal: Int32) {
    kill(pid, signal)
  }

  /// Whether it is gone; a killed process is a zombie until `deinit` reaps it.
  func hasEnded() -> Bool {
    var information = siginfo_t()
    return waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT) == 0 && information.si_signo == SIGCHLD
  }

  /// Waits for it; returns its exit status, -1 when a signal ended it.
  func status() -> Int32 {
    var information = siginfo_t()
    _ = waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT)
    return information.si_code == CLD_EXITED ? information._sifields._sigchld.si_status : -1
  }

  deinit {
    // A server that is asked to end removes its lock files and sockets; one that a test has stopped hears it later.
    kill(pid, SIGTERM)
    kill(pid, SIGCONT)
    var status: Int32 = 0
    for _ in 0..<150 {
      if waitpid(pid, &status, WNOHANG) != 0 { return }
      usleep(20_000)
    }
    kill(pid, SIGKILL)
    waitpid(pid, &status, 0)
  }
}

/// Runs a program to its end; whether it succeeded.
func run(_ arguments: String...) -> Bool {
  ServerProcess(arguments)?.status() == 0
}

/// An X server without hardware; becomes this process's DISPLAY.
final class TestDisplay {
  let server: ServerProcess
  private let number: String

  init?(width: Int = 640, height: Int = 480, options: [String] = []) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return nil }
    guard
      let server = ServerProcess(
        [
          "Xvfb", "-displayfd", "3", "-screen", "0", "\(width)x\(height)x24", "-nolisten", "tcp",
          // Without this it forgets its monitors when the last client leaves.
          "-noreset",
        ] + options, keeping: ends[1])
    else { return nil }
    self.server = server
    close(ends[1])
    // The number comes in pieces and ends with a line feed.
    var number = ""
    var byte: UInt8 = 0
    while read(ends[0], &byte, 1) == 1, byte != 10 { number.append(Character(UnicodeScalar(byte))) }
    close(ends[0])
    self.number = number
    guard !number.isEmpty else { return nil }
    setenv("DISPLAY", ":" + number, 1)
  }

  deinit {
    // A server that a test killed leaves them behind.
    server.end(SIGCONT)
    for path in ["/tmp/.X\(number)-lock", "/tmp/.X11-unix/X\(number)"] where server.hasEnded() { unlink(path) }
  }
}

/// A sound server with one null sink; becomes this process's PULSE_SERVER.
final class TestSound {
  let server: ServerProcess
  let folder: String

  /// The socket of a server that was killed before is taken over.
  init?(_ folder: String) {
    self.folder = folder
    unlink("\(folder)/native")
    mkdir(folder, 0o700)
    for name in ["PULSE_RUNTIME_PATH", "PULSE_STATE_PATH", "XDG_RUNTIME_DIR"] { setenv(name, folder, 1) }
    setenv("PULSE_SERVER", "unix:\(folder)/native", 1)
    guard
      let server = ServerProcess([
        "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "-L",
        "module-null-sink sink_name=out", "-L",
        "module-native-protocol-unix socket=\(folder)/native auth-anonymous=1",
      ])
    else { return nil }
    self.server = server
    for _ in 0..<100 where access("\(folder)/native", F_OK) != 0 { usleep(50_000) }
  }

  /// Runs pactl to its end.
  func control(_ arguments: String...) {
    guard let pactl = ServerProcess(["pactl"] + arguments) else { return }
    while !pactl.hasEnded() { usleep(5_000) }
  }

  /// A microphone that hears nothing, as the default source.
  func addMicrophone() {
    control("load-module", "module-null-source", "source_name=usb")
    control("set-default-source", "usb")
  }

  func removeMicrophone() { control("unload-module", "module-null-source") }

  /// Noise at full scale, for as long as what it returns is kept.
  func playNoise(on sink: String) throws -> ServerProcess {
    try #require(ServerProcess(["pacat", "--playback", "--raw", "--device=\(sink)", "/dev/urandom"]))
  }
}

private let temporaryFolders = Mutex<[String]>([])

/// A folder that lasts until `removeTemporaryFolders`.
func temporaryFolder() -> String {
  var template = Array("/tmp/recorder-test-XXXXXX".utf8CString)
  return template.withUnsafeMutableBufferPointer { buffer in
    guard let base = buffer.baseAddress, let made = mkdtemp(base) else { return "/tmp" }
    let path = String(cString: made)
    temporaryFolders.withLock { $0.append(path) }
    return path
  }
}

func removeTemporaryFolders() {
  let folders = temporaryFolders.withLock { folders in
    defer { folders = [] }
    return folders
  }
  for folder in folders { try? FileManager.default.removeItem(atPath: folder) }
}
