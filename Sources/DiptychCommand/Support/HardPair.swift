import Diptych

/// A pair that a model decides wrongly.
struct HardPair {
    /// Among the pairs that were drawn.
    let index: Int
    let first: Int
    let second: Int
    /// Whether first <= second.
    let target: Bool
    let prediction: Prediction
    /// The probability of the wrong answer, by what the model decides by.
    let confidence: Float
    /// Of both images, row by row, 0 to 255.
    let pixels: [[Int]]

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("index", index)
            json.member("less_or_equal", target)
            json.member("probability", prediction.probability)
            json.member("marginal", prediction.marginal)
            json.member("confidence", confidence)
            for (name, digit, predicted, digitConfidence, pixels) in [
                ("first", first, prediction.firstDigit, prediction.firstConfidence, pixels[0]),
                ("second", second, prediction.secondDigit, prediction.secondConfidence, pixels[1]),
            ] {
                json.object(name) { json in
                    json.member("digit", digit)
                    json.member("predicted", Int(predicted))
                    json.member("confidence", digitConfidence)
                    json.member("pixels", pixels)
                }
            }
        }
    }
}

extension Model {
    /// The wrongly decided of the pairs, whose digits are known: the most confident first, at most `count`.
    func hardestPairs(of pairs: Pairs, count: Int, threads: Int) throws(DiptychError) -> [HardPair] {
        guard let digits = pairs.digits else { return [] }
        let predictions = try Buffer<Prediction>(count: pairs.count, for: "predictions")
        try predict(pairs.images.pointer, count: pairs.count, threads: threads, into: predictions.pointer)
        var wrong: [(index: Int, confidence: Float)] = []
        for index in 0 ..< pairs.count {
            let p = predictions[index], target = pairs.targets[index] > 0.5
            guard (p.lessOrEqual == 1) != target else { continue }
            let probability = decision == .head ? p.probability : p.marginal
            wrong.append((index, target ? 1 - probability : probability))
        }
        // Ties stay in the order of the draw.
        wrong.sort { ($1.confidence, $0.index) < ($0.confidence, $1.index) }
        let size = pairs.height * pairs.width
        return wrong.prefix(count).map { index, confidence in
            let pixels = (0 ..< 2).map { image in
                (0 ..< size).map { Int(pairs.images[(2 * index + image) * size + $0].rounded()) }
            }
            return HardPair(index: index, first: Int(digits[2 * index]), second: Int(digits[2 * index + 1]),
                            target: pairs.targets[index] > 0.5, prediction: predictions[index], confidence: confidence, pixels: pixels)
        }
    }
}
