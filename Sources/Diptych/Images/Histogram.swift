/// Counts of values from 0 up to 256 in steps of 1/16, for quantiles in linear time. Values above are counted as 255.94;
/// a quantile is the lower edge of its step, so that of mostly zeros is exactly 0.
struct Histogram {
    private static let stepsPerShade: Float = 16
    private let counts: Buffer<Int>
    private(set) var total = 0

    init() throws(DiptychError) { counts = try Buffer(count: 256 * 16, for: "a histogram") }

    mutating func add(_ value: Float) {
        let step = min(max(value, 0) * Histogram.stepsPerShade, Float(counts.count - 1))
        counts[Int(step)] += 1
        total += 1
    }

    /// The value that a `fraction` of all lie at or below; 0 where there are none.
    func quantile(_ fraction: Double) -> Float {
        let rank = Int(Double(total - 1) * fraction)
        var below = 0
        for step in 0 ..< counts.count {
            below += counts[step]
            if below > rank { return Float(step) / Histogram.stepsPerShade }
        }
        return 0
    }

    var median: Float { quantile(0.5) }

    /// The threshold that parts the values into two classes with the largest variance between them (Otsu, 1979), and the
    /// mean of the upper class. Both 0 where all values are alike.
    func otsu() -> (threshold: Float, upperMean: Float) {
        var sum = 0.0
        for step in 0 ..< counts.count { sum += Double(step) * Double(counts[step]) }
        var lower = 0.0, lowerSum = 0.0, best = 0.0, threshold = 0, upperMean = 0.0
        for step in 0 ..< counts.count {
            lower += Double(counts[step])
            lowerSum += Double(step) * Double(counts[step])
            let upper = Double(total) - lower
            if lower == 0 { continue }
            if upper == 0 { break }
            let difference = (sum - lowerSum) / upper - lowerSum / lower
            let between = lower * upper * difference * difference
            if between > best {
                best = between
                threshold = step
                upperMean = (sum - lowerSum) / upper
            }
        }
        return (Float(threshold) / Histogram.stepsPerShade, Float(upperMean) / Histogram.stepsPerShade)
    }
}
