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

    func validate() throws {
        for row in rows.chosen where row.recipe != nil {
            throw ValidationError("--rows: \(row.name) is a row of table1, not of the curves; --recipe best is for all lines")
        }
    }

    func run() throws {
        let data = try test.data(flags), rows = rows.chosen
        let recipe = flags.recipe.ofCurves, epochs = recipe.options.epochs
        let settings = rows.map { $0.setting(recipe, classes: data.classes) }
        let experiment = try Experiment("curves", settings: settings, rounds: flags.rounds ?? 10, flags: flags, data: data, curve: true,
                                        base: recipe.options) { trials, json in
            json.array("lines") { json in
                for ((row, setting), trials) in zip(zip(rows, settings), trials) where !trials.isEmpty {
                    json.object { json in
                        row.write(to: &json, setting)
                        TrialSummary(trials).write(to: &json, measure: "test")
                        LearningCurve(row.name, trials).write(to: &json)
                    }
                }
            }
        }
        try flags.conduct(experiment) { trials in
            show(zip(rows, trials).map { LearningCurve($0.name, $1) }, epochs: epochs)
        }
    }
}

extension RecipeFlags {
    /// The report's figures go on for twice as long as its table.
    var ofCurves: RecipeFlags {
        var flags = self
        flags.epochs = epochs ?? 50
        return flags
    }
}
