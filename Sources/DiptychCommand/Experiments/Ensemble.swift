import Diptych

/// The mean of several models' answers on the same pairs, whose digits are known: of the head's probabilities, and of the
/// classes', from which the marginal follows as in one model.
final class Ensemble {
    private let pairs: Pairs
    private let classes: Int
    private var members: Float = 0
    /// Sums over the members: [count], and [count][2][classes].
    private let heads: Buffer<Float>
    private let probabilities: Buffer<Float>
    private let predictions: Buffer<Prediction>
    /// A member's probabilities, and at last their means.
    private let scratch: Buffer<Float>

    init(_ pairs: Pairs, classes: Int) throws(DiptychError) {
        self.pairs = pairs
        self.classes = classes
        heads = try Buffer(count: pairs.count, for: "an ensemble")
        probabilities = try Buffer(count: 2 * pairs.count * classes, for: "an ensemble")
        predictions = try Buffer(count: pairs.count, for: "an ensemble")
        scratch = try Buffer(count: 2 * pairs.count * classes, for: "an ensemble")
    }

    func add(_ model: Model, threads: Int) throws(DiptychError) {
        try model.predict(pairs.images.pointer, count: pairs.count, threads: threads, into: predictions.pointer,
                          classProbabilities: scratch.pointer)
        for i in 0 ..< heads.count { heads[i] += predictions[i].probability }
        for i in 0 ..< probabilities.count { probabilities[i] += scratch[i] }
        members += 1
    }

    /// Shares of pairs wrong by head and by marginal, and of digits.
    var errors: (head: Double, marginal: Double, digits: Double) {
        var head = 0, marginal = 0, digits = 0
        for i in 0 ..< probabilities.count { scratch[i] = probabilities[i] / members }
        for pair in 0 ..< pairs.count {
            let target = pairs.targets[pair] > 0.5
            head += (heads[pair] / members > 0.5) != target ? 1 : 0
            let a = scratch.pointer + 2 * pair * classes, b = a + classes
            marginal += (Prediction.marginal(a, b, classes: classes) > 0.5) != target ? 1 : 0
            guard let labels = pairs.digits else { continue }
            for image in 0 ..< 2 {
                let row = probabilities.pointer + (2 * pair + image) * classes
                let best = (0 ..< classes).reduce(0) { row[$1] > row[$0] ? $1 : $0 }
                digits += best != Int(labels[2 * pair + image]) ? 1 : 0
            }
        }
        let count = Double(pairs.count)
        return (Double(head) / count, Double(marginal) / count, Double(digits) / (2 * count))
    }
}
