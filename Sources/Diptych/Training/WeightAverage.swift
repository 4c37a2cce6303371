/// An exponential moving average of the weights over the steps (Polyak and Juditsky, 1992, in the form of deep learning's
/// libraries): what the model holds whenever a host can see it, while training goes on with the weights themselves.
final class WeightAverage: @unchecked Sendable {
    private let decay: Float
    /// How far the average goes towards the weights in this step.
    private var share: Float = 0
    /// During a step the average, between calls the weights as trained: whichever the model does not hold.
    private(set) var other: Buffer<Float>

    init(decay: Float, of model: Model) throws(DiptychError) {
        self.decay = decay
        other = try Buffer(copying: model.parameters.pointer, count: model.parameters.count, for: "the weights' average")
    }

    /// Swaps what the model holds: the average for the weights, or the weights for the average.
    func exchange(with model: Model) { other = model.replaceParameters(with: other) }

    /// For step `step`, 0 for the first. Early on the average is short, so that it forgets the first weights.
    func prepare(step: Int) {
        let t = Float(step)
        share = 1 - min(decay, (1 + t) / (10 + t))
    }

    /// Takes in `count` weights (a multiple of 8) from `offset` on, which have just been updated.
    @inline(__always)
    func add(_ weights: Buffer<Float>, offset: Int, count: Int) {
        let average = other.pointer + offset, weights = weights.pointer + offset
        var i = 0
        while i < count {
            let old = average.vector(i)
            average.store(old + share * (weights.vector(i) - old), i)
            i += 8
        }
    }
}
