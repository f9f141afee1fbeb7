// swift-tools-version: 6.0
// Owns the shape of the native recorder: one dynamic library, a platform-free core, one folder per platform.

import PackageDescription

let package = Package(
  name: "SessionRecorder",
  products: [
    .library(name: "SessionRecorder", type: .dynamic, targets: ["SessionRecorder"])
  ],
  targets: [
    // Pixel and sample loops in C, because clang vectorises them (AVX2 where the machine has it) and Swift 6.0 does not;
    // -O3 also in debug builds, so that tests run at recording speed.
    .target(name: "CPixels", cSettings: [.unsafeFlags(["-O3"])]),
    .target(name: "CSamples", cSettings: [.unsafeFlags(["-O3"])], linkerSettings: [.linkedLibrary("m")]),
    .target(name: "Locks"),
    .target(name: "RecorderCore", dependencies: ["CPixels", "CSamples", "Locks"]),
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CX11"),
    .systemLibrary(name: "CPulse"),
    .systemLibrary(name: "CLibav"),
    .systemLibrary(name: "CX264"),
    .target(name: "RecorderLinux", dependencies: ["RecorderCore", "CLinux", "CX11", "CPulse", "CLibav", "CX264"]),
    .target(name: "SessionRecorder", dependencies: ["RecorderCore", "RecorderLinux"]),
    .testTarget(name: "RecorderCoreTests", dependencies: ["RecorderCore"]),
    .testTarget(name: "RecorderLinuxTests", dependencies: ["RecorderCore", "RecorderLinux", "SessionRecorder"]),
  ],
  swiftLanguageModes: [.v6]
)
