// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target of ours is compiled with.
let ours: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    // The places at which tests kill: see IPNRing/Step.swift.
    .define("IPN_STEPS", .when(configuration: .debug)),
]

/// What a policy needs: its header.
let policies: [CSetting] = [.headerSearchPath("../../../Sources/CIPN/include")]

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

// Arrows point down only: a target names what stands below it, and no adapter names another.
let package = Package(
    name: "ipn",
    products: [
        .library(name: "IPN", targets: ["IPN"]),
        .library(name: "ipn-c", type: .dynamic, targets: ["LibIPN"]),
        .executable(name: "ipn", targets: ["Tool"]),
        .executable(name: "ipnd", targets: ["ipnd"]),
        // Policies as anybody would write them: loadable objects that link nothing of ours.
        .library(name: "hub", type: .dynamic, targets: ["Hub"]),
        .library(name: "sieve", type: .dynamic, targets: ["Sieve"]),
        .library(name: "odd", type: .dynamic, targets: ["OddPolicy"]),
        .library(name: "diary", type: .dynamic, targets: ["DiaryPolicy"]),
        .library(name: "future", type: .dynamic, targets: ["FuturePolicy"]),
        // A sound card that is none, for alsa-lib to load.
        .library(name: "feigned-card", type: .dynamic, targets: ["FeignedCard"]),
        .library(name: "ipn-preload", type: .dynamic, targets: ["Preload"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // C: the public header, the layout of what processes share, and what Swift cannot import.
        .target(name: "CIPN"),
        .target(name: "CLinux"),
        .target(name: "CStart", dependencies: ["CLinux"], publicHeadersPath: "."),
        .target(name: "CKeeper", dependencies: ["CLinux"], publicHeadersPath: "."),
        .systemLibrary(
            name: "CLibAV", pkgConfig: "libavformat libavcodec libavutil libswscale libswresample",
            providers: [.apt(["libavformat-dev", "libavcodec-dev", "libavutil-dev", "libswscale-dev", "libswresample-dev"])]),
        .systemLibrary(name: "CALSA", pkgConfig: "alsa", providers: [.apt(["libasound2-dev"])]),
        .systemLibrary(name: "CV4L2"),
        .systemLibrary(name: "CLibV4L", pkgConfig: "libv4l2", providers: [.apt(["libv4l-dev"])]),
        .systemLibrary(name: "CSDL", pkgConfig: "sdl2", providers: [.apt(["libsdl2-dev"])]),

        // The bus.
        .target(name: "IPNSystem", dependencies: ["CLinux", system], swiftSettings: ours),
        .target(name: "IPNRing", dependencies: ["CIPN"], swiftSettings: ours),
        .target(name: "IPNControl", dependencies: ["CIPN", "CLinux", "IPNSystem", "IPNRing", system], swiftSettings: ours),
        .target(
            name: "IPN", dependencies: ["CIPN", "CLinux", "IPNSystem", "IPNControl", "IPNRing", system], swiftSettings: ours),
        .target(
            name: "IPNKeeper", dependencies: ["CIPN", "CLinux", "IPNSystem", "IPNControl", "IPNRing", system],
            swiftSettings: ours),
        // The same for C, and for programs written for AF_IPN.
        .target(name: "IPNSocket", dependencies: ["CIPN", "CLinux", "IPN", "IPNSystem", system], swiftSettings: ours),
        .target(
            name: "LibIPN", dependencies: ["CIPN", "CLinux", "IPN", "IPNSocket", "IPNSystem", system], exclude: ["exports.map", "Manual"],
            swiftSettings: ours,
            // Programs in C have no Swift run-time library: what is needed of it goes in, and nothing of it comes out.
            linkerSettings: [
                .unsafeFlags([
                    "-static-stdlib", "-Xlinker", "-soname=libipn.so.0",
                    // It has a thread, and something to do at each thread's end: whoever loads it keeps it.
                    "-Xlinker", "-znodelete",
                    // Its host's signals are its host's: see CLinux/backtrace.c.
                    "-Xlinker", "--wrap=_swift_installCrashHandler", "-Xlinker", "--undefined=_swift_installCrashHandler", "-Xlinker",
                    "--version-script=\(Context.packageDirectory)/Sources/LibIPN/exports.map",
                ])
            ]),
        .executableTarget(
            name: "ipnd", dependencies: ["CIPN", "CKeeper", "CLinux", "CStart", "IPNControl", "IPNKeeper", "IPNSystem", system], swiftSettings: ours),

        // Programs written for AF_IPN: stands in front of the C library's functions, and loads libipn when it is needed.
        // Optimised in every build: it stands before each call of a program.
        .target(
            name: "Preload", dependencies: ["CIPN"], exclude: ["Manual"], publicHeadersPath: ".",
            cSettings: [.unsafeFlags(["-O2", "-fomit-frame-pointer"])],
            // All in C: without this, every program would load the run-time library of Swift, and need it to be there.
            linkerSettings: [.unsafeFlags(["-nostartfiles", "-static-stdlib"])]),

        // The media on it.
        .target(name: "Media", dependencies: ["CIPN"], swiftSettings: ours),
        .target(name: "LibAVBase", dependencies: ["Media", "CLibAV"], swiftSettings: ours),
        .target(
            name: "LibAV", dependencies: ["Media", "CLibAV", "LibAVBase"], path: "Sources/Adapters/LibAV", swiftSettings: ours),
        .target(
            name: "TestSignal", dependencies: ["Media", "CLibAV", "LibAVBase"], path: "Sources/Adapters/TestSignal",
            swiftSettings: ours),
        .target(
            name: "Display", dependencies: ["Media", "CALSA", "CLibAV", "LibAVBase", "CSDL", "CV4L2"], path: "Sources/Adapters/Display",
            swiftSettings: ours),
        .target(name: "V4L2", dependencies: ["Media", "CV4L2", "CLibV4L"], path: "Sources/Adapters/V4L2", swiftSettings: ours),
        .target(name: "ALSA", dependencies: ["Media", "CALSA"], path: "Sources/Adapters/ALSA", swiftSettings: ours),
        .target(
            name: "Transcode", dependencies: ["Media", "CLibAV", "LibAVBase"], path: "Sources/Adapters/Transcode", swiftSettings: ours),
        .target(
            name: "Service",
            dependencies: ["IPN", "IPNSystem", "Media", "LibAV", "TestSignal", "ALSA", "V4L2", "Transcode", "Display", system],
            swiftSettings: ours),
        .executableTarget(name: "Hello", dependencies: ["IPN"], path: "Examples/Hello", swiftSettings: ours),
        .target(name: "Hub", path: "Examples/Policies/Hub", publicHeadersPath: ".", cSettings: policies),
        .target(name: "Sieve", path: "Examples/Policies/Sieve", cSettings: policies),
        .executableTarget(
            name: "Tool",
            dependencies: [
                "CStart", "Display", "IPN", "IPNSystem", "LibAV", "Media", "Service", "Transcode", arguments, system,
                .product(name: "TOMLKit", package: "TOMLKit"),
            ], swiftSettings: ours),

        // Real processes and a real bus: what the tests share, and the other end of their conversations.
        .target(
            name: "TestSupport", dependencies: ["CLinux", "IPNSystem", "IPNControl", system], path: "Tests/Support",
            swiftSettings: ours),
        .executableTarget(
            name: "TestPeer",
            dependencies: ["CLinux", "IPN", "IPNSystem", "IPNControl", "IPNRing", "CIPN", "TestSupport", system],
            path: "Tests/TestPeer", swiftSettings: ours),
        .target(name: "OddPolicy", path: "Tests/Policies/Odd", publicHeadersPath: ".", cSettings: policies),
        .target(name: "DiaryPolicy", path: "Tests/Policies/Diary", publicHeadersPath: ".", cSettings: policies),
        .target(name: "FuturePolicy", path: "Tests/Policies/Future", publicHeadersPath: ".", cSettings: policies),
        .target(
            name: "FeignedCard", path: "Tests/FeignedCard", publicHeadersPath: ".", linkerSettings: [.linkedLibrary("asound")]),
        // Programs in C: the parties of the conformance suite, one source compiled for libipn and for the preload, and what
        // programs of 2008 looked like.
        .executableTarget(
            name: "PartyBySwift", dependencies: ["CIPN", "CLinux", "IPN", system], path: "Tests/Programs/PartyBySwift", swiftSettings: ours),
        .executableTarget(name: "PartyByLibrary", dependencies: ["CIPN"], path: "Tests/Programs/PartyByLibrary"),
        .executableTarget(name: "PartyByPreload", dependencies: ["CIPN"], path: "Tests/Programs/PartyByPreload"),
        .executableTarget(name: "Samples2008", path: "Tests/Programs/Samples2008"),
        .testTarget(name: "RingTests", dependencies: ["CIPN", "IPNRing", "TestSupport"], swiftSettings: ours),
        .testTarget(
            name: "BusTests",
            dependencies: [
                "CIPN", "CLinux", "IPN", "IPNSystem", "IPNControl", "IPNRing", "IPNKeeper", "TestSupport", "TestPeer", "ipnd",
                system,
            ], swiftSettings: ours),
        .testTarget(
            name: "ToolTests",
            dependencies: ["CLinux", "IPN", "IPNSystem", "IPNControl", "Media", "TestSupport", "TestPeer", "Tool", "ipnd", system],
            swiftSettings: ours),
        // Installs what was built, and compiles programs in C against it.
        .testTarget(name: "LibraryTests", dependencies: ["TestSupport"], swiftSettings: ours),
        // Each statement of the specification, in every way onto the bus: see Tests/CONFORMANCE.md. The two libraries are
        // built with everything else, and not named here: what a test target names is linked into it.
        .testTarget(
            name: "ConformanceTests",
            dependencies: [
                "CIPN", "IPN", "TestSupport", "TestPeer", "PartyBySwift", "PartyByLibrary", "PartyByPreload", "Samples2008", "Tool",
                "ipnd",
            ], swiftSettings: ours),
        .testTarget(name: "MediaTests", dependencies: ["Media", "CIPN"], swiftSettings: ours),
        .testTarget(
            name: "AdapterTests",
            dependencies: ["CLibAV", "Media", "LibAV", "LibAVBase", "TestSignal", "TestSupport", "Transcode", "Display"],
            swiftSettings: ours),
        .testTarget(name: "DeviceTests", dependencies: ["Media", "ALSA", "V4L2"], swiftSettings: ours),
        // Drives the built ipn as processes: it links nothing of ours.
        .testTarget(name: "FlowTests", swiftSettings: ours),
    ]
)

// Tools/fuzz asks for it: its modules are all compiled for libFuzzer.
if Context.environment["IPN_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "CIPN", "CLinux", "IPN", "IPNSystem", "IPNControl", "IPNRing", "IPNKeeper", "CLibAV", "LibAV", "LibAVBase", "Media", "Service",
                .product(name: "SystemPackage", package: "swift-system"),
            ], path: "Tools/Fuzz", swiftSettings: ours))
}
