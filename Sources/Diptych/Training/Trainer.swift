import CDiptychPlatform

/// Where training stands, after a step or an epoch.
public struct Progress: Sendable {
    /// Epochs begun, from 1.
    public var epoch = 0
    public var epochs = 0
    public var finished = false
    /// Steps done, and in all.
    public var step = 0
    public var steps = 0
    /// Means over the step's pairs, or the epoch's: the whole loss, its binary cross entropy, its cross entropies.
    public var loss = 0.0
    public var bce = 0.0
    public var auxiliary = 0.0
    /// Share of those pairs that the head decided wrongly, as trained (with dropout).
    public var trainError = 0.0
    public var learningRate = 0.0
    public var seconds = 0.0

    public init() {}
}

/// A training run over fixed pairs. One thread at a time may use it, but `cancel` may come from any.
///
/// A step runs through stages; each is a list of items that any thread may take, and no item's result depends on who
/// takes it. So the same seed gives the same bits for any number of threads.
public final class Trainer: @unchecked Sendable {
    public let model: Model
    public let pairs: Pairs
    public let options: TrainerOptions
    public let stepsPerEpoch: Int
    public var steps: Int { stepsPerEpoch * options.epochs }
    /// Steps done.
    public internal(set) var step = 0

    let optimizer: Optimizer
    let average: WeightAverage?
    var sums = LossSums()
    /// Spent in steps so far.
    public internal(set) var seconds = 0.0
    private let pool: WorkerPool
    let batch: Batch
    /// A flag, behind a pointer: threads must not meet in a Swift variable.
    private let cancelled: Buffer<Int32>

    /// Sums of the epoch so far.
    struct LossSums {
        var pairs = 0
        var bce = 0.0
        var auxiliary = 0.0
        var wrong = 0
    }

    /// Throws `mismatch` where model and pairs do not fit, `invalidArgument` for an option out of range. A fresh run sets
    /// the model's standardisation to the pairs', and its temperatures to 1.
    public convenience init(model: Model, pairs: Pairs, options: TrainerOptions) throws(DiptychError) {
        try self.init(prepared: model, pairs: pairs, options: options)
        let mean = Float(pairs.mean), deviation = Float(pairs.standardDeviation)
        guard mean.isFinite && deviation.isFinite else {
            throw DiptychError(.invalidArgument, "the pairs' pixels are too large to standardise: their mean is \(text(pairs.mean)), "
                + "their deviation \(text(pairs.standardDeviation))")
        }
        model.temperatures = Temperatures()
        // Images of one shade have nothing to be divided by.
        model.standardise(mean: mean, standardDeviation: (1 / deviation).isFinite ? deviation : 1)
    }

    init(prepared model: Model, pairs: Pairs, options: TrainerOptions) throws(DiptychError) {
        try options.validate()
        try Self.check(model, pairs, options)
        self.model = model
        self.pairs = pairs
        self.options = options
        stepsPerEpoch = (pairs.count + options.batchSize - 1) / options.batchSize
        cancelled = try Buffer(count: 1, for: "a trainer")
        pool = try WorkerPool(threads: options.threads)
        optimizer = try Optimizer(options.optimizer, parameterFloats: model.network.parameterFloats, on: pool)
        average = options.emaDecay > 0 ? try WeightAverage(decay: options.emaDecay, of: model) : nil
        batch = try Batch(model: model, pairs: pairs, options: options, pool: pool, optimizer: optimizer,
                          average: average)
    }

    private static func check(_ model: Model, _ pairs: Pairs, _ options: TrainerOptions) throws(DiptychError) {
        try checkFit(model, pairs)
        guard pairs.count > 0 else { throw DiptychError(.invalidArgument, "there are 0 pairs to train on, but at least 1 is needed") }
        if options.redraw { try pairs.checkOrderTargets() }
        guard options.lossRatio > 0 else { return }
        guard pairs.digits != nil else {
            throw DiptychError(.mismatch, "loss_ratio is \(text(options.lossRatio)), but the pairs have no digits for the auxiliary loss; use loss_ratio 0")
        }
        try model.checkDigits(pairs)
    }

    /// Asks a running or the next step or epoch to stop before its next step. Safe from any thread and signal handler.
    public func cancel() { dp_flag_set(cancelled.pointer, 1) }

    /// Trains one batch. Throws `cancelled` after `cancel`, `finished` after the last epoch, `diverged` where the loss, or
    /// after the last step a weight, is no longer finite. With `lazily` weights that the batch did not need may wait for their
    /// update until the last step, an error, `settle` or `save`: faster, but not for those who look at the model before.
    public func trainStep(lazily: Bool = false) throws(DiptychError) -> Progress {
        let before = sums
        try withTrainedWeights(lazily: lazily) { () throws(DiptychError) in try advance() }
        var last = sums
        if last.pairs > before.pairs {
            last.pairs -= before.pairs
            last.bce -= before.bce
            last.auxiliary -= before.auxiliary
            last.wrong -= before.wrong
        }
        return progress(last)
    }

