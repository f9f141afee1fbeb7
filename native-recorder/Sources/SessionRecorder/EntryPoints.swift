// Owns the C entry points of session_recorder.h: each reads its request, asks the session and writes the answer.

import Glibc
import RecorderCore
import RecorderLinux

public typealias Text = UnsafeMutablePointer<CChar>

@_cdecl("screen_recorder_abi_version")
public func abiVersion() -> UInt32 { 1 }

@_cdecl("screen_recorder_free_string")
public func freeString(_ text: Text?) {
  free(text)
}

@_cdecl("screen_recorder_sources")
public func sources() -> Text? {
  answering { () throws(RecorderError) in
    try onThread(limitMs: 5_000) { () throws(RecorderError) in LinuxSources.list() }
  }
}

@_cdecl("screen_recorder_permissions")
public func permissions(_ text: UnsafePointer<CChar>?) -> Text? {
  answering { () throws(RecorderError) in
    let wanted = try request(PermissionRequest.self, text)
    return try onThread(limitMs: 5_000) { () throws(RecorderError) in PermissionAnswer(wanted) }
  }
}

@_cdecl("screen_recorder_create")
public func create(_ text: UnsafePointer<CChar>?) -> Text? {
  answering { () throws(RecorderError) in
    let config = try request(RecorderConfig.self, text)
    let session = try onThread(limitMs: 5_000) { () throws(RecorderError) in
      try RecordingSession(config, platform: platform)
    } tooLate: { session in
      // It holds its folder, and nobody has a number for it.
      Task { await session.destroy() }
    }
    return CreateAnswer(handle: HandleTable.add(session))
  }
}

@_cdecl("screen_recorder_start")
public func start(_ handle: UInt64) -> Text? {
  answering { () throws(RecorderError) in
    let session = try HandleTable.session(handle)
    return try waiting(limitMs: 5_000) { () async throws(RecorderError) in try await session.start() }
  }
}

@_cdecl("screen_recorder_pause")
public func pause(_ handle: UInt64) -> Text? {
  answering { () throws(RecorderError) in
    let session = try HandleTable.session(handle)
    return try waiting(limitMs: 5_000) { () async throws(RecorderError) in try await session.pause() }
  }
}

@_cdecl("screen_recorder_resume")
public func resume(_ handle: UInt64) -> Text? {
  answering { () throws(RecorderError) in
    let session = try HandleTable.session(handle)
    return try waiting(limitMs: 5_000) { () async throws(RecorderError) in try await session.resume() }
  }
}

@_cdecl("screen_recorder_add_source")
public func addSource(_ handle: UInt64, _ text: UnsafePointer<CChar>?) -> Text? {
  answering { () throws(RecorderError) in
    let session = try HandleTable.session(handle)
    let wanted = try request(SourceConfig.self, text)
    return try waiting(limitMs: 5_000) { () async throws(RecorderError) in
      try await session.addSource(wanted)
      return SourceName(id: wanted.id)
    }
  }
}

@_cdecl("screen_recorder_remove_source")
public func removeSource(_ handle: UInt64, _ text: UnsafePointer<CChar>?) -> Text? {
  answering { () throws(RecorderError) in
    let session = try HandleTable.session(handle)
    let wanted = try request(SourceName.self, text)
    return try waiting(limitMs: 5_000) { () async throws(RecorderError) in
      try await session.removeSource(id: wanted.id)
      return wanted
    }
  }
}

@_cdecl("screen_recorder_set_layout")
public func setLayout(_ handle: UInt64, _ text: UnsafePointer<CChar>?) -> Text? {
  answering { () throws(RecorderError) in
    let session = try HandleTable.session(handle)
    let wanted = try request(LayoutConfig.self, text)
    return try waiting(limitMs: 5_000) { () async throws(RecorderError) in
      try await session.setLayout(wanted)
      return wanted
    }
  }
}

@_cdecl("screen_recorder_update_audio_mix")
public func updateAudioMix(_ handle: UInt64, _ balance: Double) -> Text? {
  answering { () throws(RecorderError) in
    let session = try HandleTable.session(handle)
    return try waiting(limitMs: 5_000) { () async throws(RecorderError) in
      try await session.setBalance(balance)
      return BalanceAnswer(balance: balance)
    }
  }
}

