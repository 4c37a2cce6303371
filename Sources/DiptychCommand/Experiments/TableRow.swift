import ArgumentParser
import Diptych

/// A row of table 1, which is also a line of the learning curves.
struct TableRow {
    let name: String
    let architecture: NetworkDescription.Architecture
    let auxiliary: Bool

    /// In the report's order.
    static let all = NetworkDescription.Architecture.allCases.flatMap { architecture in
        [TableRow(name: "\(architecture.name)", architecture: architecture, auxiliary: true),
         TableRow(name: "\(architecture.name)-no-aux", architecture: architecture, auxiliary: false)]
    }

    var report: ReportRow? { .of(architecture, auxiliary: auxiliary) }

    /// `recipe` with or without its auxiliary loss.
    func setting(_ recipe: TrainerOptions, classes: Int) -> Setting {
        var setting = Setting(name: name, description: NetworkDescription(architecture), options: recipe)
        setting.description.classes = classes
        if !auxiliary { setting.options.lossRatio = 0 }
        return setting
    }

    /// What is said of a row in the results.
    func write(to json: inout JSONWriter, lossRatio: Float) {
        json.member("name", name)
        json.member("architecture", "\(architecture.name)")
        json.member("auxiliary", auxiliary)
        json.member("loss_ratio", auxiliary ? lossRatio : 0)
        json.member("parameters", NetworkDescription(architecture).parameterCount)
    }
}

/// Which rows are wanted.
struct RowFlags: ParsableArguments {
    @Option(help: ArgumentHelp("Only these rows: siamese, rws and mlp, each also with -no-aux.", valueName: "a,b,..."))
    var rows: List<String>?

    func validate() throws {
        for name in rows?.elements ?? [] where !TableRow.all.contains(where: { $0.name == name }) {
            throw ValidationError("--rows: there is no row '\(name)', only " + TableRow.all.map(\.name).joined(separator: ", "))
        }
    }

    var chosen: [TableRow] {
        guard let rows else { return TableRow.all }
        return TableRow.all.filter { rows.elements.contains($0.name) }
    }
}
