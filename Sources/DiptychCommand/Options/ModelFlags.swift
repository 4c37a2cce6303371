import ArgumentParser
import Diptych

struct ModelFlags: ParsableArguments {
    @Option(name: .shortAndLong, help: ArgumentHelp("A model file (safetensors).", discussion: "Default: the built-in model.", valueName: "file"),
            completion: .file(extensions: ["safetensors"]))
    var model: String?

    @Option(help: ArgumentHelp("Predict from so many views of each pair, 1, 5 or 9 (default: as the model says, and the built-in one says 1).", valueName: "n"))
    var views: Int?

    func validate() throws {
        guard let views else { return }
        try validatingOptions { () throws(DiptychError) in try NetworkDescription.validate(views: views) }
    }

    func load() throws(DiptychError) -> Model {
        let model = try Self.load(model)
        if let views { try model.setViews(views) }
        return model
    }

    /// The model in that file, or the built-in one.
    static func load(_ path: String?) throws(DiptychError) -> Model {
        if let path { return try .load(path: path) }
        do throws(DiptychError) {
            return try .builtIn()
        } catch {
            guard error.status == .notFound else { throw error }
            throw DiptychError(.notFound, "\(error.message): give one with --model (diptych train --out FILE makes one)")
        }
    }
}
