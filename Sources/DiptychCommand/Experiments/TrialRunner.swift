import CDiptychPlatform
import Diptych

/// Runs the trials that the results still lack, several at a time, each with threads of its own, and stores each as soon
/// as it is done.
final class TrialRunner: @unchecked Sendable {
    private let experiment: Experiment
    private let quiet: Bool
    private let work: [(setting: Setting, round: Int)]
    private let shared: Locked<Shared>

    /// What the threads share.
    private struct Shared {
        let results: ResultsFile
        var progress: TrialProgress
        var error: DiptychError?
        var interruption: Interrupt?
        /// Which of the trials nobody has taken yet.
        var next = 0
        var stopped: Bool { error != nil || interruption != nil }
    }

    init(_ experiment: Experiment, results: ResultsFile, quiet: Bool) {
        self.experiment = experiment
        self.quiet = quiet
        // Round by round, so that what is done when somebody stops it can be compared; the long ones first, so that no
        // long one is left alone at the end.
        let settings = experiment.settings.sorted { $0.cost > $1.cost }
        work = (0 ..< experiment.rounds).flatMap { round in
            settings.filter { !results.has($0.name, round: round) }.map { ($0, round) }
        }
        shared = Locked(Shared(results: results, progress: TrialProgress(experiment, work.map { $0.setting })))
    }

    /// Returns when all is done, or the signal that stopped it; a trial that it stopped is not kept.
    func run() throws(DiptychError) -> Interrupt? {
        guard !work.isEmpty else { return nil }
        Interrupt.install()
        defer { Interrupt.remove() }
        guard let pool = dp_pool_create(Int32(experiment.workers)) else {
            throw DiptychError(.outOfMemory, "no memory for \(experiment.workers) \(plural("thread", experiment.workers))")
        }
        defer { dp_pool_free(pool) }
        var trials = dp_stage(count: work.count, after: 0, by_share: false, taken: 0, done: 0)
        let started = dp_pool_run(pool, 1, &trials, { context, _, _, _ in
            Unmanaged<TrialRunner>.fromOpaque(context!).takeUnretainedValue().runNextTrial()
        }, Unmanaged.passUnretained(self).toOpaque())
        guard started else { throw DiptychError(.system, "cannot start \(experiment.workers) \(plural("thread", experiment.workers)); use fewer: --threads") }
        let (error, interruption) = shared.withLock { shared in
            shared.progress.clear()
            return (shared.error, shared.interruption)
        }
        if let error { throw error }
        return interruption
    }

    /// In the order of `work`, whichever items the threads take.
    private func runNextTrial() {
        let (setting, round) = shared.withLock { shared in
            defer { shared.next += 1 }
            return work[shared.next]
        }
        guard !isStopped() else { return }
        do throws(DiptychError) {
            let seed = experiment.seed + UInt64(round)
            let trial = try Trial.run(setting, round: round, seed: seed, data: experiment.data, curve: experiment.curve,
                                      threads: experiment.threadsPerTrial, stop: isStopped)
            if let trial { try keep(trial) }
        } catch {
            shared.withLock { shared in if shared.error == nil { shared.error = error } }
        }
    }

    private func keep(_ trial: Trial) throws(DiptychError) {
        let failure = shared.withLock { shared -> DiptychError? in
            do throws(DiptychError) {
                try shared.results.add(trial)
            } catch {
                return error
            }
            let line = shared.progress.finished(trial, measure: experiment.data.measure.name)
            if !quiet { report(line) }
            return nil
        }
        if let failure { throw failure }
    }

    /// Asked between two steps: whether a signal came, or another trial failed.
    private func isStopped() -> Bool {
        shared.withLock { shared in
            if let signal = Interrupt.take() { shared.interruption = signal }
            if !shared.stopped && !quiet { shared.progress.draw() }
            return shared.stopped
        }
    }
}
