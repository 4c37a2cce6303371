/// Counts of values between -256 and 256 in steps of 1/16, cut toward zero, for quantiles in linear time. Values beyond are
/// counted as 255.94; a quantile is its step's edge nearest to zero, so that of mostly zeros is exactly 0. It has room for
/// 2^31 values, many times what a working image has.
struct Histogram {
    private static let stepsPerShade: Float = 16
    private static let highest = 256 * 16 - 1
    /// Zero's count is in the middle.
    private let counts: Buffer<Int32>
    private(set) var total = 0

    init() throws(DiptychError) { counts = try Buffer(count: 2 * Histogram.highest + 1, for: "a histogram") }

    mutating func add(_ value: Float) {
        withUnsafePointer(to: value) { add($0, count: 1) }
    }

    mutating func add(_ values: UnsafePointer<Float>, count: Int) {
        let zero = counts.pointer + Histogram.highest, limit = Float(Histogram.highest)
        for i in 0 ..< count {
            zero[Int(Int32(min(max(values[i] * Histogram.stepsPerShade, -limit), limit)))] &+= 1
        }
        total += count
    }

    mutating func add(_ image: GreyImage<Float>) { add(image.pixels.pointer, count: image.pixels.count) }

    private func count(_ step: Int) -> Int { Int(counts[Histogram.highest + step]) }

    /// Values below 0 are taken as 0.
    private var zeros: Int { (-Histogram.highest ... 0).reduce(0) { $0 + count($1) } }

    /// Of `fraction` of all, in order, the last.
    private func rank(_ fraction: Double) -> Int { Int(Double(total - 1) * fraction) }

    /// The value that a `fraction` of all lie at or below, those below 0 taken as 0; 0 where there are none.
    func quantile(_ fraction: Double) -> Float {
        let rank = rank(fraction)
        var below = zeros, step = 0
        while below <= rank && step < Histogram.highest {
            step += 1
            below += count(step)
        }
        return Float(step) / Histogram.stepsPerShade
    }

    var median: Float { quantile(0.5) }

    /// The median of the values without their signs.
    var medianMagnitude: Float {
        let rank = rank(0.5)
        var below = count(0), step = 0
        while below <= rank && step < Histogram.highest {
            step += 1
            below += count(step) + count(-step)
        }
        return Float(step) / Histogram.stepsPerShade
    }

    /// Whether more than half lie within half a shade of `shade`, 0 ... 255.
    func isMostly(_ shade: Float) -> Bool {
        let middle = Int(shade * Histogram.stepsPerShade), reach = Int(0.5 * Histogram.stepsPerShade)
        var within = 0
        for step in max(middle - reach, -Histogram.highest) ... min(middle + reach, Histogram.highest) { within += count(step) }
        return within > rank(0.5)
    }

    /// The threshold that parts the values, those below 0 taken as 0, into two classes with the largest variance between them
    /// (Otsu, 1979), and the mean of the upper class. Both 0 where all values are alike.
    func otsu() -> (threshold: Float, upperMean: Float) {
        var sum = 0.0
        for step in 1 ... Histogram.highest { sum += Double(step) * Double(count(step)) }
        var lower = 0.0, lowerSum = 0.0, best = 0.0, threshold = 0, upperMean = 0.0
        for step in 0 ... Histogram.highest {
            let here = step == 0 ? zeros : count(step)
            if here == 0 { continue }
            lower += Double(here)
            lowerSum += Double(step) * Double(here)
            let upper = Double(total) - lower
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
