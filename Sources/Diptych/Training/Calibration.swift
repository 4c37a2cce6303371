import CDiptychPlatform

// Temperature scaling: one number divides the logits so that the probabilities fit what happens. It is fitted on pairs that
// the model was not trained on, by maximum likelihood.

extension Model {
    /// Fits both temperatures to `pairs` and sets them: the head's to the targets, the classes' to the digits (without
    /// digits it stays). The fit begins from the bare logits, whatever temperatures were set before. Throws `mismatch`
    /// where sizes or classes do not fit, `invalidArgument` where the network's answer to a pair is not finite.
    @discardableResult
    public func calibrate(_ pairs: Pairs, threads: Int) throws(DiptychError) -> Temperatures {
        try checkFit(self, pairs)
        try checkDigits(pairs)
        let classes = description.classes, count = pairs.count
        let head = try Buffer<Float>(count: count, for: "a calibration")
        let logits = try Buffer<Float>(count: product(count, 2, classes, of: "a calibration"), for: "a calibration")
        try bareLogits(of: pairs, threads: threads, head: head.pointer, classes: logits.pointer)
        for pair in 0 ..< count {
            try Self.check(head.pointer + pair, 1, pair)
            try Self.check(logits.pointer + 2 * pair * classes, 2 * classes, pair)
        }

        var fitted = temperatures
        fitted.head = temperature { beta in
            var slope = 0.0
            for pair in 0 ..< count { slope += binarySlope(Double(head[pair]), target: Double(pairs.targets[pair]), beta) }
            return slope
        }
        if let digits = pairs.digits {
            fitted.classes = temperature { beta in
                var slope = 0.0
                for image in 0 ..< 2 * count {
                    slope += classSlope(logits.pointer + image * classes, classes, label: Int(digits[image]), beta)
                }
                return slope
            }
        }
        try setTemperatures(fitted)
        return fitted
    }

    private static func check(_ values: UnsafePointer<Float>, _ count: Int, _ pair: Int) throws(DiptychError) {
        if let index = indexOfNotFinite(values, count) {
            throw DiptychError(.invalidArgument, "the network's answer to pair \(pair) is \(values[index].isNaN ? "not a number" : text(values[index])), but must be finite to calibrate on")
        }
    }
}

/// The temperature at which a negative log likelihood is smallest, from the likelihood's `slope` in beta = 1 / temperature.
/// It is convex in beta, so that its slope rises and has one zero at most, which bisection finds.
private func temperature(_ slope: (Double) -> Double) -> Float {
    var low = 1 / Double(Temperatures.largest), high = 1 / Double(Temperatures.smallest)
    // Still falling at the smallest temperature, as where every answer is right: the data name no temperature.
    guard slope(high) > 0 else { return 1 }
    guard slope(low) < 0 else { return Temperatures.largest }
    // From a ratio of 400 to one of 1 + 2e-11, beyond what Float tells apart.
    for _ in 0 ..< 38 {
        let middle = (low * high).squareRoot()
        if slope(middle) > 0 { high = middle } else { low = middle }
    }
    return min(max(Float(1 / (low * high).squareRoot()), Temperatures.smallest), Temperatures.largest)
}

/// d/dbeta of -log P(target) with P(1) = sigmoid(beta * z).
private func binarySlope(_ z: Double, target: Double, _ beta: Double) -> Double { z * (1 / (1 + exp(-beta * z)) - target) }

/// d/dbeta of -log P(label) with P = softmax(beta * logits): the logits' mean under P, minus the label's.
private func classSlope(_ logits: UnsafePointer<Float>, _ classes: Int, label: Int, _ beta: Double) -> Double {
    var greatest = logits[0]
    for i in 1 ..< classes where logits[i] > greatest { greatest = logits[i] }
    var sum = 0.0, weighted = 0.0
    for i in 0 ..< classes {
        let below = Double(logits[i]) - Double(greatest)
        let share = exp(beta * below)
        sum += share
        weighted += share * below
    }
    return weighted / sum - (Double(logits[label]) - Double(greatest))
}
