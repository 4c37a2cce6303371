import ArgumentParser
import CDiptych
import CDiptychPlatform
import Diptych

/// The command `diptych`. Results go to stdout, progress and errors to stderr; it exits with 0 when all went well, 1 when
/// something failed, 64 for wrong usage, and 128 plus the signal's number when a signal stopped a training.
@main
struct DiptychCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diptych",
        abstract: "Learns to compare two small images, and tells whether the first of two digits is <= the second.",
        discussion: """
            EXAMPLES
              diptych classify seven.png four.png        with the built-in model
              diptych train --out my.safetensors         on the bundled digits
              diptych evaluate --model my.safetensors    measure a model
              diptych experiment table1                  the report's table
              diptych describe siamese                   its layers

            Every command takes --json. Shell completion comes from
              diptych --generate-completion-script bash|zsh|fish
            """,
        version: DIPTYCH_VERSION_STRING,
        // Each has a commandName: ArgumentParser would find out by reflection what they are called, for all of them at every start.
        subcommands: [Classify.self, Train.self, Evaluate.self, Experiments.self, Calibrate.self, Describe.self, Export.self])

    static func main() {
        _ = dp_float_mode_enter()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let error as DiptychError {
            complain(error.message)
            exit(withError: ExitCode.failure)
        } catch {
            let code = exitCode(for: error)
            let message = fullMessage(for: error)
            if code.isSuccess {
                say(message)
            } else if !message.isEmpty {
                complain(message.hasPrefix("Error: ") ? String(message.dropFirst(7)) : message)
            }
            exit(withError: code)
        }
    }
}

/// Runs `body`, whose `DiptychError` is a wrong value of an option: `learning_rate is 200, ...` becomes
/// `--learning-rate is 200, ...`, and the command exits with 64.
func validatingOptions(_ body: () throws(DiptychError) -> Void) throws {
    do throws(DiptychError) {
        try body()
    } catch {
        let name = error.message.prefix { $0 != " " }
        throw ValidationError("--" + String(name.map { $0 == "_" ? "-" : $0 }) + error.message.dropFirst(name.count))
    }
}
