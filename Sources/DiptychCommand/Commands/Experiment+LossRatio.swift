import ArgumentParser
import Diptych

struct LossRatio: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loss-ratio",
        abstract: "Test error by the weight of the auxiliary loss, over 50 epochs.",
        discussion: """
            EXAMPLES
              diptych experiment loss-ratio --data mnist --out loss-ratio.json
              diptych experiment loss-ratio --loss-ratios 0,1,2,4 --epochs 25
            """)

    @Option(name: [.customShort("a"), .customLong("architecture")], help: "The network (default: siamese).")
    var givenArchitecture: NetworkDescription.Architecture?

    @Option(help: ArgumentHelp("The weights (default: the report's 0,0.3,0.5,0.7,0.9,1.2).", valueName: "r,r,..."))
    var lossRatios: List<Float>?

    @OptionGroup var flags: ExperimentFlags
    @OptionGroup var test: TestFlags

    private var ratios: [Float] { lossRatios?.elements ?? [0, 0.3, 0.5, 0.7, 0.9, 1.2] }

    private var architecture: NetworkDescription.Architecture { givenArchitecture ?? .siamese }

    func validate() throws {
        if flags.recipe.lossRatio != nil { throw ValidationError("--loss-ratio is what this experiment varies: give --loss-ratios") }
        try checkGrid("--loss-ratios", ratios) { $0.lossRatio = $1 }
    }

    func run() throws {
        let data = try test.data(flags), flagged = flags.recipe.ofCurves, recipe = flagged.options
        let settings = ratios.map { ratio in
            var setting = Setting(name: "\(architecture.name) \(exact(ratio))",
                                  description: flagged.description(architecture, classes: data.classes), options: recipe)
            setting.options.lossRatio = ratio
            return setting
        }
        let experiment = try Experiment("loss-ratio", settings: settings, rounds: flags.rounds ?? 10, flags: flags, data: data,
                                        curve: true, base: recipe) { trials, json in
            json.array("lines") { json in
                for (setting, trials) in zip(settings, trials) where !trials.isEmpty {
                    json.object { json in
                        json.member("name", setting.name)
                        json.member("architecture", "\(architecture.name)")
                        json.member("loss_ratio", setting.options.lossRatio)
                        TrialSummary(trials).write(to: &json, measure: "test")
                        LearningCurve(setting.name, trials).write(to: &json)
                    }
                }
            }
            json.array("comparisons") { json in
                guard let chosen = ratios.firstIndex(of: TrainerOptions().lossRatio) else { return }
                // Each of the others against the report's choice.
                for index in trials.indices where index != chosen { Comparison(trials[index], trials[chosen])?.write(to: &json) }
            }
        }
        try flags.conduct(experiment) { trials in
            show(zip(settings, trials).map { LearningCurve("loss ratio \(exact($0.options.lossRatio))", $1) }, epochs: recipe.epochs)
        }
    }
}

/// Throws unless each of an option's values is allowed, and stands there once.
func checkGrid<Value: Hashable>(_ option: String, _ values: [Value], _ set: (inout TrainerOptions, Value) -> Void) throws {
    guard Set(values).count == values.count else { throw ValidationError("\(option): a value stands there twice") }
    for value in values {
        var options = TrainerOptions()
        set(&options, value)
        do throws(DiptychError) {
            try options.validate()
        } catch {
            throw ValidationError("\(option): \(error.message)")
        }
    }
}
