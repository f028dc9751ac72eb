// swift-tools-version: 6.2
import PackageDescription

// A package of its own: nobody but the bench needs what it compares with. Those are shared objects, made by Peers/build.
let package = Package(
    name: "ipn-bench",
    dependencies: [.package(name: "ipn", path: "../..")],
    targets: [
        .target(name: "CBench"),
        .executableTarget(
            name: "Bench", dependencies: ["CBench", .product(name: "IPN", package: "ipn")],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ]),
    ]
)
