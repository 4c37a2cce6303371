import ArgumentParser
import Diptych

struct ModelFlags: ParsableArguments {
    @Option(name: .shortAndLong, help: ArgumentHelp("A model file (safetensors).", discussion: "Default: the built-in model.", valueName: "file"),
            completion: .file(extensions: ["safetensors"]))
    var model: String?

    func load() throws(DiptychError) -> Model { try Self.load(model) }

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
