import ArgumentParser
import Diptych

struct Classify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "classify",
        abstract: "Tells whether the digit in the first PNG image is <= the one in the second.",
        discussion: """
            EXAMPLES
              diptych classify seven.png four.png
              diptych classify --show seven.png four.png     also draw both
              diptych classify --json seven.png four.png
              ls -1 *.png | paste - - | diptych classify --pairs-file -

            A list holds two paths a line, with a tab between them, or with spaces where
            the line has no tab. Empty lines and lines that begin with # are passed over.
            A pair that fails is reported, the others are still answered, and the exit
            status is 1. With --json there is one JSON document for each pair, on a line
            of its own.
            """)

    @Argument(help: ArgumentHelp("The first and the second image.", valueName: "png"), completion: .file(extensions: ["png"]))
    var images: [String] = []

    @Option(help: ArgumentHelp("Classify the pairs of a list; - reads it from stdin.", valueName: "file"), completion: .file())
    var pairsFile: String?

    @OptionGroup var model: ModelFlags
    @OptionGroup var image: ImageFlags

    @Flag(help: "Draw both images as the network sees them (with --json on stderr).")
    var show = false

    @OptionGroup var output: OutputFlags

    func validate() throws {
        if pairsFile == nil && images.count != 2 {
            throw ValidationError("expected two PNG files, or --pairs-file, but got \(images.count == 1 ? "one file" : "\(images.count) files")")
        }
        if pairsFile != nil && !images.isEmpty { throw ValidationError("expected either two PNG files or --pairs-file, but got both") }
    }

    func run() throws {
        let model = try model.load()
        guard let pairsFile else { return try classify(images[0], images[1], model, line: nil) }
        var failed = false
        try forEachPair(in: pairsFile) { line, pair throws(DiptychError) in
            do throws(DiptychError) {
                let (first, second) = try pair()
                try classify(first, second, model, line: line)
            } catch {
                // Without memory the next pair fares no better.
                if error.status == .outOfMemory { throw error }
                complain("\(pairsFile == "-" ? "stdin" : pairsFile):\(line): \(error.message)")
                failed = true
            }
        }
        if failed { throw ExitCode.failure }
    }

    private func classify(_ first: String, _ second: String, _ model: Model, line: Int?) throws(DiptychError) {
        let a = try load(first, model), b = try load(second, model)
        let answer = try model.compare(a, b)
        if show {
            for row in preview(a, b, height: model.description.height, width: model.description.width) {
                output.json ? report(row) : say(row)
            }
        }
        if output.json { return printJSON(answer, first, second, line) }
        say((line == nil ? "" : "\(first) \(second): ") + sentence(answer))
        if answer.agrees == 0 {
            warn("\(first), \(second): head and marginal disagree: these images may be unlike those that the model learned from")
        }
    }

    private func load(_ path: String, _ model: Model) throws(DiptychError) -> Buffer<Float> {
        do throws(DiptychError) {
            return try loadPNG(path: path, options: image.options(for: model.description))
        } catch {
            throw DiptychError(error.status, DiptychError.Message(error.message + hint(error.status)))
        }
    }

    /// What to do about an image that cannot be read.
    private func hint(_ status: DiptychError.Status) -> String {
        switch status {
        case .format: "; convert it to PNG first"
        case .limit: "; scale it down or crop it"
        case .blankImage: "; is there a digit on it? --polarity and --mode plain change how ink is looked for"
        default: ""
        }
    }

    private func sentence(_ p: Prediction) -> String {
        let relation = p.lessOrEqual == 1 ? "<=" : ">"
        return "\(p.firstDigit) \(relation) \(p.secondDigit)   P(first <= second) \(fixed(Double(p.probability), 3)) by the head, "
            + "\(fixed(Double(p.marginal), 3)) by the marginal; digits \(p.firstDigit) (\(percent(Double(p.firstConfidence), 1))), "
            + "\(p.secondDigit) (\(percent(Double(p.secondConfidence), 1)))"
    }

    private func printJSON(_ p: Prediction, _ first: String, _ second: String, _ line: Int?) {
        sayJSON { json in
            if let line { json.member("line", line) }
            json.object("first") { json in
                json.member("file", first)
                json.member("digit", Int(p.firstDigit))
                json.member("confidence", p.firstConfidence)
            }
            json.object("second") { json in
                json.member("file", second)
                json.member("digit", Int(p.secondDigit))
                json.member("confidence", p.secondConfidence)
            }
            json.member("probability", p.probability)
            json.member("marginal", p.marginal)
            json.member("less_or_equal", p.lessOrEqual == 1)
            json.member("agrees", p.agrees == 1)
        }
    }
}
