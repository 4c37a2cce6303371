/// How probabilities compare with what happened, in 15 bins of equal width: the reliability diagram, and its summary.
public struct Reliability: Sendable {
    public static let binCount = 15

    /// The pairs whose probability lies in one bin.
    public struct Bin: Sendable {
        public internal(set) var count = 0
        var probabilities = 0.0
        var happened = 0
        /// Mean of the predicted probabilities; NaN where there are none.
        public var meanProbability: Double { count > 0 ? probabilities / Double(count) : .nan }
        /// Share of the pairs whose target is 1; NaN where there are none.
        public var frequency: Double { count > 0 ? Double(happened) / Double(count) : .nan }
    }

    /// Bin i holds probabilities from i/15 to (i+1)/15, the last one 1 as well.
    public private(set) var bins = [Bin](repeating: Bin(), count: binCount)

    mutating func add(_ probability: Float, happened: Bool) {
        // A probability that is NaN, from weights out of all bounds, is in no bin.
        guard probability >= 0 && probability <= 1 else { return }
        let bin = min(Int(Double(probability) * Double(Self.binCount)), Self.binCount - 1)
        bins[bin].count += 1
        bins[bin].probabilities += Double(probability)
        bins[bin].happened += happened ? 1 : 0
    }

    /// The mean distance between frequency and probability, over the bins by their counts (Naeini, Cooper and Hauskrecht,
    /// 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning"); NaN without pairs.
    public var expectedCalibrationError: Double {
        var sum = 0.0, count = 0
        for bin in bins where bin.count > 0 {
            sum += abs(Double(bin.happened) - bin.probabilities)
            count += bin.count
        }
        return count > 0 ? sum / Double(count) : .nan
    }
}
