import ArgumentParser
import Diptych

struct Grid: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grid",
        abstract: "A search for hyper-parameters, by the error on held-out training pairs.",
        discussion: """
            EXAMPLES
              diptych experiment grid --learning-rates 0.001,0.005 --dropouts 0.3,0.5
              diptych experiment grid --epoch-counts 25,50 --rounds 5 --out grid.json

            Every combination of the lists is trained; what no list varies is the recipe's.
            The last --validation of the --pairs training pairs are not trained on: they
            rank the combinations. Test pairs are not read.
            """)

    @Option(name: [.customShort("a"), .customLong("architecture")], help: "The network (default: siamese).")
    var givenArchitecture: NetworkDescription.Architecture?

    @Option(help: ArgumentHelp("Learning rates (without any list: 0.001,0.002,0.005,0.01).", valueName: "x,x,..."))
    var learningRates: List<Float>?

    @Option(help: ArgumentHelp("Weights of the auxiliary loss (without any list: 0.3,0.7,1).", valueName: "x,x,..."))
    var lossRatios: List<Float>?

    @Option(help: ArgumentHelp("Dropout probabilities.", valueName: "x,x,..."))
    var dropouts: List<Float>?

    @Option(help: ArgumentHelp("Batch sizes.", valueName: "n,n,..."))
    var batchSizes: List<Int>?

    @Option(help: ArgumentHelp("Numbers of epochs.", valueName: "n,n,..."))
    var epochCounts: List<Int>?

    @Option(help: ArgumentHelp("Training pairs to hold out.", valueName: "n"))
    var validation = 200

    @Option(help: "Which answer ranks the combinations.")
    var decision = Model.Decision.head

    @OptionGroup var flags: ExperimentFlags

    private var architecture: NetworkDescription.Architecture { givenArchitecture ?? .siamese }

    func validate() throws {
        if validation < 1 { throw ValidationError("--validation is \(validation), but must be at least 1") }
        let recipe = flags.recipe
        for (list, single, isBoth) in [
            ("--learning-rates", "--learning-rate", learningRates != nil && recipe.learningRate != nil),
            ("--loss-ratios", "--loss-ratio", lossRatios != nil && recipe.lossRatio != nil),
            ("--batch-sizes", "--batch-size", batchSizes != nil && recipe.batchSize != nil),
            ("--epoch-counts", "--epochs", epochCounts != nil && recipe.epochs != nil),
        ] where isBoth {
            throw ValidationError("\(list) and \(single) both say the same: give one of them")
        }
        try checkGrid("--learning-rates", learningRates?.elements ?? []) { $0.learningRate = $1 }
        try checkGrid("--loss-ratios", lossRatios?.elements ?? []) { $0.lossRatio = $1 }
        try checkGrid("--batch-sizes", batchSizes?.elements ?? []) { $0.batchSize = $1 }
        try checkGrid("--epoch-counts", epochCounts?.elements ?? []) { $0.epochs = $1 }
        try checkGrid("--dropouts", dropouts?.elements ?? []) { _, _ in }
        for dropout in dropouts?.elements ?? [] {
            var description = NetworkDescription()
            description.dropout = dropout
            do throws(DiptychError) {
                try description.validate()
            } catch {
                throw ValidationError("--dropouts: \(error.message)")
            }
        }
    }

    func run() throws {
        let source = try flags.data.source()
        let data = TrialData(name: source.name, digits: try source.open(.train, images: flags.imageOptions), pairs: flags.pairs,
                             measure: .validation(pairs: validation))
        let recipe = flags.recipe.options
        let settings = combinations(recipe, classes: data.classes)
        let experiment = try Experiment("grid", settings: settings, rounds: flags.rounds ?? 3, flags: flags, data: data,
                                        base: recipe) { trials, json in
            json.member("architecture", "\(architecture.name)")
            json.member("decision", "\(decision.name)")
            json.array("ranking") { json in
                for (setting, summary) in rank(settings, trials) {
                    json.object { json in
                        json.member("name", setting.name)
                        json.member("learning_rate", setting.options.learningRate)
                        json.member("loss_ratio", setting.options.lossRatio)
                        json.member("dropout", setting.description.dropout)
                        json.member("batch_size", setting.options.batchSize)
                        json.member("epochs", setting.options.epochs)
                        summary.write(to: &json, measure: "validation")
                    }
                }
            }
        }
        try flags.conduct(experiment) { show(rank(settings, $0)) }
    }

    private func combinations(_ recipe: TrainerOptions, classes: Int) -> [Setting] {
        var settings = [Setting(name: "", description: flags.recipe.description(architecture, classes: classes), options: recipe)]
        func vary<Value>(_ values: [Value]?, _ set: (inout Setting, Value) -> Void) {
            guard let values else { return }
            settings = settings.flatMap { setting in
                values.map { value in
                    var setting = setting
                    set(&setting, value)
                    return setting
                }
            }
        }
        let nothing = learningRates == nil && lossRatios == nil && dropouts == nil && batchSizes == nil && epochCounts == nil
        vary(nothing ? [0.001, 0.002, 0.005, 0.01] : learningRates?.elements) { $0.options.learningRate = $1 }
        vary(nothing ? [0.3, 0.7, 1] : lossRatios?.elements) { $0.options.lossRatio = $1 }
        vary(dropouts?.elements) { $0.description.dropout = $1 }
        vary(batchSizes?.elements) { $0.options.batchSize = $1 }
        vary(epochCounts?.elements) { $0.options.epochs = $1 }
        return settings.map { setting in
            let o = setting.options
            return Setting(name: "\(architecture.name), learning rate \(exact(o.learningRate)), loss ratio \(exact(o.lossRatio)), dropout "
                + "\(exact(setting.description.dropout)), batch \(o.batchSize), \(o.epochs) \(plural("epoch", o.epochs))", description: setting.description, options: o)
        }
    }

    /// The best first; what diverged in any round last.
    private func rank(_ settings: [Setting], _ trials: [[Trial]]) -> [(setting: Setting, summary: TrialSummary)] {
        func score(_ summary: TrialSummary) -> Double {
            summary.diverged > 0 ? .infinity : decision == .head ? summary.error.mean : summary.marginalError.mean
        }
        return zip(settings, trials).filter { !$1.isEmpty }.map { ($0, TrialSummary($1)) }
            .sorted { score($0.1) < score($1.1) }
    }

    private func show(_ ranking: [(setting: Setting, summary: TrialSummary)]) {
        say("validation error in %  head     sd   marginal     sd   learning rate  loss ratio  dropout  batch  epochs  seconds")
        for (index, (setting, s)) in ranking.enumerated() {
            let errors = s.diverged > 0 ? right("diverged in \(s.diverged) of \(s.rounds)", 35) + "     "
                : right(fixed(100 * s.error.mean, 2), 22) + right(fixed(100 * s.error.deviation, 2), 7)
                    + right(fixed(100 * s.marginalError.mean, 2), 11) + right(fixed(100 * s.marginalError.deviation, 2), 7)
            say(right("\(index + 1)", 4) + errors + right(exact(setting.options.learningRate), 16)
                + right(exact(setting.options.lossRatio), 12) + right(exact(setting.description.dropout), 9)
                + right("\(setting.options.batchSize)", 7) + right("\(setting.options.epochs)", 8) + right(fixed(s.seconds.mean, 1), 9))
        }
    }
}
