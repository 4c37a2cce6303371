import Diptych

/// The test error of one setting after each epoch, over rounds.
struct LearningCurve {
    let name: String
    /// Epoch by epoch.
    let errors: [Statistics]
    let marginalErrors: [Statistics]

    init(_ name: String, _ trials: [Trial]) {
        self.name = name
        let good = trials.filter { !$0.diverged }
        let epochs = good.map { min($0.errors.count, $0.marginalErrors.count) }.min() ?? 0
        errors = (0 ..< epochs).map { epoch in Statistics(good.map { $0.errors[epoch] }) }
        marginalErrors = (0 ..< epochs).map { epoch in Statistics(good.map { $0.marginalErrors[epoch] }) }
    }

    func write(to json: inout JSONWriter) {
        for (name, errors) in [("test_errors", errors), ("marginal_test_errors", marginalErrors)] {
            json.object(name) { json in
                json.member("mean", errors.map(\.mean))
                json.member("sd", errors.map(\.deviation))
                json.member("low", errors.map(\.interval.low))
                json.member("high", errors.map(\.interval.high))
            }
        }
    }
}

/// Prints mean test errors at a few epochs.
func show(_ curves: [LearningCurve], epochs: Int) {
    let shown = Set([1, 2, 5, 10, 25, 50, 100, 200, epochs]).filter { $0 <= epochs }.sorted()
    say(left("test error in %, after epoch", 28) + shown.map { right("\($0)", 8) }.joined() + "   95 % interval at the end")
    for curve in curves where curve.errors.count == epochs {
        say(left(curve.name, 28) + shown.map { right(fixed(100 * curve.errors[$0 - 1].mean, 2), 8) }.joined()
            + right(percentRange(curve.errors[epochs - 1].interval), 25))
    }
}
