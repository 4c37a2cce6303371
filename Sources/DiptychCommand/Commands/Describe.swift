import ArgumentParser
import Diptych

struct Describe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "Prints the layers of a model or of a network: shapes, parameters, multiply-adds.",
        discussion: """
            EXAMPLES
              diptych describe                     the built-in model
              diptych describe siamese             a network (or rws, mlp)
              diptych describe my.safetensors      a model file or a checkpoint
            """)

    @Argument(help: ArgumentHelp("A model file, siamese, rws or mlp (default: the built-in model).", valueName: "model"),
              completion: .file(extensions: ["safetensors"]))
    var subject: String?

    @OptionGroup var output: OutputFlags

    func run() throws {
        if let subject, let architecture = NetworkDescription.Architecture(argument: subject) {
            return describe(NetworkDescription(architecture))
        }
        do throws(DiptychError) {
            if let subject { try describe(Model.load(path: subject)) } else { try describe(Model.builtIn()) }
        } catch {
            switch (error.status, subject) {
            case (.notFound, nil): describe(NetworkDescription(.siamese))
            case (.notFound, .some): throw DiptychError(.notFound, "\(error.message); give a model file, siamese, rws or mlp")
            default: throw error
            }
        }
    }

    private func describe(_ model: Model) {
        if output.json { return say(model.descriptionJSON) }
        printTable(model.description)
        say()
        if model.description.views > 1 { say("predicts from the mean of \(model.description.views) views") }
        say("decides by the \(model.decision.name); pixels: mean \(fixed(Double(model.mean), 3)), standard deviation "
            + fixed(Double(model.standardDeviation), 3))
        if model.temperatures != Temperatures() { say("temperature \(temperatureText(model.temperatures))") }
    }

    private func describe(_ description: NetworkDescription) {
        output.json ? say(description.json) : printTable(description)
    }

    private func printTable(_ d: NetworkDescription) {
        say("\(d.architecture.name): pairs of \(d.height)x\(d.width) images, \(d.classes) classes, \(grouped(d.parameterCount)) parameters, "
            + "\(grouped(d.multiplyAdds)) multiply-adds a pair, dropout \(text(d.dropout))")
        say()
        let kinds = max(4, d.table.map(\.kind.count).max() ?? 0)
        say("layer  " + left("kind", kinds) + "  input     output    " + right("parameters", 12) + right("multiply-adds", 15))
        for (index, row) in d.table.enumerated() {
            // The branch is passed by each image, the head by each pair.
            if index == d.branch.count { say(String(repeating: "-", count: kinds + 54)) }
            say(left(row.name, 5) + "  " + left(row.kind, kinds) + "  " + left(shape(row.input), 8) + "  " + left(shape(row.output), 8)
                + "  " + right(grouped(row.parameters), 12) + right(grouped(row.multiplyAdds), 15))
        }
    }

    private func shape(_ extents: [Int]) -> String { extents.map { "\($0)" }.joined(separator: "x") }
}
