import CDiptychPlatform
import Diptych

/// Settings times rounds: what is trained, on what, and what is made of the results.
struct Experiment {
    /// table1, curves, ...
    let name: String
    let settings: [Setting]
    let rounds: Int
    /// Of the first round; each round has the next.
    let seed: UInt64
    let data: TrialData
    /// Whether to measure after each epoch.
    let curve: Bool
    /// What the settings vary, of which the file's options must say nothing.
    let base: TrainerOptions
    /// CPUs to use.
    let threads: Int
    /// Adds to the document what follows from the trials, setting by setting.
    let summarise: ([[Trial]], inout JSONWriter) -> Void

    /// A trial alone on each CPU is the fastest way through many; where trials are fewer, each takes several.
    var workers: Int { max(1, min(threads, settings.count * rounds)) }
    var threadsPerTrial: Int { max(1, threads / workers) }

    /// What decides a trial's result beside its setting and its round: what a file must agree in to be resumed.
    func writeOptions(to json: inout JSONWriter) {
        json.object { json in
            json.member("version", DiptychCommand.configuration.version)
            json.member("seed", seed)
            json.member("pairs", fingerprint.pairs)
            json.member("\(data.measure.name)_pairs", fingerprint.measured)
            json.member("data_fingerprint", fingerprint.hash)
            json.members(of: base)
        }
    }

    /// Of the first round's pairs: how many, and which.
    private let fingerprint: (pairs: Int, measured: Int, hash: String)

    /// Throws where the data do not make the pairs.
    init(_ name: String, settings: [Setting], rounds: Int, flags: ExperimentFlags, data: TrialData, curve: Bool = false,
         base: TrainerOptions, summarise: @escaping ([[Trial]], inout JSONWriter) -> Void) throws(DiptychError) {
        self.name = name
        self.settings = settings
        self.rounds = rounds
        self.data = data
        self.curve = curve
        self.base = base
        self.summarise = summarise
        seed = flags.seed
        threads = flags.threads.threads > 0 ? flags.threads.threads : min(Int(dp_available_cpus()), 256)
        let (train, measured) = try data.draw(for: NetworkDescription(), seed: flags.seed)
        fingerprint = (train.count, measured.count, ExactText.encode(train.fingerprint ^ (measured.fingerprint &* 3)))
    }
}
