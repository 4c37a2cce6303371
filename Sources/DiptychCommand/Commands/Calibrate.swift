import ArgumentParser
import Diptych

struct Calibrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Fits a model's temperatures, so that its probabilities say how often it is right.",
        discussion: """
            EXAMPLES
              diptych train --data mnist --calibrate 200 --out my.safetensors
              diptych calibrate my.safetensors --data photos --out fitted.safetensors
              diptych calibrate my.safetensors --data mnist --skip 1000 --pairs 2000 \\
                --out fitted.safetensors
              diptych calibrate all.safetensors --from fitted.safetensors \\
                --out all.safetensors

            The pairs must not be those that the model was trained on: on them it is surer
            than it may be on others, and they confirm it in that. They are drawn from the
            training split by the seed, so that the test split stays unseen; a model made
            by 'diptych train --pairs 1000 --seed 3' has seen the first 1000 of the pairs
            of seed 3, which --seed 3 --skip 1000 passes over. 'diptych train --calibrate'
            holds pairs out by itself. A model that was trained on all there is takes the
            temperatures of a sibling that was not: --from. One of --data, --skip and
            --from must therefore be given. The built-in model has seen all of MNIST's
            training digits, and with them the bundled sample: --data must name others.
            """)

    @Argument(help: ArgumentHelp("A model file (default: the built-in model).", valueName: "model"),
              completion: .file(extensions: ["safetensors"]))
    var subject: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("Save the calibrated model there; it may be the same file.", valueName: "file"),
            completion: .file())
    var out: String

    @Flag(help: "Save the model's weights in half precision (F16), for half the size.")
    var half = false

    @Option(help: ArgumentHelp("Take the temperatures of this model instead of fitting them.", valueName: "file"),
            completion: .file(extensions: ["safetensors"]))
    var from: String?

    @OptionGroup var data: DataFlags

    @Option(help: ArgumentHelp("Pairs to fit to (default: 1000, or as many as there are).", valueName: "n"))
    var pairs: Int?

    @Option(help: ArgumentHelp("Pass over the first n pairs of the draw, which the model was trained on (default: 0).", valueName: "n"))
    var skip: Int?

    @Option(help: ArgumentHelp("Seed of the draw (default: 0).", valueName: "n"))
    var seed: UInt64?

    @OptionGroup var image: ImageFlags
    @OptionGroup var threads: ThreadFlags
    @OptionGroup var output: OutputFlags

    func validate() throws {
        if let pairs, pairs < 1 { throw ValidationError("--pairs is \(pairs), but must be at least 1") }
        if let skip, skip < 0 { throw ValidationError("--skip is \(skip), but must be at least 0") }
        if from != nil {
            guard pairs == nil && skip == nil && seed == nil && data.data == nil && image.isEmpty && threads.given == nil else {
                throw ValidationError("--from takes another model's temperatures, so that there are no pairs to fit to: leave out --data, "
                    + "--pairs, --skip, --seed, --mode, --polarity, --background and --threads")
            }
        } else if data.data == nil && subject == nil {
            throw ValidationError("the built-in model was trained on all of MNIST's training digits, of which the bundled sample is a "
                + "part, and to pairs that a model has seen its temperatures must not be fitted: give other digits by --data, or --from")
        } else if data.data == nil && skip == nil {
            throw ValidationError("the first pairs of the bundled sample are what 'diptych train' trains on, and to pairs that a model "
                + "has seen its temperatures must not be fitted: pass over them by --skip, or give other digits by --data, or --from")
        }
    }

    func run() throws {
        try checkWritable(out)
        let model = try ModelFlags.load(subject)
        var fit: Fit?
        if let from {
            let temperatures = try Model.load(path: from).temperatures
            if temperatures == Temperatures() { warn("\(from): is not calibrated, both its temperatures are 1") }
            try model.setTemperatures(temperatures)
        } else {
            fit = try fitted(model)
        }
        try model.save(path: out, precision: half ? .half : .single)
        output.json ? printJSON(model, fit) : printResult(model, fit)
    }

    private struct Fit {
        let source: DataSource
        let before: Evaluation
        let after: Evaluation
    }

    private func fitted(_ model: Model) throws(DiptychError) -> Fit {
        let source = try data.source(), skip = skip ?? 0
        let digits = try source.open(.train, images: image.options(for: model.description))
        guard skip < digits.count / 2 else {
            throw DiptychError(.invalidArgument, "--skip \(skip) leaves none of the \(digits.count / 2) \(plural("pair", digits.count / 2)) that \(digits.count) \(plural("image", digits.count)) make")
        }
        let left = digits.count / 2 - skip
        if let pairs, pairs > left {
            throw DiptychError(.invalidArgument, "--pairs \(pairs): after --skip \(skip) the \(digits.count) images make only \(left) \(plural("pair", left))")
        }
        let drawn = try digits.drawPairs(skip + (pairs ?? min(1000, left)), for: model.description, seed: seed ?? 0, option: "--pairs")
        let held = try drawn.part(skip ..< drawn.count)
        let before = try model.evaluate(held, threads: threads.threads)
        try model.calibrate(held, threads: threads.threads)
        return Fit(source: source, before: before, after: try model.evaluate(held, threads: threads.threads))
    }

    private func printResult(_ model: Model, _ fit: Fit?) {
        say("temperature  \(temperatureText(model.temperatures))")
        if let fit {
            say("head         cross entropy \(fixed(fit.before.bce, 4)) before, \(fixed(fit.after.bce, 4)) after, on the "
                + "\(grouped(fit.after.count)) \(plural("pair", fit.after.count)) of \(fit.source.name) that it was fitted to")
            say("classes      cross entropy \(fixed(fit.before.auxiliary, 4)) before, \(fixed(fit.after.auxiliary, 4)) after")
        }
        say("saved        \(out)")
    }

    private func printJSON(_ model: Model, _ fit: Fit?) {
        sayJSON { json in
            json.member("model", subject ?? "built-in")
            json.member("head_temperature", model.temperatures.head)
            json.member("class_temperature", model.temperatures.classes)
            if let from { json.member("from", from) }
            if let fit {
                json.member("data", fit.source.name)
                json.member("pairs", fit.after.count)
                json.member("skip", skip ?? 0)
                json.member("seed", seed ?? 0)
                for (name, evaluation) in [("before", fit.before), ("after", fit.after)] {
                    json.object(name) { json in
                        json.member("bce", evaluation.bce)
                        json.member("auxiliary", evaluation.auxiliary)
                        json.member("ece", evaluation.head.expectedCalibrationError)
                        json.member("marginal_ece", evaluation.marginal.expectedCalibrationError)
                    }
                }
            }
            json.member("out", out)
        }
    }
}

/// "1.234 for the head, 2.345 for the classes"
func temperatureText(_ temperatures: Temperatures) -> String {
    "\(fixed(Double(temperatures.head), 3)) for the head, \(fixed(Double(temperatures.classes), 3)) for the classes"
}