    /// Trains to the end of the current epoch.
    public func trainEpoch(lazily: Bool = false) throws(DiptychError) -> Progress {
        try withTrainedWeights(lazily: lazily) { () throws(DiptychError) in
            repeat { try advance() } while step % stepsPerEpoch != 0
        }
        return progress(sums)
    }

    /// Between the calls the model holds the weights' average, where there is one.
    private func withTrainedWeights(lazily: Bool, _ body: () throws(DiptychError) -> Void) throws(DiptychError) {
        average?.exchange(with: model)
        var failed = true
        defer {
            if failed || !lazily { settle() }
            average?.exchange(with: model)
        }
        try body()
        failed = false
    }

    /// Brings every weight up to date, after lazy steps.
    public func settle() {
        guard optimizer.done > 0 else { return }
        let start = dp_seconds()
        batch.settle(on: pool)
        seconds += dp_seconds() - start
    }

    private func progress(_ sums: LossSums) -> Progress {
        let count = Double(max(sums.pairs, 1))
        let bce = sums.bce / count, auxiliary = sums.auxiliary / count
        var result = Progress()
        result.epoch = (step + stepsPerEpoch - 1) / stepsPerEpoch
        result.epochs = options.epochs
        result.finished = step == steps
        result.step = step
        result.steps = steps
        result.loss = bce + Double(options.lossRatio) * auxiliary
        result.bce = bce
        result.auxiliary = auxiliary
        result.trainError = Double(sums.wrong) / count
        result.learningRate = step > 0 ? options.learningRate(step: step - 1, of: steps) : 0
        result.seconds = seconds
        return result
    }

    private func advance() throws(DiptychError) {
        guard dp_flag_take(cancelled.pointer) == 0 else { throw DiptychError(.cancelled, "training was cancelled after step \(step) of \(steps)") }
        guard step < steps else { throw DiptychError(.finished, "training is over: all \(steps) steps of \(options.epochs) epochs are done") }
        if optimizer.isFull { settle() }
        let start = dp_seconds()
        let epoch = step / stepsPerEpoch, place = step % stepsPerEpoch
        if place == 0 {
            sums = LossSums()
        }
        batch.shuffle(epoch: epoch)
        try batch.lookAtSharedLines(on: pool)
        // An average reads the weights again at once.
        optimizer.prepare(options, step: step, learningRate: options.learningRate(step: step, of: steps),
                          streamed: batch.sharedLinesAreDear && average == nil)
        let first = place * options.batchSize
        try batch.run(first ..< min(first + options.batchSize, pairs.count), step: step, on: pool)
        step += 1
        batch.addLosses(to: &sums)
        seconds += dp_seconds() - start
        guard sums.bce.isFinite && sums.auxiliary.isFinite else {
            throw DiptychError(.diverged, "training diverged: the loss is not finite after step \(step); "
                + "use a lower learning_rate than \(text(options.learningRate))")
        }
        // No further loss would show what the last update did.
        if step == steps {
            settle()
            try checkWeights()
        }
    }

    private func checkWeights() throws(DiptychError) {
        let found = model.firstNotFinite(in: model.parameters) ?? average.flatMap { model.firstNotFinite(in: $0.other) }
        guard let (name, value) = found else { return }
        throw DiptychError(.diverged, "training diverged: tensor '\(name)' has the value \(text(value)) after the last step, \(step); "
            + "use a lower learning_rate than \(text(options.learningRate))")
    }
}

extension Model {
    /// Throws `mismatch` where a digit of the pairs is not below the model's classes.
    func checkDigits(_ pairs: Pairs) throws(DiptychError) {
        guard let digits = pairs.digits else { return }
        for index in 0 ..< digits.count where digits[index] >= description.classes {
            throw DiptychError(.mismatch, "digit \(index % 2) of pair \(index / 2) is \(digits[index]), but the model has classes 0 to \(description.classes - 1)")
        }
    }
}

/// Throws `mismatch` unless the pairs' images have the model's size.
func checkFit(_ model: Model, _ pairs: Pairs) throws(DiptychError) {
    let description = model.description
    guard pairs.height == description.height && pairs.width == description.width else {
        throw DiptychError(.mismatch, "the pairs' images are \(pairs.height)x\(pairs.width), but the model takes \(description.height)x\(description.width)")
    }
}
