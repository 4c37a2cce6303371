import CDiptychPlatform

extension TrainerOptions {
    /// The learning rate of step `step` (0 for the first) of `steps`.
    func learningRate(step: Int, of steps: Int) -> Double {
        let rate = Double(learningRate)
        func anneal(_ from: Double, _ to: Double, _ share: Double) -> Double { to + (from - to) * 0.5 * (1 + cos(Double.pi * share)) }
        switch schedule {
        case .constant: return rate
        case .cosine: return anneal(rate, 0, Double(step) / Double(steps))
        case .oneCycle:
            // Smith and Topin, "Super-convergence" (2018), in PyTorch's form: 30 % up from 1/25, then down to 1/250,000.
            let peak = 0.3 * Double(steps) - 1, last = Double(steps) - 1
            if Double(step) <= peak { return anneal(rate / 25, rate, Double(step) / peak) }
            return anneal(rate, rate / 250_000, last > peak ? (Double(step) - peak) / (last - peak) : 1)
        }
    }
}

/// The weights' update: Adam (Kingma and Ba, 2015) with decoupled weight decay (Loshchilov and Hutter, 2019), or SGD
/// with momentum. The moments lie as the parameters do.
///
/// Parameters whose gradient is zero in a step may miss it, and make up for it later: the last steps' constants are kept.
final class Optimizer: @unchecked Sendable {
    let kind: TrainerOptions.Optimizer
    let first: Buffer<Float>
    /// Adam's second moment.
    let second: Buffer<Float>?
    /// Where `second` lies: threads that asked for it at every use would count references, all in the same cache line.
    private let secondPlace: UnsafeMutablePointer<Float>?
    /// The constants of the steps since `forget`, and behind them those of the step at hand.
    let updates: Buffer<dp_update>
    /// Steps since `forget` that are done.
    private(set) var done = 0

    init(_ kind: TrainerOptions.Optimizer, parameterFloats: Int, on pool: WorkerPool) throws(DiptychError) {
        self.kind = kind
        first = try Buffer(count: parameterFloats, for: "the optimizer's moments", on: pool)
        second = kind == .adam ? try Buffer(count: parameterFloats, for: "the optimizer's moments", on: pool) : nil
        secondPlace = second?.pointer
        updates = try Buffer(count: 64, for: "the optimizer's steps")
    }

    /// Whether `forget` must be called before the next step.
    var isFull: Bool { done == updates.count }

    /// When no parameter has missed a step any more.
    func forget() { done = 0 }

    /// After every step.
    func stepIsDone() { done += 1 }

    /// Sets the constants of step `step`, 0 for the first. `streamed` as in dp_update.
    func prepare(_ options: TrainerOptions, step: Int, learningRate: Double, streamed: Bool) {
        var update = dp_update()
        update.streamed = streamed
        switch kind {
        case .adam:
            let t = Double(step + 1)
            update.step_size = Float(learningRate / (1 - pow(Double(options.beta1), t)))
            update.second_scale = Float(1 / (1 - pow(Double(options.beta2), t)).squareRoot())
            update.decay = Float(1 - learningRate * Double(options.weightDecay))
            update.beta1 = options.beta1
            update.beta2 = options.beta2
            update.epsilon = options.epsilon
        case .sgd:
            update.step_size = Float(learningRate)
            update.decay = options.weightDecay
            update.beta1 = options.momentum
        }
        updates[done] = update
    }

    /// Updates `count` parameters (a multiple of 16) from `offset` on by their gradient. Those that are not `shared` are not streamed.
    @inline(__always)
    func apply(offset: Int, count: Int, shared: Bool, gradient: UnsafePointer<Float>, parameters: UnsafeMutablePointer<Float>) {
        var update = updates[done]
        update.streamed = update.streamed && shared
        if let secondPlace {
            kernels.adam(count, update, gradient, parameters + offset, first.pointer + offset, secondPlace + offset)
        } else {
            kernels.sgd(count, update, gradient, parameters + offset, first.pointer + offset)
        }
    }

    /// Updates `count` lines of 16 parameters that begin at `places`, counted from `offset`. Adam's alone can.
    func apply(offset: Int, places: UnsafePointer<Int32>, count: Int, next: Int, gradient: UnsafePointer<Float>,
               parameters: UnsafeMutablePointer<Float>) {
        guard let secondPlace else { return }
        kernels.adam_lines(count, places, next, updates[done], gradient, parameters + offset, first.pointer + offset, secondPlace + offset)
    }

    /// Makes up for the steps that such lines have missed, of which each has done `lineDone` since `forget`.
    func catchUp(offset: Int, places: UnsafePointer<Int32>, done lineDone: UnsafePointer<Int32>, count: Int,
                 parameters: UnsafeMutablePointer<Float>) {
        guard let secondPlace else { return }
        kernels.adam_idle(count, places, lineDone, done, updates.pointer, parameters + offset, first.pointer + offset, secondPlace + offset)
    }
}
