import Diptych

/// One thing that an experiment trains in every round: a row of a table, a line of a figure, a point of a grid.
struct Setting {
    /// What the results call it.
    let name: String
    var description: NetworkDescription
    var options: TrainerOptions
}
