import ArgumentParser

struct OutputFlags: ParsableArguments {
    @Flag(help: "Print the result as JSON.")
    var json = false
}

struct ThreadFlags: ParsableArguments {
    @Option(name: [.customShort("j"), .customLong("threads")], help: ArgumentHelp(
        "Threads, 0 to 256; 0 takes the CPUs that the process may use (default: 0). Results do not depend on it.", valueName: "n"))
    var given: Int?

    var threads: Int { given ?? 0 }

    func validate() throws {
        guard (0 ... 256).contains(threads) else { throw ValidationError("--threads is \(threads), but must be from 0 to 256") }
    }
}
