import Diptych

/// One thing that an experiment trains in every round: a row of a table, a line of a figure, a point of a grid.
struct Setting {
    /// What the results call it.
    let name: String
    var description: NetworkDescription
    var options: TrainerOptions
    /// Networks that are trained on the same pairs, from weights of their own, and whose probabilities are averaged.
    var members = 1

    /// All that decides what is trained: two trials of one name, round and data have one result only where this is the same.
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("name", name)
            json.member("networks", members)
            json.object("network") { json in json.members(of: description) }
            json.object("trainer") { json in json.members(of: options) }
        }
    }

    var parameterCount: Int { members * description.parameterCount }

    /// Multiply-adds of a training, up to a factor: what decides the order, and the first guess of how long it takes.
    var cost: Double { Double(description.multiplyAdds) * Double(options.epochs) * Double(members) }
}
