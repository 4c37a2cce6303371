import ArgumentParser
import CDiptychPlatform
import Diptych

/// What every experiment asks for.
struct ExperimentFlags: ParsableArguments {
    @OptionGroup(title: "Recipe") var recipe: RecipeFlags
    @OptionGroup(title: "Data") var data: DataFlags

    @Option(help: ArgumentHelp("Rounds, each with new weights and new pairs (default: 10; grid: 3).", valueName: "n"))
    var rounds: Int?

    @Option(help: ArgumentHelp("Seed of the first round; each round takes the next.", valueName: "n"))
    var seed: UInt64 = 0

    @Option(help: ArgumentHelp("Training pairs to draw (default: 1000, or as many as the data make).", valueName: "n"))
    var pairs: Int?

    @OptionGroup(title: "PNG data") var image: ImageFlags
    @OptionGroup var threads: ThreadFlags

    @Option(name: .shortAndLong, help: ArgumentHelp("Write the results there (JSON), anew after every run.", valueName: "file"),
            completion: .file(extensions: ["json"]))
    var out: String?

    @Flag(help: "Go on from the file of --out where it exists: its runs are not done again. --rounds may be raised.")
    var resume = false

    @Flag(name: .shortAndLong, help: "No progress.")
    var quiet = false

    @OptionGroup var output: OutputFlags

    func validate() throws {
        if let rounds, !(1 ... 10_000).contains(rounds) { throw ValidationError("--rounds is \(rounds), but must be from 1 to 10000") }
        if seed > UInt64.max - 10_000 { throw ValidationError("--seed is \(seed), but must leave room for the rounds: at most \(UInt64.max - 10_000)") }
        if let pairs, pairs < 1 { throw ValidationError("--pairs is \(pairs), but must be at least 1") }
        if resume && out == nil { throw ValidationError("--resume goes on from the file that --out names, but there is no --out") }
    }

    /// The images' size in every experiment.
    var imageOptions: ImageOptions { image.options(for: NetworkDescription()) }

    /// Does the experiment, and gives its results: to --out after every run, and to stdout as JSON or by `show`.
    func conduct(_ experiment: Experiment, show: ([[Trial]]) -> Void) throws {
        if let out { try checkWritable(out) }
        let results = ResultsFile(path: out, experiment: experiment)
        if resume { try results.load() }
        let interruption = try TrialRunner(experiment, results: results, quiet: quiet).run()
        try results.store()
        if output.json {
            say(results.document)
        } else if results.asked.contains(where: { !$0.isEmpty }) {
            show(results.asked)
        }
        guard let interruption else { return }
        report("diptych: stopped by \(interruption.name); " + (out.map { "\($0) keeps the \(results.trials.count) finished \(plural("run", results.trials.count)), and --resume goes on" }
            ?? "nothing was saved, as there is no --out"))
        throw ExitCode(interruption.exitStatus)
    }
}

/// The draw of test pairs.
struct TestFlags: ParsableArguments {
    @Option(help: ArgumentHelp("Test pairs to draw (default: 1000, or as many as the data make).", valueName: "n"))
    var testPairs: Int?

    func validate() throws {
        if let testPairs, testPairs < 1 { throw ValidationError("--test-pairs is \(testPairs), but must be at least 1") }
    }

    func data(_ flags: ExperimentFlags) throws(DiptychError) -> TrialData {
        let source = try flags.data.source()
        guard source.hasTestSplit else {
            throw DiptychError(.notFound, "\(source.name): no test split, which the experiment measures on; put the digits into train/ and test/")
        }
        let test = try source.open(.test, images: flags.imageOptions)
        return TrialData(name: source.name, digits: try source.open(.train, images: flags.imageOptions), pairs: flags.pairs,
                         measure: .test(test, pairs: testPairs))
    }
}
