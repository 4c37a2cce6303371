import ArgumentParser
import Diptych

struct Table1: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "table1",
        abstract: "The report's table: six networks over rounds, with intervals and paired tests.",
        discussion: """
            EXAMPLES
              diptych experiment table1 --data mnist --out table1.json
              diptych experiment table1 --rows siamese,rws --rounds 20
              diptych experiment table1 --rows siamese,best,best-ensemble

            Siamese, RWS and MLP, each with and without the auxiliary loss. In a round all
            rows train on the same pairs and are tested on the same pairs, so that their
            differences have narrower intervals than their errors. The rows best (the
            recipe best) and best-ensemble (five such networks, whose probabilities are
            averaged) decide by the marginal; they are trained where --rows asks for them.
            """)

    @OptionGroup var rows: RowFlags
    @OptionGroup var flags: ExperimentFlags
    @OptionGroup var test: TestFlags

    func validate() throws {
        if flags.recipe.lossRatio == 0 {
            throw ValidationError("--loss-ratio is 0, but must be above 0: the networks without auxiliary loss are rows of their own")
        }
    }

    func run() throws {
        let data = try test.data(flags), rows = rows.chosen
        let settings = rows.map { $0.setting(flags.recipe, classes: data.classes) }
        let experiment = try Experiment("table1", settings: settings, rounds: flags.rounds ?? 10, flags: flags, data: data,
                                        base: flags.recipe.options) { trials, json in
            json.array("rows") { json in
                for (index, row) in rows.enumerated() where !trials[index].isEmpty { write(row, settings[index], trials[index], to: &json) }
            }
            json.array("comparisons") { json in comparisons(trials).forEach { $0.write(to: &json) } }
        }
        try flags.conduct(experiment) { show(rows, settings, $0) }
    }

    private func write(_ row: TableRow, _ setting: Setting, _ trials: [Trial], to json: inout JSONWriter) {
        let summary = TrialSummary(trials)
        json.object { json in
            row.write(to: &json, setting)
            summary.write(to: &json, measure: "test")
            if let report = row.reported {
                json.object("report") { json in
                    json.member("test_error_mean", report.error.mean)
                    json.member("test_error_sd", report.error.deviation)
                    json.member("train_error_mean", report.trainError)
                    json.member("seconds", report.seconds)
                    // Ours less the report's: whether its rounds and ours can be of one kind.
                    let interval = summary.error.intervalOfDifference(to: report.error)
                    json.member("difference_interval", [interval.low, interval.high])
                }
            }
        }
    }

    /// Each network with against without auxiliary loss; the networks against each other, with it and without; and the best
    /// recipe, which decides by the marginal, against the report's.
    private static let compared: [(String, String, Model.Decision)] = [
        ("siamese", "siamese-no-aux", .head), ("rws", "rws-no-aux", .head), ("mlp", "mlp-no-aux", .head),
        ("siamese", "rws", .head), ("siamese", "mlp", .head), ("rws", "mlp", .head),
        ("siamese-no-aux", "rws-no-aux", .head), ("siamese-no-aux", "mlp-no-aux", .head), ("rws-no-aux", "mlp-no-aux", .head),
        ("best", "siamese", .marginal), ("best-ensemble", "best", .marginal),
    ]

    private func comparisons(_ trials: [[Trial]]) -> [Comparison] {
        func of(_ name: String) -> [Trial] { trials.first { $0.first?.setting == name } ?? [] }
        return Self.compared.compactMap { Comparison(of($0.0), of($0.1), by: $0.2) }
    }

    private func show(_ rows: [TableRow], _ settings: [Setting], _ trials: [[Trial]]) {
        say("test error in per cent          mean     sd     95 % interval   the report   train   marginal   digits   parameters   seconds")
        for ((row, setting), trials) in zip(zip(rows, settings), trials) where !trials.isEmpty {
            let s = TrialSummary(trials)
            let report = row.reported.map { fixed(100 * $0.error.mean, 2) } ?? "-"
            say("\(left(row.name, 14)) \(right("\(trials.count)", 3)) \(left(plural("round", trials.count), 6))" + right(fixed(100 * s.error.mean, 2), 11)
                + right(fixed(100 * s.error.deviation, 2), 7) + right(percentRange(s.error.interval), 18) + right(report, 13)
                + right(fixed(100 * s.trainError.mean, 2), 8) + right(fixed(100 * s.marginalError.mean, 2), 11)
                + right(fixed(100 * s.digitError.mean, 2), 9) + right(grouped(setting.parameterCount), 13)
                + right(fixed(s.seconds.mean, 1), 10))
        }
        let comparisons = comparisons(trials)
        guard !comparisons.isEmpty else { return }
        say()
        say("differences in points, round by round         95 % interval          p")
        for c in comparisons {
            say(left("\(c.first) - \(c.second)" + (c.decision == .marginal ? ", by marginal" : ""), 34) + right(fixed(100 * c.difference.mean, 2), 9)
                + right(percentRange(c.difference.interval), 20) + right(c.difference.pValue.isNaN ? "-" : text(c.difference.pValue, digits: 2), 11))
        }
    }
}
