import CDiptychPlatform
import Diptych

/// The JSON document of an experiment: what was asked, every trial, and what follows from them. It is the file of --out,
/// the output of --json, and what --resume reads.
final class ResultsFile {
    let path: String?
    private let experiment: Experiment
    /// All that stands in the file, also of settings and rounds that this call does not ask for.
    private(set) var trials: [Trial] = []
    /// As the file describes the settings of its trials.
    private var described: [String: JSONValue] = [:]
    /// Of the calls before this one.
    private var secondsBefore = 0.0
    private let start = dp_seconds()

    init(path: String?, experiment: Experiment) {
        self.path = path
        self.experiment = experiment
    }

    /// Seconds that the experiment took so far, with those of the calls that it resumes.
    var seconds: Double { secondsBefore + dp_seconds() - start }

    func add(_ trial: Trial) throws(DiptychError) {
        trials.append(trial)
        try store()
    }

    func has(_ setting: String, round: Int) -> Bool { trials.contains { $0.setting == setting && $0.round == round } }

    /// The trials that this call asks for, by setting in its order, each in the order of rounds.
    var asked: [[Trial]] {
        experiment.settings.map { setting in
            trials.filter { $0.setting == setting.name && $0.round < experiment.rounds }.sorted { $0.round < $1.round }
        }
    }

    private var isComplete: Bool { asked.allSatisfy { $0.count == experiment.rounds } }

    func store() throws(DiptychError) {
        guard let path else { return }
        let text = document + "\n"
        try Array(text.utf8).withBytes { (bytes) throws(DiptychError) in try writeFileAtomically(path: path, bytes: bytes) }
    }

    var document: String {
        let asked = asked
        var json = JSONWriter()
        json.object { json in
            json.member("experiment", experiment.name)
            json.key("options")
            experiment.writeOptions(to: &json)
            json.member("data", experiment.data.name)
            json.member("rounds", experiment.rounds)
            json.member("complete", isComplete)
            json.member("trials_at_a_time", experiment.workers)
            json.member("threads_per_trial", experiment.threadsPerTrial)
            json.member("seconds", seconds)
            experiment.summarise(asked, &json)
            let settings = experiment.settings.map(\.name)
            json.array("settings") { json in
                for setting in experiment.settings { setting.write(to: &json) }
                for name in Set(trials.map(\.setting)).subtracting(settings).sorted() {
                    if let setting = described[name] { json.value(setting) }
                }
            }
            json.array("runs") { json in
                let order = trials.map { (trial: $0, place: settings.firstIndex(of: $0.setting) ?? settings.count) }
                // Finished in any order, but written in one.
                for (trial, _) in order.sorted(by: { ($0.place, $0.trial.setting, $0.trial.round) < ($1.place, $1.trial.setting, $1.trial.round) }) {
                    trial.write(to: &json, measure: experiment.data.measure.name)
                }
            }
        }
        return json.text
    }

    /// Takes over the trials of the file, where there is one. Throws `mismatch` where it is of something else.
    func load() throws(DiptychError) {
        guard let path, fileExists(path) else { return }
        let file = try readFile(path: path, limit: 1 << 30)
        let json = try JSONValue(UnsafeRawBufferPointer(file.span), path: path)
        guard let name = json["experiment"]?.text, let options = json["options"], let runs = json["runs"]?.elements else {
            throw DiptychError(.format, "\(path): not the results of an experiment; --out must name another file, or one that an experiment wrote")
        }
        guard name == experiment.name else {
            throw DiptychError(.mismatch, "\(path): holds the results of experiment \(name), not \(experiment.name); --resume goes on with the same experiment")
        }
        var writer = JSONWriter()
        experiment.writeOptions(to: &writer)
        try compare(options, JSONValue(writer.bytes, path: "options"), path)
        for (index, run) in runs.enumerated() {
            guard let trial = Trial(run, measure: experiment.data.measure.name) else {
                throw DiptychError(.format, "\(path): run \(index) is not as an experiment writes it")
            }
            trials.append(trial)
        }
        for setting in json["settings"]?.elements ?? [] {
            if let name = setting["name"]?.text { described[name] = setting }
        }
        try compareSettings(path)
        secondsBefore = json["seconds"]?.double ?? 0
    }

    private func compare(_ theirs: JSONValue, _ ours: JSONValue, _ path: String) throws(DiptychError) {
        guard case .object(let a) = theirs, case .object(let b) = ours else {
            throw DiptychError(.format, "\(path): its options are no object")
        }
        // Other options may mean other pairs: the data are to blame only where nothing else is.
        guard let difference = difference(a, b, last: "data_fingerprint") else { return }
        let what = difference.name == "data_fingerprint" ? "other data than \(experiment.data.name)" : difference.text
        throw DiptychError(.mismatch, "\(path): was made with \(what); --resume needs the same options and data, and only --rounds "
            + "and what is compared may differ")
    }

    /// Throws `mismatch` where the file has trials of a setting that this call asks for, but of another network or recipe.
    private func compareSettings(_ path: String) throws(DiptychError) {
        for setting in experiment.settings where trials.contains(where: { $0.setting == setting.name }) {
            guard let theirs = described[setting.name] else {
                throw DiptychError(.mismatch, "\(path): does not say how its runs of \(setting.name) were trained, as another build of "
                    + "diptych wrote it; --resume cannot go on with it, and --out must name another file")
            }
            var writer = JSONWriter()
            setting.write(to: &writer)
            if let difference = try difference(theirs.leaves, JSONValue(writer.bytes, path: "settings").leaves) {
                throw DiptychError(.mismatch, "\(path): its runs of \(setting.name) were made with \(difference.text); --resume needs the "
                    + "same networks and recipes")
            }
        }
    }

    /// The first member by name that differs, `last` only where no other does.
    private func difference(_ theirs: [String: JSONValue], _ ours: [String: JSONValue], last: String = "") -> (name: String, text: String)? {
        let differing = Set(theirs.keys).union(ours.keys).filter { theirs[$0] != ours[$0] }
        guard let name = differing.subtracting([last]).min() ?? differing.first else { return nil }
        return (name, "\(name) \(theirs[name]?.plain ?? "not given"), but this call has \(ours[name]?.plain ?? "none")")
    }
}
