import ArgumentParser
import Diptych

/// A row of table 1, which is also a line of the learning curves; or one of the best recipe.
struct TableRow {
    let name: String
    let architecture: NetworkDescription.Architecture
    let auxiliary: Bool
    /// nil for the call's.
    var recipe: Recipe?
    /// Networks that decide together.
    var members = 1

    /// In the report's order.
    static let report = NetworkDescription.Architecture.allCases.flatMap { architecture in
        [TableRow(name: "\(architecture.name)", architecture: architecture, auxiliary: true),
         TableRow(name: "\(architecture.name)-no-aux", architecture: architecture, auxiliary: false)]
    }

    /// Not in the table unless they are asked for.
    static let best = [
        TableRow(name: "best", architecture: .siamese, auxiliary: true, recipe: .best),
        TableRow(name: "best-ensemble", architecture: .siamese, auxiliary: true, recipe: .best, members: 5),
    ]

    /// What the report says of it.
    var reported: ReportRow? { recipe == nil ? .of(architecture, auxiliary: auxiliary) : nil }

    /// The row's own recipe or the call's, with the call's other options, with or without auxiliary loss.
    func setting(_ flags: RecipeFlags, classes: Int) -> Setting {
        var flags = flags
        if let recipe { flags.recipe = recipe }
        var setting = Setting(name: name, description: flags.description(architecture, classes: classes), options: flags.options,
                              members: members)
        if !auxiliary { setting.options.lossRatio = 0 }
        return setting
    }

    /// What is said of a row in the results.
    func write(to json: inout JSONWriter, _ setting: Setting) {
        json.member("name", name)
        json.member("architecture", "\(architecture.name)")
        json.member("auxiliary", auxiliary)
        json.member("loss_ratio", setting.options.lossRatio)
        json.member("epochs", setting.options.epochs)
        json.member("networks", members)
        json.member("parameters", setting.parameterCount)
    }
}

extension RecipeFlags {
    /// A network as the recipe wants it.
    func description(_ architecture: NetworkDescription.Architecture, classes: Int) -> NetworkDescription {
        var description = NetworkDescription(architecture)
        description.classes = classes
        description.dropout = (recipe ?? .report).dropout
        description.views = (recipe ?? .report).views
        return description
    }
}

/// Which rows are wanted.
struct RowFlags: ParsableArguments {
    @Option(help: ArgumentHelp("Only these rows: siamese, rws and mlp, each also with -no-aux; and in table1 best and best-ensemble.",
                               valueName: "a,b,..."))
    var rows: List<String>?

    private static let all = TableRow.report + TableRow.best

    func validate() throws {
        for name in rows?.elements ?? [] where !Self.all.contains(where: { $0.name == name }) {
            throw ValidationError("--rows: there is no row '\(name)', only " + Self.all.map(\.name).joined(separator: ", "))
        }
    }

    var chosen: [TableRow] {
        guard let rows else { return TableRow.report }
        return Self.all.filter { rows.elements.contains($0.name) }
    }
}
