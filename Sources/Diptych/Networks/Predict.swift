import CDiptychPlatform

/// The answer for one pair; the C API's diptych_prediction, member by member.
public struct Prediction: BitwiseCopyable, Sendable {
    /// The head's P(first <= second), or of what the targets meant in training.
    public var probability: Float
    /// sum over i <= j of P(first = i) P(second = j)
    public var marginal: Float
    public var firstDigit: Int32
    public var secondDigit: Int32
    /// The probabilities of those digits.
    public var firstConfidence: Float
    public var secondConfidence: Float
    /// The decision by the model's rule, 1 or 0.
    public var lessOrEqual: Int32
    /// 1 where head and marginal decide alike.
    public var agrees: Int32
}

extension Prediction {
    /// sum over i <= j of a[i] * b[j], in one order wherever it is needed.
    public static func marginal(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, classes: Int) -> Float {
        var marginal: Float = 0, below: Float = 0
        for j in 0 ..< classes {
            below += a[j]
            marginal += b[j] * below
        }
        // Rounding may lead past 1.
        return min(marginal, 1)
    }
}

extension Model {
    /// Classifies `count` pairs, [count][2][height][width]. `threads` 1 runs on the caller's thread, 0 takes the CPUs
    /// that the process may use. `classProbabilities` is nil or has room for [count][2][classes]. A pair's answer
    /// depends neither on the others nor on `threads`. Throws `invalidArgument` where a pixel is not finite.
    public func predict(_ pairs: UnsafePointer<Float>, count: Int, threads: Int,
                        into predictions: UnsafeMutablePointer<Prediction>,
                        classProbabilities: UnsafeMutablePointer<Float>? = nil) throws(DiptychError) {
        let pixels = 2 * description.height * description.width
        if let index = indexOfNotFinite(pairs, count * pixels) {
            throw DiptychError(.invalidArgument, "pixel \(index % (pixels / 2)) of image \(index / (pixels / 2) % 2) of pair \(index / pixels) is \(text(pairs[index])), but must be finite")
        }
        try predict(PredictJob(model: self, floats: pairs, bytes: nil, count: count,
                               output: .answers(predictions, classProbabilities: classProbabilities)), threads: threads)
    }

    /// The same for bytes.
    public func predict(_ pairs: UnsafePointer<UInt8>, count: Int, threads: Int,
                        into predictions: UnsafeMutablePointer<Prediction>,
                        classProbabilities: UnsafeMutablePointer<Float>? = nil) throws(DiptychError) {
        try predict(PredictJob(model: self, floats: nil, bytes: pairs, count: count,
                               output: .answers(predictions, classProbabilities: classProbabilities)), threads: threads)
    }

    /// The network's bare answers, which temperatures are fitted to: head [count], classes [count][2][classes].
    func bareLogits(of pairs: Pairs, threads: Int, head: UnsafeMutablePointer<Float>,
                    classes: UnsafeMutablePointer<Float>) throws(DiptychError) {
        try predict(PredictJob(model: self, floats: pairs.images.pointer, bytes: nil, count: pairs.count,
                               output: .logits(head: head, classes: classes)), threads: threads)
    }

    private func predict(_ job: PredictJob, threads: Int) throws(DiptychError) {
        try require(threads, in: 0 ... WorkerPool.largestCount, "threads")
        let blocks = (job.count + predictLayout.pairs - 1) / predictLayout.pairs
        var failed: Int32 = 0
        let done = withUnsafeMutablePointer(to: &failed) { failed in
            var job = job
            job.failed = failed
            return withUnsafeMutablePointer(to: &job) { job in
                SharedPool.run(blocks, threads: threads, job) { context, _, block, _ in
                    context!.assumingMemoryBound(to: PredictJob.self).pointee.run(block: block)
                }
            }
        }
        guard done else { throw DiptychError(.system, "cannot start \(threads) threads to predict with; use fewer") }
        guard failed == 0 else { throw DiptychError.memory(PredictJob.scratchBytes(self), for: "predicting") }
    }
}

/// One call of `predict`, shared by the threads that take its blocks.
private struct PredictJob {
    let model: Model
    let floats: UnsafePointer<Float>?
    let bytes: UnsafePointer<UInt8>?
    let count: Int
    let output: Output
    /// A flag, set where a thread had no memory. Apart from the job, which the threads only read.
    var failed: UnsafeMutablePointer<Int32>?

    enum Output {
        case answers(UnsafeMutablePointer<Prediction>, classProbabilities: UnsafeMutablePointer<Float>?)
        case logits(head: UnsafeMutablePointer<Float>, classes: UnsafeMutablePointer<Float>)
    }

    static func scratchBytes(_ model: Model) -> Int {
        (model.predictLayout.floats + scratchFloats(model) + sumFloats(model)) * MemoryLayout<Float>.stride
    }

    private static func scratchFloats(_ model: Model) -> Int {
        max(Pass.scratch(model.network), 2 * padded(model.description.classes), model.description.height * model.description.width)
    }

    /// The views' sums: all logits, then the head's.
    private static func sumFloats(_ model: Model) -> Int {
        model.predictLayout.pairs * (2 * padded(model.description.classes) + model.network.head[1].outputs)
    }

