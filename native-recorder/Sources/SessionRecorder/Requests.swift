// Owns the small shapes of requests and answers at the C boundary.

import RecorderCore
import RecorderLinux

struct CreateAnswer: Encodable, Sendable { let handle: UInt64 }
struct JobAnswer: Encodable, Sendable { let job: UInt64 }
struct SourceName: Codable, Sendable { let id: String }
struct BalanceAnswer: Encodable, Sendable { let balance: Double }
struct ScreenshotRequest: Decodable, Sendable { let name: String? }
struct ProbeRequest: Decodable, Sendable { let path: String }
struct RecoverRequest: Decodable, Sendable { let directory: String }

struct PermissionRequest: Decodable, Sendable {
  enum Kind: String, Codable, Sendable { case screen, microphone, camera }
  let request: [Kind]?
}

/// Linux has no permission to ask for: a screen either opens or does not.
struct PermissionAnswer: Encodable, Sendable {
  var screen: String?
  var microphone: String?
  var camera: String?
  var reasons: [String: String]?

  init(_ wanted: PermissionRequest) {
    let kinds = wanted.request ?? [.screen, .microphone, .camera]
    if kinds.contains(.screen) {
      let denial = LinuxSources.screenDenial()
      screen = denial == nil ? "notRequired" : "denied"
      reasons = denial.map { ["screen": $0] }
    }
    if kinds.contains(.microphone) { microphone = "notRequired" }
    if kinds.contains(.camera) { camera = "notRequired" }
  }
}
