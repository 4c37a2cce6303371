import ArgumentParser
import CDiptychPlatform
import Diptych

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains a model, evaluates it on test pairs and saves it.",
        discussion: """
            EXAMPLES
              diptych train --out my.safetensors
              diptych train --recipe best --data mnist
              diptych train --architecture mlp --loss-ratio 0
              diptych train --data mnist --epochs 100 --checkpoint run
              diptych train --data mnist --resume run --checkpoint run
              diptych train --pairs 1200 --calibrate 200 --out my.safetensors

            The seed decides the weights, the pairs that are drawn, dropout, shuffling and
            augmentation; threads change nothing but the time. Ctrl-C (or SIGTERM) stops
            after the running step: the checkpoint and the model are saved where
            --checkpoint and --out ask for it, and the exit status is 130 (143). A second
            one ends the process at once.
            """)

    @OptionGroup(title: "Network") var network: NetworkFlags
    @OptionGroup(title: "Recipe") var recipe: RecipeFlags
    @OptionGroup(title: "Data") var data: DataFlags

    @Option(help: ArgumentHelp("Training pairs to draw (default: 1000, or as many as the data make).", valueName: "n"))
    var pairs: Int?

    @Option(help: ArgumentHelp("Test pairs to draw (default: likewise).", valueName: "n"))
    var testPairs: Int?

    @Option(help: ArgumentHelp(
        "Hold the last n of the drawn training pairs out of training, and fit the model's temperatures to them after it.", valueName: "n"))
    var calibrate = 0

    @Option(help: ArgumentHelp("Seed of everything random (default: 0).", valueName: "n"))
    var seed: UInt64?

    @OptionGroup(title: "PNG data") var image: ImageFlags
    @OptionGroup var threads: ThreadFlags

    @Option(help: ArgumentHelp("Measure the test error every n epochs; 0 does so at the end only.", valueName: "n"))
    var evaluateEvery = 0

    @Option(help: "Which answer the saved model decides by (default: head; marginal with --recipe best).")
    var decision: Model.Decision?

    @Option(name: .shortAndLong, help: ArgumentHelp("Save the model there (safetensors).", valueName: "file"), completion: .file())
    var out: String?

    @Flag(help: "Save the model's weights in half precision (F16), for half the size.")
    var half = false

    @Option(help: ArgumentHelp("After every epoch, save all that the run needs to go on.", valueName: "file"), completion: .file())
    var checkpoint: String?

    @Option(help: ArgumentHelp(
        "Go on from a checkpoint, with the same --data, to the same bits as if the run had never stopped; --epochs may be raised.",
        valueName: "file"), completion: .file())
    var resume: String?

    @Flag(name: .shortAndLong, help: "No progress.")
    var quiet = false

    @OptionGroup var output: OutputFlags

    func validate() throws {
        if let pairs, pairs < 1 { throw ValidationError("--pairs is \(pairs), but must be at least 1") }
        if let testPairs, testPairs < 1 { throw ValidationError("--test-pairs is \(testPairs), but must be at least 1") }
        if calibrate < 0 { throw ValidationError("--calibrate is \(calibrate), but must be at least 0") }
        if half && out == nil { throw ValidationError("--half is about the file that --out names, but there is no --out") }
        if evaluateEvery < 0 { throw ValidationError("--evaluate-every is \(evaluateEvery), but must be at least 0") }
        if resume != nil && !(network.isEmpty && recipe.isEmptyButEpochs && pairs == nil && seed == nil) {
            throw ValidationError("--resume takes the network, the recipe, the pairs and the seed from the checkpoint; of these, "
                + "only --epochs can be given")
        }
    }

    func run() throws {
        if let out { try checkWritable(out) }
        if let checkpoint { try checkWritable(checkpoint) }
        let run = try prepare()
        if let decision = decision ?? recipe.decision { run.trainer.model.decision = decision }
        if !quiet { report(run.title) }
        try run.train()

        if let out { try run.trainer.model.save(path: out, precision: half ? .half : .single) }
        if let interruption = run.interruption {
            report("diptych: stopped by \(interruption.name) after step \(run.trainer.step) of \(run.trainer.steps)" + kept)
            if output.json { run.printJSON(out: out) }
            throw ExitCode(interruption.exitStatus)
        }
        output.json ? run.printJSON(out: out) : run.printResult(out: out)
        if out == nil && !quiet { report("The model was not saved: --out FILE does that.") }
    }

    /// What an interrupted run leaves behind.
    private var kept: String {
        let files = [checkpoint.map { "the checkpoint in \($0)" }, out.map { "the model in \($0)" }].compactMap { $0 }
        return files.isEmpty ? "; nothing was saved" : "; saved " + files.joined(separator: " and ")
    }

    /// Opens the data, draws the pairs, and makes or resumes the trainer.
    private func prepare() throws(DiptychError) -> TrainingRun {
        let source = try data.source()
        var description = network.description, options = recipe.options, seed = seed ?? 0, pairCount = pairs
        if let resume {
            let saved = try Trainer.saved(path: resume)
            (description, seed, pairCount) = (saved.description, saved.seed, saved.pairCount)
        }
        if network.dropout == nil && resume == nil { description.dropout = (recipe.recipe ?? .report).dropout }
        if network.views == nil && resume == nil { description.views = (recipe.recipe ?? .report).views }
        options.seed = seed
        options.threads = threads.threads

        let digits = try source.open(.train, images: image.options(for: description))
        if network.classes == nil && resume == nil { description.classes = max(10, digits.classes) }
        // A checkpoint knows the pairs that were trained on; those held out follow them in the draw.
        if resume != nil, let trained = pairCount { pairCount = trained + min(calibrate, digits.count) }
        var train = try digits.drawPairs(pairCount, for: description, seed: seed, option: "--pairs"), held: Pairs?
        if calibrate > 0 {
            guard calibrate < train.count else {
                throw DiptychError(.invalidArgument, "--calibrate \(calibrate) leaves none of the \(train.count) drawn \(plural("pair", train.count)) to train on; give more --pairs")
            }
            held = try train.part(train.count - calibrate ..< train.count)
            train = try train.part(0 ..< train.count - calibrate)
        }
        var test: Pairs?
        if source.hasTestSplit {
            test = try source.open(.test, images: image.options(for: description))
                .drawPairs(testPairs, for: description, seed: seed, option: "--test-pairs")
        }
        let trainer = if let resume {
            try Trainer.resume(path: resume, pairs: train, epochs: recipe.epochs ?? 0, threads: threads.threads)
        } else {
            try Trainer(model: Model(description, seed: seed), pairs: train, options: options)
        }
        return TrainingRun(trainer: trainer, held: held, test: test, source: source, evaluateEvery: evaluateEvery, checkpoint: checkpoint,
                           quiet: quiet)
    }
}
