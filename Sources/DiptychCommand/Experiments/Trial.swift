import CDiptychPlatform
import Diptych

/// One setting trained in one round, and how well it did. Errors are shares, 0 to 1.
struct Trial {
    let setting: String
    /// From 0; the seed is the experiment's first seed plus this.
    let round: Int
    let seed: UInt64
    var error = Double.nan
    var marginalError = Double.nan
    var digitError = Double.nan
    var trainError = Double.nan
    /// Of training and of measuring once.
    var seconds = 0.0
    /// The loss was no longer finite: there are no errors.
    var diverged = false
    /// After each epoch, where the experiment asks for curves.
    var errors: [Double] = []
    var marginalErrors: [Double] = []

    /// Trains; nil where `stop` said so between two steps.
    static func run(_ setting: Setting, round: Int, seed: UInt64, data: TrialData, curve: Bool, threads: Int,
                    stop: () -> Bool) throws(DiptychError) -> Trial? {
        var trial = Trial(setting: setting.name, round: round, seed: seed)
        let (train, measured) = try data.draw(for: setting.description, seed: seed)
        var options = setting.options
        options.seed = seed
        options.threads = threads
        let trainer = try Trainer(model: Model(setting.description, seed: seed), pairs: train, options: options)
        do throws(DiptychError) {
            while trainer.step < trainer.steps {
                if stop() { return nil }
                _ = try trainer.trainStep()
                guard curve && trainer.step % trainer.stepsPerEpoch == 0 else { continue }
                let evaluation = try trainer.model.evaluate(measured, threads: threads)
                trial.errors.append(evaluation.error)
                trial.marginalErrors.append(evaluation.marginalError)
            }
        } catch {
            guard error.status == .diverged else { throw error }
            trial.diverged = true
            trial.seconds = trainer.seconds
            trial.errors = []
            trial.marginalErrors = []
            return trial
        }
        let start = dp_seconds()
        let evaluation = try trainer.model.evaluate(measured, threads: threads)
        trial.seconds = trainer.seconds + dp_seconds() - start
        trial.error = evaluation.error
        trial.marginalError = evaluation.marginalError
        trial.digitError = evaluation.digitError
        trial.trainError = try trainer.model.evaluate(train, threads: threads).error
        return trial
    }
}

extension Trial {
    /// `measure` is "test" or "validation".
    func write(to json: inout JSONWriter, measure: String) {
        json.object { json in
            json.member("setting", setting)
            json.member("round", round)
            json.member("seed", seed)
            json.member("diverged", diverged)
            json.member("\(measure)_error", error)
            json.member("marginal_\(measure)_error", marginalError)
            json.member("digit_error", digitError)
            json.member("train_error", trainError)
            json.member("seconds", seconds)
            if !errors.isEmpty {
                json.member("\(measure)_errors", errors)
                json.member("marginal_\(measure)_errors", marginalErrors)
            }
        }
    }

    /// nil unless `json` is what `write` writes.
    init?(_ json: JSONValue, measure: String) {
        guard let setting = json["setting"]?.text, let round = json["round"]?.integer, round >= 0,
              case .number(let seed)? = json["seed"], let seed = UInt64(seed), case .bool(let diverged)? = json["diverged"],
              let error = json["\(measure)_error"]?.double, let marginalError = json["marginal_\(measure)_error"]?.double,
              let digitError = json["digit_error"]?.double, let trainError = json["train_error"]?.double,
              let seconds = json["seconds"]?.double
        else { return nil }
        self.init(setting: setting, round: round, seed: seed, error: error, marginalError: marginalError, digitError: digitError,
                  trainError: trainError, seconds: seconds, diverged: diverged)
        errors = json["\(measure)_errors"]?.elements?.compactMap(\.double) ?? []
        marginalErrors = json["marginal_\(measure)_errors"]?.elements?.compactMap(\.double) ?? []
    }
}

extension JSONWriter {
    mutating func member(_ name: String, _ values: [Double]) {
        array(name) { json in for value in values { json.value(value) } }
    }
}
