import CDiptychPlatform
import Diptych

/// One `diptych train`: the loop over the steps, and what it found.
final class TrainingRun {
    let trainer: Trainer
    /// What the temperatures are fitted to.
    private let held: Pairs?
    private let test: Pairs?
    private let source: DataSource
    private let evaluateEvery: Int
    private let checkpoint: String?
    private let quiet: Bool

    private struct Epoch {
        let progress: Progress
        let seconds: Double
        let testError: Double
    }

    private var epochs: [Epoch] = []
    private var result: Evaluation?
    private var trainError = Double.nan
    private var seconds: Double
    /// The signal that stopped the run.
    private(set) var interruption: Interrupt?

    init(trainer: Trainer, held: Pairs?, test: Pairs?, source: DataSource, evaluateEvery: Int, checkpoint: String?, quiet: Bool) {
        self.trainer = trainer
        self.held = held
        self.test = test
        self.source = source
        self.evaluateEvery = evaluateEvery
        self.checkpoint = checkpoint
        self.quiet = quiet
        seconds = trainer.seconds
    }

    private var architecture: String { "\(trainer.model.description.architecture.name)" }

    var title: String {
        "\(architecture), \(grouped(trainer.model.parameterCount)) parameters: \(grouped(trainer.pairs.count)) training \(plural("pair", trainer.pairs.count)) of "
            + "\(source.name), \(trainer.options.epochs) \(plural("epoch", trainer.options.epochs)), loss ratio \(exact(trainer.options.lossRatio)), seed \(trainer.options.seed)"
            + (trainer.step > 0 ? "; resumed at step \(trainer.step) of \(trainer.steps)" : "")
    }

    /// Trains to the end, or until a signal; then calibrates and evaluates.
    func train() throws(DiptychError) {
        Interrupt.install()
        defer { Interrupt.remove() }
        let bar = quiet || !progressIsLive ? nil : ProgressBar()
        defer { bar?.clear() }
        while trainer.step < trainer.steps {
            if let signal = Interrupt.take() {
                interruption = signal
                trainer.settle()
                if let checkpoint { try trainer.save(path: checkpoint) }
                return
            }
            // The last step's own report is of its epoch.
            let ends = (trainer.step + 1) % trainer.stepsPerEpoch == 0
            let progress = ends ? try trainer.trainEpoch(lazily: true) : try trainer.trainStep(lazily: true)
            bar?.draw(progress)
            if ends { try epochEnded(progress, bar) }
        }
        if let held { try trainer.model.calibrate(held, threads: trainer.options.threads) }
        try evaluate()
    }

    private func epochEnded(_ progress: Progress, _ bar: ProgressBar?) throws(DiptychError) {
        var testError = Double.nan
        if let test, evaluateEvery > 0, progress.epoch % evaluateEvery == 0 {
            trainer.settle()
            testError = try trainer.model.evaluate(test, threads: trainer.options.threads).error
        }
        let epoch = Epoch(progress: progress, seconds: progress.seconds - seconds, testError: testError)
        seconds = progress.seconds
        epochs.append(epoch)
        if let checkpoint { try trainer.save(path: checkpoint) }
        guard !quiet else { return }
        bar?.clear()
        report("epoch \(right("\(progress.epoch)", "\(progress.epochs)".count))/\(progress.epochs)  loss \(fixed(progress.loss, 4))  "
            + "train error \(right(percent(progress.trainError), 7))  "
            + (testError.isNaN ? "" : "test error \(right(percent(testError), 7))  ") + "\(fixed(epoch.seconds, 2)) s")
    }

    private func evaluate() throws(DiptychError) {
        let start = dp_seconds()
        if let test { result = try trainer.model.evaluate(test, threads: trainer.options.threads) }
        seconds += dp_seconds() - start
        trainError = try trainer.model.evaluate(trainer.pairs, threads: trainer.options.threads).error
    }

    func printResult(out: String?) {
        if let result {
            let figure = reportedTestError(trainer)
            say("test error   \(percent(result.error)) by the head, \(percent(result.marginalError)) by the marginal, on "
                + "\(grouped(result.count)) \(plural("pair", result.count))" + (figure.map { "   (the report's mean: \(percent($0)) by the head)" } ?? ""))
            say("digit error  \(percent(result.digitError))")
            if held != nil {
                say("calibration  expected error \(percent(result.head.expectedCalibrationError)) of the head's probability, "
                    + "\(percent(result.marginal.expectedCalibrationError)) of the marginal")
            }
        } else {
            say("test error   not measured: \(source.name) has no test split")
        }
        say("train error  \(percent(trainError)) by the head")
        if let held { say("temperature  \(temperatureText(trainer.model.temperatures)), fitted to \(grouped(held.count)) other \(plural("pair", held.count))") }
        say("time         \(fixed(seconds, 2)) s for \(trainer.options.epochs) \(plural("epoch", trainer.options.epochs)) and the test")
        if let out { say("saved        \(out)") }
    }

    func printJSON(out: String?) {
        let options = trainer.options
        sayJSON { json in
            json.member("architecture", self.architecture)
            json.member("parameters", self.trainer.model.parameterCount)
            json.member("data", self.source.name)
            json.member("pairs", self.trainer.pairs.count)
            json.member("test_pairs", self.test?.count ?? 0)
            json.member("loss_ratio", options.lossRatio)
            json.member("seed", options.seed)
            json.member("interrupted", self.interruption != nil)
            json.member("test_error", self.result?.error ?? .nan)
            json.member("marginal_test_error", self.result?.marginalError ?? .nan)
            json.member("digit_error", self.result?.digitError ?? .nan)
            json.member("ece", self.result?.head.expectedCalibrationError ?? .nan)
            json.member("marginal_ece", self.result?.marginal.expectedCalibrationError ?? .nan)
            json.member("calibration_pairs", self.held?.count ?? 0)
            json.member("head_temperature", self.trainer.model.temperatures.head)
            json.member("class_temperature", self.trainer.model.temperatures.classes)
            json.member("train_error", self.trainError)
            json.member("report_test_error", reportedTestError(self.trainer) ?? .nan)
            json.member("seconds", self.seconds)
            if let out { json.member("out", out) }
            json.array("epochs") { json in
                for epoch in self.epochs {
                    json.object { json in
                        json.member("epoch", epoch.progress.epoch)
                        json.member("loss", epoch.progress.loss)
                        json.member("bce", epoch.progress.bce)
                        json.member("auxiliary", epoch.progress.auxiliary)
                        json.member("train_error", epoch.progress.trainError)
                        json.member("test_error", epoch.testError)
                        json.member("learning_rate", Float(epoch.progress.learningRate))
                        json.member("seconds", epoch.seconds)
                    }
                }
            }
        }
    }
}

/// The mean test error over ten rounds in the report's table 1, where the run follows its recipe.
private func reportedTestError(_ trainer: Trainer) -> Double? {
    let options = trainer.options, description = trainer.model.description
    var recipe = TrainerOptions()
    let recipeLossRatio = recipe.lossRatio
    recipe.lossRatio = options.lossRatio
    recipe.seed = options.seed
    recipe.threads = options.threads
    guard options == recipe, description == NetworkDescription(description.architecture), trainer.pairs.count == 1000 else { return nil }
    guard [0, recipeLossRatio].contains(options.lossRatio) else { return nil }
    return ReportRow.of(description.architecture, auxiliary: options.lossRatio > 0)?.error.mean
}
