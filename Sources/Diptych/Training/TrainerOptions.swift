/// How to train. The defaults are the report's recipe.
public struct TrainerOptions: Equatable, Sendable {
    public enum Optimizer: Int32, Sendable {
        case adam = 0
        case sgd = 1
    }

    public enum Schedule: Int32, Sendable {
        case constant = 0
        case cosine = 1
        case oneCycle = 2
    }

    public var epochs = 25
    /// Pairs a step; the last batch of an epoch may be smaller.
    public var batchSize = 100
    public var optimizer = Optimizer.adam
    public var schedule = Schedule.constant
    /// New batches every epoch, or the same ones in the pairs' order.
    public var shuffle = false
    /// New pairs every epoch, of all training images: each is in one of them. Their targets are first digit <= second.
    public var redraw = false
    /// 0 stands for the CPUs that the process may use.
    public var threads = 0
    public var learningRate: Float = 0.005
    /// SGD's.
    public var momentum: Float = 0.9
    /// Adam's.
    public var beta1: Float = 0.9
    public var beta2: Float = 0.999
    public var epsilon: Float = 1e-8
    public var weightDecay: Float = 0
    /// r in loss = BCE(p, target) + r * (CE(first, digit) + CE(second, digit)).
    public var lossRatio: Float = 0.7
    /// What happens to the images.
    public var augmentation = Augmentation()
    /// s: a class's target is 1 - s and s / classes for all; the head's 1 - s / 2 or s / 2 (Szegedy et al., 2016).
    public var labelSmoothing: Float = 0
    /// Decay a step of the weights' exponential moving average, which is then what the model holds; 0 is no average.
    public var emaDecay: Float = 0
    /// Of dropout, shuffling and augmentation.
    public var seed: UInt64 = 0

    public init() {}

    /// Throws `invalidArgument` naming the first value out of its range.
    public func validate() throws(DiptychError) {
        try require(epochs, in: 1 ... 1_000_000, "epochs")
        try require(batchSize, in: 1 ... 65536, "batch_size")
        try require(threads, in: 0 ... WorkerPool.largestCount, "threads")
        guard learningRate > 0 && learningRate <= 100 else {
            throw DiptychError(.invalidArgument, "learning_rate is \(text(learningRate)), but must be above 0 and at most 100")
        }
        try requireBelowOne(momentum, "momentum")
        try requireBelowOne(beta1, "beta1")
        try requireBelowOne(beta2, "beta2")
        guard epsilon > 0 && epsilon <= 1 else {
            throw DiptychError(.invalidArgument, "epsilon is \(text(epsilon)), but must be above 0 and at most 1")
        }
        try require(weightDecay, from: 0, to: 10, "weight_decay")
        try require(lossRatio, from: 0, to: 1000, "loss_ratio")
        try augmentation.validate()
        try requireBelowOne(labelSmoothing, "label_smoothing")
        try requireBelowOne(emaDecay, "ema_decay")
    }
}

private func requireBelowOne(_ value: Float, _ name: String) throws(DiptychError) {
    guard value >= 0 && value < 1 else {
        throw DiptychError(.invalidArgument, "\(name) is \(text(value)), but must be from 0 to below 1")
    }
}
