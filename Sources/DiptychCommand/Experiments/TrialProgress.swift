import CDiptychPlatform
import Diptych

/// How far an experiment is: a line for each trial, and on a terminal a bar with the time left.
struct TrialProgress {
    private let experiment: Experiment
    private let all: Int
    /// Of each setting: trials to come, and seconds of those that this call has finished.
    private var left: [String: Int] = [:]
    private var measured: [String: [Double]] = [:]
    private var done = 0
    private let start = dp_seconds()
    private var drawn = -1.0

    init(_ experiment: Experiment, _ work: [Setting]) {
        self.experiment = experiment
        all = work.count
        for setting in work { left[setting.name, default: 0] += 1 }
    }

    /// Takes note of the trial and returns the line to report.
    mutating func finished(_ trial: Trial, measure: String) -> String {
        done += 1
        left[trial.setting, default: 1] -= 1
        measured[trial.setting, default: []].append(trial.seconds)
        clear()
        let result = trial.diverged ? "diverged" : "\(measure) error \(right(percent(trial.error), 7)), by the marginal "
            + "\(right(percent(trial.marginalError), 7)), in \(fixed(trial.seconds, 1)) s"
        let count = "\(all)"
        return "\(right("\(done)", count.count))/\(count)  \(trial.setting), seed \(trial.seed): \(result)"
            + (done < all ? "; \(duration(secondsLeft)) left" : "")
    }

    /// Of a setting that has none finished yet, the time is guessed from the others' by its multiplications.
    private var secondsLeft: Double {
        var seconds = 0.0, cost = 0.0
        for setting in experiment.settings {
            for time in measured[setting.name] ?? [] {
                seconds += time
                cost += setting.cost
            }
        }
        var sum = 0.0
        for setting in experiment.settings {
            let times = measured[setting.name] ?? []
            let expected = times.isEmpty ? setting.cost * seconds / max(cost, 1) : times.reduce(0, +) / Double(times.count)
            sum += expected * Double(left[setting.name] ?? 0)
        }
        return sum / Double(experiment.workers)
    }

    /// Draws the bar, at most twice a second.
    mutating func draw() {
        let now = dp_seconds()
        guard progressIsLive, now - drawn > 0.5 else { return }
        drawn = now
        let filled = 24 * done / max(all, 1)
        writeAll("\r[\(String(repeating: "#", count: filled))\(String(repeating: ".", count: 24 - filled))] \(done)/\(all) \(plural("run", all)), "
            + "\(duration(now - start)) so far\(done > 0 ? ", \(duration(secondsLeft)) left" : "")\u{1B}[K", to: 2)
    }

    mutating func clear() {
        if drawn >= 0 { writeAll("\r\u{1B}[K", to: 2) }
        drawn = -1
    }
}

/// 45 s, 12 min, 3 h 20 min.
func duration(_ seconds: Double) -> String {
    let minutes = Int(min(max(seconds / 60, 0), 1e9).rounded())
    if seconds < 90 { return "\(fixed(seconds, 0)) s" }
    return minutes < 120 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
}
