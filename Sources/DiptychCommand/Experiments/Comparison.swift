import Diptych

/// The difference of two settings' errors over the rounds that both have: a paired test, as both saw the same pairs.
struct Comparison {
    let first: String
    let second: String
    /// Whose errors are compared.
    let decision: Model.Decision
    /// Of first - second, round by round.
    let difference: Statistics

    /// nil unless both have a round in common.
    init?(_ first: [Trial], _ second: [Trial], by decision: Model.Decision = .head) {
        guard let a = first.first, let b = second.first else { return nil }
        self.first = a.setting
        self.second = b.setting
        self.decision = decision
        func error(_ trial: Trial) -> Double { decision == .head ? trial.error : trial.marginalError }
        let differences = first.compactMap { one in
            second.first { $0.round == one.round }.map { error(one) - error($0) }
        }.filter { !$0.isNaN }
        guard !differences.isEmpty else { return nil }
        difference = Statistics(differences)
    }

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("first", first)
            json.member("second", second)
            json.member("decision", "\(decision.name)")
            json.member("rounds", difference.count)
            json.member("difference", difference.mean)
            json.member("interval", [difference.interval.low, difference.interval.high])
            json.member("p", difference.pValue)
        }
    }
}
