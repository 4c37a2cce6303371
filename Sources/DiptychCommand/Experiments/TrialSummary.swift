import Diptych

/// One setting's trials put together; those that diverged have no errors and are only counted.
struct TrialSummary {
    let rounds: Int
    let diverged: Int
    let error: Statistics
    let marginalError: Statistics
    let digitError: Statistics
    let trainError: Statistics
    let seconds: Statistics

    init(_ trials: [Trial]) {
        let good = trials.filter { !$0.diverged }
        rounds = trials.count
        diverged = trials.count - good.count
        error = Statistics(good.map(\.error))
        marginalError = Statistics(good.map(\.marginalError))
        digitError = Statistics(good.map(\.digitError))
        trainError = Statistics(good.map(\.trainError))
        seconds = Statistics(good.map(\.seconds))
    }

    func write(to json: inout JSONWriter, measure: String) {
        json.member("rounds", rounds)
        json.member("diverged", diverged)
        for (name, error) in [("\(measure)_error", error), ("marginal_\(measure)_error", marginalError), ("digit_error", digitError)] {
            json.member("\(name)_mean", error.mean)
            json.member("\(name)_sd", error.deviation)
            json.member("\(name)_interval", [error.interval.low, error.interval.high])
        }
        json.member("train_error_mean", trainError.mean)
        json.member("seconds_mean", seconds.mean)
    }
}
