// Owns the servers that these tests start for themselves, and ends them by process id: Xvfb and PulseAudio.

import Glibc

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
    var list = arguments.map { strdup($0) } + [nil]
    defer { for text in list { free(text) } }
    var started: pid_t = 0
    guard posix_spawnp(&started, arguments[0], &actions, nil, &list, environ) == 0 else { return nil }
    pid = started
  }

  func end(_ signal: Int32 = SIGTERM) {
    kill(pid, signal)
  }

  deinit {
    kill(pid, SIGKILL)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
  }
}

/// An X server without hardware; becomes this process's DISPLAY.
final class TestDisplay {
  let server: ServerProcess

  init?(width: Int = 640, height: Int = 480) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return nil }
    guard
      let server = ServerProcess(
        ["Xvfb", "-displayfd", "3", "-screen", "0", "\(width)x\(height)x24", "-nolisten", "tcp"], keeping: ends[1])
    else { return nil }
    self.server = server
    close(ends[1])
    // The number comes in pieces and ends with a line feed.
    var number = ""
    var byte: UInt8 = 0
    while read(ends[0], &byte, 1) == 1, byte != 10 { number.append(Character(UnicodeScalar(byte))) }
    close(ends[0])
    guard !number.isEmpty else { return nil }
    setenv("DISPLAY", ":" + number, 1)
  }
}

/// A sound server with one null sink; becomes this process's PULSE_SERVER.
final class TestSound {
  let server: ServerProcess
  let folder: String

  init?(_ folder: String) {
    self.folder = folder
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
}

func temporaryFolder() -> String {
  var template = Array("/tmp/recorder-test-XXXXXX".utf8CString)
  return template.withUnsafeMutableBufferPointer { buffer in
    guard let base = buffer.baseAddress, let made = mkdtemp(base) else { return "/tmp" }
    return String(cString: made)
  }
}
