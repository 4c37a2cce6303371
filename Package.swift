// swift-tools-version: 6.1
// Two builds of one source: DIPTYCH_EMBEDDED=1 makes the objects of the shipped library (no Swift runtime);
// without it, ordinary Swift for the tests, the sanitizers and the command.
import PackageDescription

let embedded = Context.environment["DIPTYCH_EMBEDDED"] == "1"

#if arch(x86_64)
let x86 = true
#else
let x86 = false
#endif

let shared: [SwiftSetting] = embedded ? [
    .enableExperimentalFeature("Embedded"),
    .unsafeFlags(["-wmo", "-enforce-exclusivity=unchecked", "-Xfrontend", "-function-sections"]),
] : []
let core: [SwiftSetting] = shared + (embedded ? [.unsafeFlags(["-Osize"])] : [])
let kernels: [SwiftSetting] = shared + [.unsafeFlags(["-Ounchecked"], .when(configuration: .release))]
let avx2: [SwiftSetting] = kernels + [.define("DIPTYCH_AVX2"), .unsafeFlags(["-Xcc", "-mavx2", "-Xcc", "-mfma"])]
let avx512: [SwiftSetting] = kernels + [
    .define("DIPTYCH_AVX512"),
    .unsafeFlags(["-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"].flatMap { ["-Xcc", $0] }),
]
// What only registers of 16 floats need, and what the baseline's module has for all.
let wideOnly = ["PoolListsBySixteen.swift", "Zipped.swift"], baselineOnly = ["WindowRuns.swift"]

var targets: [Target] = [
    .systemLibrary(name: "CDiptych", path: "include"),
    .target(name: "CDiptychPlatform", exclude: ["assets"], cSettings: [.unsafeFlags(["-std=c23"])],
            linkerSettings: [.linkedLibrary("m"), .linkedLibrary("z")]),
    .target(name: "CDiptychPNG", linkerSettings: [.linkedLibrary("png16")]),
    .target(name: "DiptychKernels", dependencies: ["CDiptychPlatform"], exclude: wideOnly, swiftSettings: kernels),
    .target(name: "Diptych",
            dependencies: ["CDiptychPlatform", "CDiptychPNG", "DiptychKernels"] + (x86 ? ["DiptychKernelsAVX2", "DiptychKernelsAVX512"] : []),
            swiftSettings: core),
    .target(name: "DiptychABI", dependencies: ["CDiptych", "Diptych"], swiftSettings: core),
]
if x86 {
    // The folders are symbolic links: the same kernels, compiled for AVX2 and FMA, and those that gain by it for AVX-512.
    targets.append(.target(name: "DiptychKernelsAVX2", dependencies: ["CDiptychPlatform"], exclude: wideOnly + baselineOnly, swiftSettings: avx2))
    targets.append(.target(name: "DiptychKernelsAVX512", dependencies: ["CDiptychPlatform"],
                           exclude: baselineOnly + ["DenseLists.swift", "DenseRows.swift", "LiveTiles.swift", "Pixels.swift",
                                                    "PoolListsByEight.swift", "RandomWords.swift", "WinogradWeights.swift"],
                           swiftSettings: avx512))
}

var dependencies: [Package.Dependency] = []
if !embedded {
    dependencies.append(.package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"))
    targets += [
        .executableTarget(name: "DiptychCommand",
                          dependencies: ["CDiptych", "CDiptychPlatform", "Diptych",
                                         .product(name: "ArgumentParser", package: "swift-argument-parser")]),
        .target(name: "CDiptychBench", path: "Benchmarks/CDiptychBench", cSettings: [.unsafeFlags(["-O2"])]),
        .executableTarget(name: "DiptychBench", dependencies: ["Diptych", "CDiptychPlatform", "CDiptychBench"],
                          path: "Benchmarks/Kernels"),
        .target(name: "DiptychReference", dependencies: ["CDiptychPlatform", "Diptych"]),
        .testTarget(name: "DiptychTests", dependencies: ["Diptych", "DiptychABI", "DiptychReference", "CDiptych", "CDiptychPlatform"]),
    ]
}

let package = Package(
    name: "diptych",
    products: embedded ? [.library(name: "diptych", type: .static, targets: ["DiptychABI"])] : [
        .executable(name: "diptych", targets: ["DiptychCommand"]),
        .executable(name: "diptych-bench", targets: ["DiptychBench"]),
    ],
    dependencies: dependencies,
    targets: targets
)
