import ArgumentParser
import Diptych

struct Curves: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "curves",
        abstract: "Test error after each of 50 epochs, of the six networks.",
        discussion: """
            EXAMPLES
              diptych experiment curves --data mnist --rounds 5 --out curves.json
              diptych experiment curves --rows siamese,siamese-no-aux --epochs 100
            """)

    @OptionGroup var rows: RowFlags
    @OptionGroup var flags: ExperimentFlags
    @OptionGroup var test: TestFlags

    func run() throws {
        let data = try test.data(flags), rows = rows.chosen
        let recipe = flags.recipe.optionsOfCurves
        let settings = rows.map { $0.setting(recipe, classes: data.classes) }
        let experiment = try Experiment("curves", settings: settings, rounds: flags.rounds ?? 10, flags: flags, data: data, curve: true,
                                        base: recipe) { trials, json in
            json.array("lines") { json in
                for (row, trials) in zip(rows, trials) where !trials.isEmpty {
                    json.object { json in
                        row.write(to: &json, lossRatio: recipe.lossRatio)
                        TrialSummary(trials).write(to: &json, measure: "test")
                        LearningCurve(row.name, trials).write(to: &json)
                    }
                }
            }
        }
        try flags.conduct(experiment) { trials in
            show(zip(rows, trials).map { LearningCurve($0.name, $1) }, epochs: recipe.epochs)
        }
    }
}

extension RecipeFlags {
    /// The report's figures go on for twice as long as its table.
    var optionsOfCurves: TrainerOptions {
        var options = options
        options.epochs = epochs ?? 50
        return options
    }
}
