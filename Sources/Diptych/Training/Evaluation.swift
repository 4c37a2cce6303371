import CDiptychPlatform

/// How well a model does on pairs, by the probabilities that `predict` answers, temperatures applied. Errors are shares, 0 to
/// 1; what cannot be known without digits is NaN.
public struct Evaluation: Sendable {
    public var count = 0
    /// Pairs that the head decides wrongly.
    public var error = Double.nan
    /// Pairs that the marginal decides wrongly.
    public var marginalError = Double.nan
    /// Images whose digit is wrong.
    public var digitError = Double.nan
    /// Mean binary cross entropy of the head.
    public var bce = Double.nan
    /// Mean sum of both digits' cross entropies.
    public var auxiliary = Double.nan
    /// How the head's and the marginal's probabilities compare with the targets (the marginal's only with digits).
    public var head = Reliability()
    public var marginal = Reliability()
}

extension Model {
    /// Pairs that are predicted at a time: what bounds the memory.
    private static let evaluationBlock = 1024

    /// Measures. `confusion` is nil or has room for [classes][classes] counts, true digit by predicted digit. Throws
    /// `mismatch` where sizes or classes do not fit, or where `confusion` is asked for and the pairs have no digits.
    public func evaluate(_ pairs: Pairs, threads: Int, confusion: UnsafeMutablePointer<UInt64>? = nil) throws(DiptychError) -> Evaluation {
        try checkFit(self, pairs)
        let classes = description.classes, pixels = 2 * pairs.height * pairs.width
        if confusion != nil && pairs.digits == nil {
            throw DiptychError(.mismatch, "a confusion matrix needs digits, but the pairs have none")
        }
        try checkDigits(pairs)
        let block = min(Self.evaluationBlock, pairs.count)
        let predictions = try Buffer<Prediction>(count: block, for: "an evaluation")
        let probabilities = try Buffer<Float>(count: 2 * block * classes, for: "an evaluation")
        // The caller's own only once all is known: a failure leaves it as it was.
        let counts = try Buffer<UInt64>(count: confusion == nil ? 0 : classes * classes, for: "a confusion matrix")

        var wrong = 0, marginalWrong = 0, digitsWrong = 0, bce = 0.0, auxiliary = 0.0
        var head = Reliability(), marginal = Reliability()
        var start = 0
        while start < pairs.count {
            let count = min(block, pairs.count - start)
            try predict(pairs.images.pointer + start * pixels, count: count, threads: threads, into: predictions.pointer,
                        classProbabilities: probabilities.pointer)
            for i in 0 ..< count {
                let prediction = predictions[i], target = pairs.targets[start + i] > 0.5
                // The decision itself: a probability may round to one half.
                let byHead = (prediction.lessOrEqual == 1) == (decision == .head || prediction.agrees == 1)
                wrong += byHead != target ? 1 : 0
                head.add(prediction.probability, happened: target)
                marginalWrong += (prediction.marginal > 0.5) != target ? 1 : 0
                bce += negativeLog(target ? prediction.probability : 1 - prediction.probability)
                guard let digits = pairs.digits else { continue }
                marginal.add(prediction.marginal, happened: target)
                for image in 0 ..< 2 {
                    let digit = Int(digits[2 * (start + i) + image])
                    let predicted = Int(image == 0 ? prediction.firstDigit : prediction.secondDigit)
                    digitsWrong += predicted != digit ? 1 : 0
                    auxiliary += negativeLog(probabilities[(2 * i + image) * classes + digit])
                    if confusion != nil { counts[digit * classes + predicted] += 1 }
                }
            }
            start += count
        }
        confusion?.copy(from: counts.pointer, count: counts.count)
        guard pairs.count > 0 else { return Evaluation() }
        let count = Double(pairs.count)
        var result = Evaluation(count: pairs.count, error: Double(wrong) / count, bce: bce / count)
        result.head = head
        result.marginal = marginal
        if pairs.digits != nil {
            result.marginalError = Double(marginalWrong) / count
            result.digitError = Double(digitsWrong) / (2 * count)
            result.auxiliary = auxiliary / count
        }
        return result
    }
}

/// -log(p), at most 100, as PyTorch's BCELoss clamps.
private func negativeLog(_ p: Float) -> Double { p > 0 ? min(-log(Double(p)), 100) : 100 }
