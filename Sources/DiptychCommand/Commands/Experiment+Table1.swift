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

            Siamese, RWS and MLP, each with and without the auxiliary loss. In a round all
            rows train on the same pairs and are tested on the same pairs, so that their
            differences have narrower intervals than their errors.
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
        let data = try test.data(flags), recipe = flags.recipe.options, rows = rows.chosen
        let settings = rows.map { $0.setting(recipe, classes: data.classes) }
        let experiment = try Experiment("table1", settings: settings, rounds: flags.rounds ?? 10, flags: flags, data: data,
                                        base: recipe) { trials, json in
            json.array("rows") { json in
                for (row, trials) in zip(rows, trials) where !trials.isEmpty { write(row, trials, recipe, to: &json) }
            }
            json.array("comparisons") { json in comparisons(rows, trials).forEach { $0.write(to: &json) } }
        }
        try flags.conduct(experiment) { show(rows, $0) }
    }

    private func write(_ row: TableRow, _ trials: [Trial], _ recipe: TrainerOptions, to json: inout JSONWriter) {
        let summary = TrialSummary(trials)
        json.object { json in
            row.write(to: &json, lossRatio: recipe.lossRatio)
            summary.write(to: &json, measure: "test")
            if let report = row.report {
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

    /// Each network with against without auxiliary loss; then the networks against each other, with it and without.
    private func comparisons(_ rows: [TableRow], _ trials: [[Trial]]) -> [Comparison] {
        func compare(_ a: (NetworkDescription.Architecture, Bool), _ b: (NetworkDescription.Architecture, Bool)) -> Comparison? {
            func of(_ wanted: (NetworkDescription.Architecture, Bool)) -> [Trial] {
                zip(rows, trials).first { $0.0.architecture == wanted.0 && $0.0.auxiliary == wanted.1 }?.1 ?? []
            }
            return Comparison(of(a), of(b))
        }
        let networks = NetworkDescription.Architecture.allCases.map { compare(($0, true), ($0, false)) }
        let pairs: [(NetworkDescription.Architecture, NetworkDescription.Architecture)] = [(.siamese, .rws), (.siamese, .mlp), (.rws, .mlp)]
        return (networks + [true, false].flatMap { auxiliary in pairs.map { compare(($0.0, auxiliary), ($0.1, auxiliary)) } })
            .compactMap { $0 }
    }

    private func show(_ rows: [TableRow], _ trials: [[Trial]]) {
        say("test error in per cent          mean     sd     95 % interval   the report   train   marginal   digits   parameters   seconds")
        for (row, trials) in zip(rows, trials) where !trials.isEmpty {
            let s = TrialSummary(trials)
            let report = row.report.map { fixed(100 * $0.error.mean, 2) } ?? "-"
            say("\(left(row.name, 14)) \(right("\(trials.count)", 3)) \(trials.count == 1 ? "round " : "rounds")" + right(fixed(100 * s.error.mean, 2), 11)
                + right(fixed(100 * s.error.deviation, 2), 7) + right(percentRange(s.error.interval), 18) + right(report, 13)
                + right(fixed(100 * s.trainError.mean, 2), 8) + right(fixed(100 * s.marginalError.mean, 2), 11)
                + right(fixed(100 * s.digitError.mean, 2), 9) + right(grouped(NetworkDescription(row.architecture).parameterCount), 13)
                + right(fixed(s.seconds.mean, 1), 10))
        }
        let comparisons = comparisons(rows, trials)
        guard !comparisons.isEmpty else { return }
        say()
        say("differences in points, pair by pair           95 % interval          p")
        for c in comparisons {
            say(left("\(c.first) - \(c.second)", 30) + right(fixed(100 * c.difference.mean, 2), 9)
                + right(percentRange(c.difference.interval), 20) + right(c.difference.pValue.isNaN ? "-" : text(c.difference.pValue, digits: 2), 11))
        }
    }
}
