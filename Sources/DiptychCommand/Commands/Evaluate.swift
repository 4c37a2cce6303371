import ArgumentParser
import CDiptychPlatform
import Diptych

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measures a model: errors on pairs by head and by marginal, and on digits.",
        discussion: """
            EXAMPLES
              diptych evaluate       the built-in model on the bundled test digits
              diptych evaluate --model my.safetensors --data mnist --pairs 5000

            Pairs are drawn from the test split; the training error is of as many pairs
            from the training split, where the data have one.
            """)

    @OptionGroup var model: ModelFlags
    @OptionGroup var data: DataFlags

    @Option(help: ArgumentHelp("Pairs to draw (default: 1000, or as many as the data make).", valueName: "n"))
    var pairs: Int?

    @Option(help: ArgumentHelp("Seed of the draw.", valueName: "n"))
    var seed: UInt64 = 0

    @Option(help: ArgumentHelp("Show also the n pairs that the model decides wrongly with the greatest confidence; in JSON with pixels.",
                               valueName: "n"))
    var hardest = 0

    @OptionGroup var image: ImageFlags
    @OptionGroup var threads: ThreadFlags
    @OptionGroup var output: OutputFlags

    func validate() throws {
        if let pairs, pairs < 1 { throw ValidationError("--pairs is \(pairs), but must be at least 1") }
        if hardest < 0 { throw ValidationError("--hardest is \(hardest), but must be at least 0") }
    }

    func run() throws {
        let model = try model.load(), source = try data.source()
        let options = image.options(for: model.description)
        let test = try source.open(.test, images: options)
            .drawPairs(pairs, for: model.description, seed: seed, option: "--pairs")
        let classes = model.description.classes
        let confusion = try Buffer<UInt64>(count: classes * classes, for: "a confusion matrix")
        let start = dp_seconds()
        let result = try model.evaluate(test, threads: threads.threads, confusion: confusion.pointer)
        let seconds = dp_seconds() - start

        var trainError = Double.nan
        if source.hasTrainingSplit {
            let digits = try source.open(.train, images: options)
            let train = try digits.drawPairs(min(test.count, digits.count / 2), for: model.description, seed: seed, option: "--pairs")
            trainError = try model.evaluate(train, threads: threads.threads).error
        }

        let hardest = try hardest == 0 ? [] : model.hardestPairs(of: test, count: hardest, threads: threads.threads)
        if output.json {
            sayJSON { json in
                json.member("model", self.model.model ?? "built-in")
                json.member("architecture", "\(model.description.architecture.name)")
                json.member("parameters", model.parameterCount)
                json.member("data", source.name)
                json.member("pairs", result.count)
                json.member("seed", self.seed)
                json.member("test_error", result.error)
                json.member("marginal_test_error", result.marginalError)
                json.member("digit_error", result.digitError)
                json.member("train_error", trainError)
                json.member("bce", result.bce)
                json.member("auxiliary", result.auxiliary)
                json.member("ece", result.head.expectedCalibrationError)
                json.member("marginal_ece", result.marginal.expectedCalibrationError)
                json.object("reliability") { json in
                    json.member("head", result.head)
                    json.member("marginal", result.marginal)
                }
                json.member("seconds", seconds)
                json.key("confusion")
                json.array { json in
                    for i in 0 ..< classes { json.value((0 ..< classes).map { Int(confusion[i * classes + $0]) }) }
                }
                if self.hardest > 0 { json.array("hardest") { json in hardest.forEach { $0.write(to: &json) } } }
            }
            return
        }
        say("\(self.model.model ?? "the built-in model"): \(model.description.architecture.name), \(grouped(model.parameterCount)) parameters, "
            + "on \(grouped(result.count)) \(source.hasTestSplit ? "test " : "")\(plural("pair", result.count)) of \(source.name)"
            + (source.hasTestSplit ? "" : ", which has no test split: what the model was trained on counts, too"))
        say("test error   \(percent(result.error)) by the head, \(percent(result.marginalError)) by the marginal")
        if !trainError.isNaN { say("train error  \(percent(trainError)) by the head") }
        say("digit error  \(percent(result.digitError))")
        say("calibration  expected error \(percent(result.head.expectedCalibrationError)) of the head's probability, "
            + "\(percent(result.marginal.expectedCalibrationError)) of the marginal")
        say("time         \(fixed(seconds, 3)) s")
        if classes <= 20 { printConfusion(confusion, classes) }
        if self.hardest > 0 { printHardest(hardest) }
    }

    private func printConfusion(_ counts: Buffer<UInt64>, _ classes: Int) {
        say()
        let columns = (0 ..< classes).map { right("\($0)", 5) }.joined()
        say("true digit" + columns + "   <- as predicted")
        for i in 0 ..< classes {
            let row = (0 ..< classes).map { j in right(counts[i * classes + j] == 0 ? "." : "\(counts[i * classes + j])", 5) }.joined()
            say(right("\(i)", 10) + row)
        }
    }
    private func printHardest(_ pairs: [HardPair]) {
        say()
        say("hardest pairs: digits by the model, P(first <= second) by head and marginal, and what they are")
        for pair in pairs {
            let p = pair.prediction
            say(right("\(pair.index)", 8) + "  \(p.firstDigit) (\(percent(Double(p.firstConfidence), 1))), \(p.secondDigit) "
                + "(\(percent(Double(p.secondConfidence), 1)));  \(fixed(Double(p.probability), 3)), \(fixed(Double(p.marginal), 3));  "
                + "\(pair.first) \(pair.target ? "<=" : ">") \(pair.second)")
        }
    }
}

extension JSONWriter {
    /// A reliability diagram: an array of its bins.
    fileprivate mutating func member(_ name: String, _ reliability: Reliability) {
        array(name) { json in
            for bin in reliability.bins {
                json.object { json in
                    json.member("count", bin.count)
                    json.member("mean_probability", bin.meanProbability)
                    json.member("frequency", bin.frequency)
                }
            }
        }
    }
}
