// swift-tools-version:6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
let coreSettings = settings + [.enableExperimentalFeature("Lifetimes")]

let package = Package(
    name: "lastmile",
    products: [
        .executable(name: "lastmiled", targets: ["lastmiled"]),
        .executable(name: "lastmile", targets: ["lastmile"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CPasswordHash", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev", "libcrypt-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(
            name: "RadiusCore",
            dependencies: ["CLinux", "COpenSSL", "CPasswordHash"],
            swiftSettings: coreSettings),
        .target(name: "Certificates", dependencies: ["COpenSSL", "RadiusCore"], swiftSettings: settings),
        .target(name: "FreeRADIUSImport", dependencies: ["RadiusCore"], swiftSettings: settings),
        .target(
            name: "Database",
            dependencies: ["CPostgres", "CLinux", .product(name: "Logging", package: "swift-log")],
            exclude: ["Migrations"],
            swiftSettings: settings),
        .target(
            name: "Provisioning",
            dependencies: [
                "RadiusCore", "Database", "CCurl",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: coreSettings),
        .target(
            name: "Admin",
            dependencies: [
                "Provisioning", "Database", "RadiusCore",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: settings),
        .target(name: "DaemonSettings", dependencies: ["CYAML"], swiftSettings: settings),
        .executableTarget(
            name: "lastmiled",
            dependencies: [
                "Admin", "Provisioning", "Database", "RadiusCore", "DaemonSettings", "Certificates",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "lastmile",
            dependencies: [
                "RadiusCore", "Certificates", "FreeRADIUSImport", "CCurl",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),
        .target(
            name: "Support", dependencies: ["Database", "CCurl", "CLinux", .product(name: "Logging", package: "swift-log")],
            path: "Tests/Support",
            swiftSettings: settings),
        .testTarget(
            name: "RadiusCoreTests", dependencies: ["RadiusCore", "COpenSSL", "Support"], swiftSettings: coreSettings),
        .testTarget(name: "CertificatesTests", dependencies: ["Certificates", "RadiusCore", "Support"], swiftSettings: settings),
        .testTarget(name: "FreeRADIUSImportTests", dependencies: ["FreeRADIUSImport", "RadiusCore"], swiftSettings: settings),
        .testTarget(name: "DaemonSettingsTests", dependencies: ["DaemonSettings"], swiftSettings: settings),
        .testTarget(name: "DatabaseTests", dependencies: ["Database", "Support"], swiftSettings: settings),
        .testTarget(
            name: "ProvisioningTests", dependencies: ["Provisioning", "Database", "RadiusCore", "Support"],
            swiftSettings: settings),
        .testTarget(
            name: "AdminTests",
            dependencies: ["Admin", "Database", "Support", .product(name: "Logging", package: "swift-log")], swiftSettings: settings),
        .testTarget(
            name: "CommandTests", dependencies: ["lastmile", "Certificates", "FreeRADIUSImport", "RadiusCore", "Support"],
            swiftSettings: settings),
        .testTarget(name: "EndToEndTests", dependencies: ["RadiusCore", "Support"], swiftSettings: settings),
        .target(name: "CountGate", path: "Benchmarks/Counts/Gate", swiftSettings: settings),
        .testTarget(name: "CountGateTests", dependencies: ["CountGate"], swiftSettings: settings),
        .testTarget(name: "TidyTests", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
