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

    /// Trains and measures; nil where `stop` said so between two steps.
    static func run(_ setting: Setting, round: Int, seed: UInt64, data: TrialData, curve: Bool, threads: Int,
                    stop: () -> Bool) throws(DiptychError) -> Trial? {
        var trial = Trial(setting: setting.name, round: round, seed: seed)
        let (train, measured) = try data.draw(for: setting.description, seed: seed)
        let classes = setting.description.classes
        let ensemble = setting.members < 2 ? nil : (try Ensemble(measured, classes: classes), try Ensemble(train, classes: classes))
        for member in 0 ..< setting.members {
            let trainer = try setting.trainer(on: train, seed: seed, member: member, threads: threads)
            do throws(DiptychError) {
                while trainer.step < trainer.steps {
                    if stop() { return nil }
                    _ = try trainer.trainStep(lazily: true)
                    if curve && trainer.step % trainer.stepsPerEpoch == 0 { try trial.addEpoch(trainer, measured) }
                }
            } catch {
                guard error.status == .diverged else { throw error }
                return Trial(setting: setting.name, round: round, seed: seed, seconds: trial.seconds + trainer.seconds, diverged: true)
            }
            let start = dp_seconds()
            if let ensemble {
                try ensemble.0.add(trainer.model, threads: threads)
                trial.seconds += trainer.seconds + dp_seconds() - start
                try ensemble.1.add(trainer.model, threads: threads)
            } else {
                let evaluation = try trainer.model.evaluate(measured, threads: threads)
                trial.seconds = trainer.seconds + dp_seconds() - start
                (trial.error, trial.marginalError, trial.digitError) = (evaluation.error, evaluation.marginalError, evaluation.digitError)
                trial.trainError = try trainer.model.evaluate(train, threads: threads).error
            }
        }
        if let ensemble {
            (trial.error, trial.marginalError, trial.digitError) = ensemble.0.errors
            trial.trainError = ensemble.1.errors.head
        }
        return trial
    }

    private mutating func addEpoch(_ trainer: Trainer, _ measured: Pairs) throws(DiptychError) {
        trainer.settle()
        let evaluation = try trainer.model.evaluate(measured, threads: trainer.options.threads)
        errors.append(evaluation.error)
        marginalErrors.append(evaluation.marginalError)
    }
}

extension Setting {
    /// The first member is what a setting of one network would be; the others take seeds far from any round's.
    fileprivate func trainer(on pairs: Pairs, seed: UInt64, member: Int, threads: Int) throws(DiptychError) -> Trainer {
        var options = options
        options.seed = seed ^ UInt64(member) << 48
        options.threads = threads
        return try Trainer(model: Model(description, seed: options.seed), pairs: pairs, options: options)
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