    /// By how much view `view` of an image is moved: not at all, by a pixel up, down, left or right, or diagonally.
    private static func offset(_ view: Int) -> (down: Int, right: Int) {
        let down: SIMD16<Int8> = [0, -1, 1, 0, 0, -1, -1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
        let right: SIMD16<Int8> = [0, 0, 0, -1, 1, -1, 1, -1, 1, 0, 0, 0, 0, 0, 0, 0]
        return (Int(down[view]), Int(right[view]))
    }

    func run(block: Int) {
        guard let memory = dp_thread_scratch(Self.scratchBytes(model)) else {
            dp_flag_set(failed, 1)
            return
        }
        let layout = model.predictLayout
        let base = memory.assumingMemoryBound(to: Float.self)
        let pass = Pass(model: model, layout: layout, base: base)
        let scratch = base + layout.floats
        let first = block * layout.pairs, pairs = min(layout.pairs, count - first)
        // What no layer writes must be zero: the images' borders, and the padding of rows.
        memset(base + layout.input, 0, 2 * pairs * layout.inputRow * MemoryLayout<Float>.stride)
        if let c = model.network.convolutions, c.windows * c.shape.channels < model.network.dense[0].inputs {
            memset(base + layout.features, 0, 2 * pairs * model.network.dense[0].inputs * MemoryLayout<Float>.stride)
        }
        let sums = scratch + Self.scratchFloats(model), views = model.views
        for view in 0 ..< views {
            load(pairs: first ..< first + pairs, view, into: pass, scratch: scratch)
            pass.run(pairs: pairs, scratch: scratch)
            if views > 1 { average(pass, view, of: views, pairs: pairs, sums: sums) }
        }
        for pair in 0 ..< pairs {
            switch output {
            case .answers(let predictions, let classProbabilities):
                let shares = classProbabilities.map { $0 + 2 * (first + pair) * model.description.classes }
                predictions[first + pair] = answer(pass, pair: pair, probabilities: scratch, classProbabilities: shares)
            case .logits(let head, let classes):
                head[first + pair] = headLogit(pass, pair: pair)
                let count = model.description.classes, row = padded(count)
                for image in 0 ..< 2 {
                    (classes + (2 * (first + pair) + image) * count).copy(from: pass.logits + (2 * pair + image) * row, count: count)
                }
            }
        }
    }

    /// Loads a view of the job's pairs. Both images of a pair are moved alike.
    private func load(pairs: Range<Int>, _ view: Int, into pass: Pass, scratch: UnsafeMutablePointer<Float>) {
        let pixels = model.description.height * model.description.width, moved = Self.offset(view)
        for image in 0 ..< 2 * pairs.count {
            let offset = (2 * pairs.lowerBound + image) * pixels
            if let floats { pass.load(floats + offset, image: image, moved: moved) }
            if let bytes {
                convert(bytes + offset, pixels, to: scratch)
                pass.load(scratch, image: image, moved: moved)
            }
        }
    }

    /// Test-time augmentation: adds a view's logits to `sums`, and after the last puts the means in their place.
    private func average(_ pass: Pass, _ view: Int, of views: Int, pairs: Int, sums: UnsafeMutablePointer<Float>) {
        func average(_ values: UnsafeMutablePointer<Float>, _ sums: UnsafeMutablePointer<Float>, _ count: Int) {
            for i in 0 ..< count {
                sums[i] = view == 0 ? values[i] : sums[i] + values[i]
                if view == views - 1 { values[i] = sums[i] / Float(views) }
            }
        }
        let logits = 2 * pairs * padded(model.description.classes)
        average(pass.logits, sums, logits)
        average(pass.base + pass.layout.head.1, sums + logits, pairs * model.network.head[1].outputs)
    }

    private func headLogit(_ pass: Pass, pair: Int) -> Float {
        (pass.base + pass.layout.head.1)[pair * pass.network.head[1].outputs]
    }

    private func answer(_ pass: Pass, pair: Int, probabilities a: UnsafeMutablePointer<Float>,
                        classProbabilities: UnsafeMutablePointer<Float>?) -> Prediction {
        let classes = model.description.classes, row = padded(classes)
        let b = a + row
        _ = softmax(pass.logits + 2 * pair * row, classes: classes, temperature: model.temperatures.classes, into: a)
        _ = softmax(pass.logits + (2 * pair + 1) * row, classes: classes, temperature: model.temperatures.classes, into: b)
        let marginal = Prediction.marginal(a, b, classes: classes)
        var first = 0, second = 0
        for j in 0 ..< classes {
            if a[j] > a[first] { first = j }
            if b[j] > b[second] { second = j }
        }
        if let classProbabilities {
            classProbabilities.copy(from: a, count: classes)
            (classProbabilities + classes).copy(from: b, count: classes)
        }
        let z = headLogit(pass, pair: pair)
        let byHead = z > 0, byMarginal = marginal > 0.5
        let decision = model.decision == .head ? byHead : byMarginal
        return Prediction(probability: sigmoid(z / model.temperatures.head), marginal: marginal, firstDigit: Int32(first), secondDigit: Int32(second),
                          firstConfidence: a[first], secondConfidence: b[second], lessOrEqual: decision ? 1 : 0,
                          agrees: byHead == byMarginal ? 1 : 0)
    }
}