@_cdecl("screen_recorder_take_screenshot")
public func takeScreenshot(_ handle: UInt64, _ text: UnsafePointer<CChar>?) -> Text? {
  answering { () throws(RecorderError) in
    let session = try HandleTable.session(handle)
    let wanted = try request(ScreenshotRequest.self, text)
    return try waiting(limitMs: 12_000) { () async throws(RecorderError) in
      try await session.takeScreenshot(name: wanted.name)
    }
  }
}

@_cdecl("screen_recorder_next_event")
public func nextEvent(_ handle: UInt64, _ timeoutMs: UInt32) -> Text? {
  answering { () throws(RecorderError) in
    try HandleTable.session(handle).events.next(timeoutMs: Double(timeoutMs))
  }
}

@_cdecl("screen_recorder_status")
public func status(_ handle: UInt64) -> Text? {
  answering { () throws(RecorderError) in
    let session = try HandleTable.session(handle)
    return try waiting(limitMs: 5_000) { () async throws(RecorderError) in await session.status() }
  }
}

@_cdecl("screen_recorder_stop")
public func stop(_ handle: UInt64) -> Text? {
  answering { () throws(RecorderError) in
    let session = try HandleTable.session(handle)
    return try waiting(limitMs: 10_000) { () async throws(RecorderError) in try await session.stop() }
  }
}

@_cdecl("screen_recorder_destroy")
public func destroy(_ handle: UInt64) -> Text? {
  answering { () throws(RecorderError) in
    let session = try HandleTable.remove(handle)
    return try waiting(limitMs: 10_000) { () async throws(RecorderError) in
      await session.destroy()
      return EmptyAnswer()
    }
  }
}

@_cdecl("media_probe")
public func probe(_ text: UnsafePointer<CChar>?) -> Text? {
  answering { () throws(RecorderError) in
    let wanted = try request(ProbeRequest.self, text)
    return try onThread(limitMs: 30_000) { () throws(RecorderError) in
      do throws(RecorderError) {
        return try MediaProbe.probe(path: wanted.path, platform: platform)
      } catch {
        guard error.code == .unsupported else { throw error }
        return try LibavProbe.probe(wanted.path)
      }
    }
  }
}

@_cdecl("media_recover")
public func recover(_ text: UnsafePointer<CChar>?) -> Text? {
  answering { () throws(RecorderError) in
    let wanted = try request(RecoverRequest.self, text)
    return try onThread(limitMs: 300_000) { () throws(RecorderError) in
      try Recovery.recover(directory: wanted.directory, platform: platform)
    }
  }
}

@_cdecl("media_concatenate_audio")
public func concatenateAudio(_ text: UnsafePointer<CChar>?) -> Text? {
  answering { () throws(RecorderError) in
    let wanted = try request(ConcatenateInput.self, text)
    let request = try onThread(limitMs: 5_000) { () throws(RecorderError) in try wanted.read(platform: platform) }
    return JobAnswer(
      job: try mediaJobs.start { (job) throws(RecorderError) in try LibavMedia.concatenate(request, job) })
  }
}

@_cdecl("media_merge")
public func merge(_ text: UnsafePointer<CChar>?) -> Text? {
  answering { () throws(RecorderError) in
    let wanted = try request(MergeInput.self, text)
    let request = try onThread(limitMs: 5_000) { () throws(RecorderError) in try wanted.read(platform: platform) }
    return JobAnswer(job: try mediaJobs.start { (job) throws(RecorderError) in try LibavMedia.merge(request, job) })
  }
}

@_cdecl("media_next_event")
public func nextMediaEvent(_ job: UInt64, _ timeoutMs: UInt32) -> Text? {
  answering { () throws(RecorderError) in try mediaJobs.next(job, timeoutMs: Double(timeoutMs)) }
}

@_cdecl("media_cancel")
public func cancelMedia(_ job: UInt64) -> Text? {
  answering { () throws(RecorderError) in
    try mediaJobs.cancel(job)
    return EmptyAnswer()
  }
}
