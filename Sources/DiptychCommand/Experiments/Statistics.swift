import CDiptychPlatform

/// Mean, standard deviation (n - 1) and Student's interval of a few numbers. What too few numbers leave open is NaN.
struct Statistics {
    let count: Int
    let mean: Double
    let deviation: Double

    init(count: Int, mean: Double, deviation: Double) {
        self.count = count
        self.mean = mean
        self.deviation = deviation
    }

    init(_ values: [Double]) {
        count = values.count
        let mean = values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
        self.mean = mean
        deviation = values.count < 2 ? .nan
            : (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
    }

    /// Half the interval's width.
    private var margin: Double {
        count < 2 ? .nan : StudentT(degrees: count - 1).quantile(0.95) * deviation / Double(count).squareRoot()
    }

    /// The 95 % confidence interval of the mean.
    var interval: (low: Double, high: Double) { (mean - margin, mean + margin) }

    /// The 95 % confidence interval of this mean less another's, from two samples with one variance (Student's t-test).
    func intervalOfDifference(to other: Statistics) -> (low: Double, high: Double) {
        guard count > 1, other.count > 1 else { return (.nan, .nan) }
        let degrees = count + other.count - 2
        let variance = (Double(count - 1) * deviation * deviation + Double(other.count - 1) * other.deviation * other.deviation) / Double(degrees)
        let margin = StudentT(degrees: degrees).quantile(0.95) * (variance * (1 / Double(count) + 1 / Double(other.count))).squareRoot()
        return (mean - other.mean - margin, mean - other.mean + margin)
    }

    /// p of the hypothesis that the mean is 0 (two-sided t-test); of differences between pairs, the paired t-test.
    var pValue: Double {
        guard count > 1, !deviation.isNaN else { return .nan }
        guard deviation > 0 else { return mean == 0 ? 1 : 0 }
        return 1 - StudentT(degrees: count - 1).within(abs(mean) / (deviation / Double(count).squareRoot()))
    }
}

/// Student's t distribution with a whole number of degrees of freedom.
struct StudentT {
    let degrees: Int

    /// P(|T| <= t): the finite series of Abramowitz and Stegun, 26.7.3 and 26.7.4.
    func within(_ t: Double) -> Double {
        let n = Double(degrees)
        let angle = atan(t / n.squareRoot()), sine = sin(angle), square = cos(angle) * cos(angle)
        let odd = degrees % 2 == 1
        // 1 + (1/2) c^2 + (1 3)/(2 4) c^4 + ..., or for odd degrees c (1 + (2/3) c^2 + (2 4)/(3 5) c^4 + ...).
        var term = odd ? cos(angle) : 1, sum = degrees == 1 ? 0 : term
        for k in stride(from: odd ? 3 : 2, to: degrees - 1, by: 2) {
            term *= square * Double(k - 1) / Double(k)
            sum += term
        }
        return odd ? 2 / Double.pi * (angle + sine * sum) : sine * sum
    }

    /// The t with P(|T| <= t) = `share`, below 1: by bisection.
    func quantile(_ share: Double) -> Double {
        var low = 0.0, high = 1.0
        while within(high) < share { high *= 2 }
        for _ in 0 ..< 100 {
            let middle = (low + high) / 2
            if within(middle) < share { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}
