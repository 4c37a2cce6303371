import Diptych

/// What the report's table 1 says of a row: means over ten rounds, as shares of 0 to 1.
struct ReportRow {
    let error: Statistics
    let trainError: Double
    /// On its authors' computer.
    let seconds: Double

    /// nil for the row that the report leaves out: the MLP without auxiliary loss.
    static func of(_ architecture: NetworkDescription.Architecture, auxiliary: Bool) -> ReportRow? {
        switch (architecture, auxiliary) {
        case (.siamese, true): ReportRow(error: Statistics(count: 10, mean: 0.0456, deviation: 0.00970), trainError: 0.0040, seconds: 23)
        case (.siamese, false): ReportRow(error: Statistics(count: 10, mean: 0.1264, deviation: 0.01776), trainError: 0.0022, seconds: 27)
        case (.rws, true): ReportRow(error: Statistics(count: 10, mean: 0.0704, deviation: 0.01028), trainError: 0.0058, seconds: 23)
        case (.rws, false): ReportRow(error: Statistics(count: 10, mean: 0.1607, deviation: 0.01303), trainError: 0.0053, seconds: 26)
        case (.mlp, true): ReportRow(error: Statistics(count: 10, mean: 0.0657, deviation: 0.01110), trainError: 0.0055, seconds: 70)
        case (.mlp, false): nil
        }
    }
}
