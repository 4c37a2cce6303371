import Diptych

/// Where an experiment's pairs come from, and what its models are measured on.
struct TrialData {
    enum Measure {
        /// Pairs of the test split.
        case test(Dataset, pairs: Int?)
        /// So many of the training pairs, which are not trained on.
        case validation(pairs: Int)

        var name: String {
            switch self {
            case .test: "test"
            case .validation: "validation"
            }
        }
    }

    let name: String
    let digits: Dataset
    let pairs: Int?
    let measure: Measure

    /// One more than the largest label, at least 10.
    var classes: Int { max(10, digits.classes) }

    /// The pairs of a round. Every setting of the round gets the same, so that settings can be compared pair by pair.
    func draw(for description: NetworkDescription, seed: UInt64) throws(DiptychError) -> (train: Pairs, measured: Pairs) {
        let train = try digits.drawPairs(pairs, for: description, seed: seed, option: "--pairs")
        switch measure {
        case .test(let digits, let pairs):
            return (train, try digits.drawPairs(pairs, for: description, seed: seed, option: "--test-pairs"))
        case .validation(let count):
            guard count < train.count else {
                throw DiptychError(.invalidArgument, "--validation \(count): of \(train.count) training \(plural("pair", train.count)) some must be left to train on")
            }
            return (try train.part(0 ..< train.count - count), try train.part(train.count - count ..< train.count))
        }
    }
}
