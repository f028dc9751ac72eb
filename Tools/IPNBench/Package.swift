// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that nobody but the bench needs ZeroMQ.
let package = Package(
    name: "ipn-bench",
    dependencies: [.package(name: "ipn", path: "../..")],
    targets: [
        .target(name: "CBench"),
        .systemLibrary(name: "CZMQ", providers: [.apt(["libzmq3-dev"])]),
        .executableTarget(
            name: "Bench", dependencies: ["CBench", "CZMQ", .product(name: "IPN", package: "ipn")],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ]),
    ]
)
