import Diptych

/// What the report's table 1 says of a row: means over ten rounds. Errors are shares, 0 to 1.
struct ReportRow {
    let testError: Double
    let testErrorDeviation: Double
    let trainError: Double
    /// On its authors' computer.
    let seconds: Double

    /// nil for the row that the report leaves out: the MLP without auxiliary loss.
    static func of(_ architecture: NetworkDescription.Architecture, auxiliary: Bool) -> ReportRow? {
        switch (architecture, auxiliary) {
        case (.siamese, true): ReportRow(testError: 0.0456, testErrorDeviation: 0.00970, trainError: 0.0040, seconds: 23)
        case (.siamese, false): ReportRow(testError: 0.1264, testErrorDeviation: 0.01776, trainError: 0.0022, seconds: 27)
        case (.rws, true): ReportRow(testError: 0.0704, testErrorDeviation: 0.01028, trainError: 0.0058, seconds: 23)
        case (.rws, false): ReportRow(testError: 0.1607, testErrorDeviation: 0.01303, trainError: 0.0053, seconds: 26)
        case (.mlp, true): ReportRow(testError: 0.0657, testErrorDeviation: 0.01110, trainError: 0.0055, seconds: 70)
        case (.mlp, false): nil
        }
    }
}
