import CDiptychPlatform

/// One training step, from the draw of a batch to the update of the weights: forward, loss, backward, update, each a
/// stage of items for the pool. All memory is taken once, at the start.
final class Batch: @unchecked Sendable {
    let model: Model
    private let pairs: Pairs
    private let options: TrainerOptions
    let optimizer: Optimizer
    let layout: PassLayout

    private let augmenter: Augmenter?
    let average: WeightAverage?

    /// The pairs' order in this epoch, where it is shuffled; the images', where pairs are redrawn.
    private let order: Buffer<Int>?
    private(set) var shuffledEpoch = -1

    let activations: Buffer<Float>
    let gradients: Buffer<Float>
    /// [chunk][convolutions' parameters]
    let chunkSums: Buffer<Float>
    /// [thread][scratchFloats]
    private let scratch: Buffer<Float>
    private let scratchFloats: Int
    /// [pair]: bce, auxiliary, wrong
    private let losses: Buffer<SIMD4<Float>>
    let convolutionUpdates: [Range<Int>]
    let denseUpdates: [DenseUpdate]
    /// Where tests look at the gradients of all parameters; nil in ordinary life.
    var gradientCapture: Buffer<Float>?

    // The step at hand.
    private var range = 0 ..< 0
    private var dropout: Dropout
    /// Of the dense layer whose stage runs.
    private var denseIndex = 0

    var count: Int { range.count }
    var forward: Pass { Pass(model: model, layout: layout, base: activations.pointer) }
    var backward: BackwardPass {
        BackwardPass(forward: forward, base: gradients.pointer, dropoutScale: dropout.scale)
    }

    /// Pairs whose convolutions' gradients are summed in one run: fixed, because it decides the order of the sums.
    private let chunkPairs: Int
    /// Pairs of an item of the narrow layers' stages.
    private static let rowPairs = 12

    init(model: Model, pairs: Pairs, options: TrainerOptions, threads: Int, optimizer: Optimizer,
         average: WeightAverage?) throws(DiptychError) {
        self.model = model
        self.pairs = pairs
        self.options = options
        self.optimizer = optimizer
        self.average = average
        let network = model.network
        let capacity = min(options.batchSize, pairs.count)
        layout = PassLayout(network, pairs: capacity)
        let ordered = options.redraw ? 2 * pairs.count : pairs.count
        order = options.shuffle || options.redraw ? try Buffer(count: ordered, for: "the order of the pairs") : nil
        augmenter = options.augmentation.isOff ? nil
            : try Augmenter(options.augmentation, seed: options.seed, height: pairs.height, width: pairs.width)
        activations = try Buffer(count: layout.floats, for: "a batch's activations")
        gradients = try Buffer(count: layout.activationFloats, for: "a batch's gradients")
        chunkPairs = max(5, (capacity + 255) / 256)
        let chunks = (capacity + chunkPairs - 1) / chunkPairs
        chunkSums = try Buffer(count: network.convolutions == nil ? 0 : chunks * network.convolutionFloats, for: "a batch's gradients")
        let needs = [Pass.scratch(network), BackwardPass.convolutionScratch(network), BackwardPass.denseScratch,
                     BackwardPass.weightScratch, Self.convolutionUpdate, 2 * padded(network.description.classes),
                     augmenter.map { $0.outputFloats + $0.scratch } ?? 0]
        scratchFloats = padded(needs.max() ?? 0)
        scratch = try Buffer(count: try product(threads, scratchFloats, of: "the threads' scratch memory"), for: "the threads' scratch memory")
        losses = try Buffer(count: capacity, for: "a batch's losses")
        dropout = Dropout(seed: options.seed, step: 0, probability: network.description.dropout)
        convolutionUpdates = Self.makeConvolutionUpdates(network)
        denseUpdates = Self.makeDenseUpdates(network)
    }

    /// A new order of the pairs, or of the images, for `epoch`, where there is to be one and it is not made yet.
    func shuffle(epoch: Int) {
        guard let order, shuffledEpoch != epoch else { return }
        Random(seed: options.seed, purpose: .shuffle)
            .permute(UnsafeMutableBufferPointer(start: order.pointer, count: order.count), step: UInt32(truncatingIfNeeded: epoch))
        shuffledEpoch = epoch
    }

    /// Trains on the pairs at `range` of the epoch's order.
    func run(_ range: Range<Int>, step: Int, on pool: WorkerPool) throws(DiptychError) {
        self.range = range
        dropout = Dropout(seed: options.seed, step: step, probability: model.description.dropout)
        average?.prepare(step: step)
        let network = model.network
        let context = Unmanaged.passUnretained(self).toOpaque()
        // Threads that cannot be started must not stop a step halfway.
        try pool.start()

        try pool.run(count, context) { context, item, thread in Batch.from(context).loadAndConvolve(pair: item, thread) }
        for index in network.dense.indices {
            denseIndex = index
            try pool.run(denseItems.count, context) { context, item, thread in Batch.from(context).dense(item, thread) }
        }
        try pool.run(rowItems, context) { context, item, thread in Batch.from(context).headAndLoss(item, thread) }
        for index in network.dense.indices.reversed() where index > 0 || network.convolutions != nil {
            denseIndex = index
            try pool.run(denseBackwardItems.count, context) { context, item, thread in Batch.from(context).denseBackward(item, thread) }
        }
        if network.convolutions != nil {
            try pool.run(chunks, context) { context, item, thread in Batch.from(context).convolutionsBackward(item, thread) }
        }
        try pool.run(convolutionUpdates.count, context) { context, item, thread in Batch.from(context).updateConvolutions(item, thread) }
        try pool.run(1 + denseUpdates.count, context) { context, item, thread in
            // What is derived from the convolutions' weights, the longest item where there are convolutions: so it comes first.
            item == 0 ? Batch.from(context).model.weightsChanged() : Batch.from(context).updateDense(item - 1, thread)
        }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> Batch {
        Unmanaged<Batch>.fromOpaque(context!).takeUnretainedValue()
    }

    func scratch(_ thread: Int) -> UnsafeMutablePointer<Float> { scratch.pointer + thread * scratchFloats }

    /// Which of the training images is image `image` of the batch.
    func source(_ image: Int) -> Int {
        let place = 2 * range.lowerBound + image
        guard let order else { return place }
        return options.redraw ? order[place] : 2 * order[place / 2] + place % 2
    }

    func target(_ pair: Int) -> Float {
        guard options.redraw, let digits = pairs.digits else { return pairs.targets[source(2 * pair) / 2] }
        return digits[source(2 * pair)] <= digits[source(2 * pair + 1)] ? 1 : 0
    }

    // MARK: Forward

    private func loadAndConvolve(pair: Int, _ thread: Int) {
        let pixels = pairs.height * pairs.width
        for image in 2 * pair ..< 2 * pair + 2 {
            var source = UnsafePointer(pairs.images.pointer) + source(image) * pixels
            if let augmenter {
                let changed = scratch(thread)
                augmenter.apply(augmenter.draw(step: dropout.step, image: image), source, into: changed,
                                scratch: changed + augmenter.outputFloats)
                source = UnsafePointer(changed)
            }
            forward.load(source, image: image) { $0 }
        }
        forward.convolve(pair: pair, scratch: scratch(thread))
    }

    /// A dense layer's output is cut into blocks of rows and of panels: wide layers by panels, so that the weights pass
    /// once, narrow ones by rows.
    private var denseItems: (rows: Int, panels: Int, pairs: Int, count: Int) {
        let panels = model.network.dense[denseIndex].panels
        let pairs = panels >= 16 ? 120 : Self.rowPairs
        let rows = (count + pairs - 1) / pairs, blocks = (panels + 7) / 8
        return (rows, blocks, pairs, rows * blocks)
    }

    private func dense(_ item: Int, _ thread: Int) {
        let items = denseItems, layer = model.network.dense[denseIndex]
        let row = item % items.rows, block = item / items.rows
        let pairs = row * items.pairs ..< min(count, (row + 1) * items.pairs)
        let panels = 8 * block ..< min(layer.panels, 8 * block + 8)
        forward.dense(denseIndex, pairs: pairs, panels: panels, scratch: scratch(thread))
        if layer.layer.dropout && model.description.dropout > 0 {
            dropout.apply(layer: denseIndex, rows: 2 * pairs.lowerBound ..< 2 * pairs.upperBound,
                          columns: 16 * panels.lowerBound ..< 16 * panels.upperBound, width: layer.outputs,
                          x: activations.pointer + layout.outputs[denseIndex])
        }
    }

    private var rowItems: Int { (count + Self.rowPairs - 1) / Self.rowPairs }

    private func rows(_ item: Int) -> Range<Int> { item * Self.rowPairs ..< min(count, (item + 1) * Self.rowPairs) }

    /// The head, both losses, and their gradients with respect to the logits.
    private func headAndLoss(_ item: Int, _ thread: Int) {
        let rows = rows(item)
        let head = model.network.head[1].outputs, last = layout.outputs[layout.outputs.count - 1]
        let classes = model.description.classes, logits = padded(classes)
        let scale = 1 / Float(count), ratio = options.lossRatio, smoothing = options.labelSmoothing
        let scratch = scratch(thread)
        forward.head(pairs: rows, scratch: scratch)
        for pair in rows {
            let z = activations[layout.head.1 + pair * head], target = target(pair)
            gradients[layout.head.1 + pair * head] = (sigmoid(z) - (target * (1 - smoothing) + 0.5 * smoothing)) * scale
            losses[pair] = SIMD4(binaryCrossEntropy(logit: z, target: target, smoothing: smoothing), 0, (z > 0) != (target > 0.5) ? 1 : 0, 0)
        }
        backward.head(pairs: rows, scratch: scratch)
        guard ratio > 0, let digits = pairs.digits else { return }
        for image in 2 * rows.lowerBound ..< 2 * rows.upperBound {
            let place = last + image * logits
            let digit = Int(digits[source(image)])
            let total = softmax(activations.pointer + place, classes: classes, into: scratch)
            losses[image / 2].y += total - smoothed(activations.pointer + place, classes: classes, digit: digit, smoothing)
            scratch[digit] -= 1 - smoothing
            if smoothing > 0 { for i in 0 ..< classes { scratch[i] -= smoothing / Float(classes) } }
            for i in 0 ..< classes { gradients[place + i] += ratio * scale * scratch[i] }
        }
    }

    // MARK: Backward

    /// A dense layer's input gradient is cut like its output: wide ones by panels, for all rows, narrow ones by rows.
    private var denseBackwardItems: (panels: Int, count: Int) {
        let panels = model.network.dense[denseIndex].inputs / 16
        guard panels > 8 else { return (panels, rowItems) }
        // Sixes, as the kernel takes them, and some eight items.
        let block = min(BackwardPass.panelBlock, max(6, panels / 48 * 6))
        return (block, (panels + block - 1) / block)
    }

    private func denseBackward(_ item: Int, _ thread: Int) {
        let panels = model.network.dense[denseIndex].inputs / 16, block = denseBackwardItems.panels
        if block < panels {
            backward.dense(denseIndex, pairs: 0 ..< count, panels: block * item ..< min(panels, block * (item + 1)), scratch: scratch(thread))
        } else {
            backward.dense(denseIndex, pairs: rows(item), panels: 0 ..< panels, scratch: scratch(thread))
        }
    }

    var chunks: Int { (count + chunkPairs - 1) / chunkPairs }

    private func convolutionsBackward(_ item: Int, _ thread: Int) {
        let floats = model.network.convolutionFloats
        let sums = chunkSums.pointer + item * floats
        memset(sums, 0, floats * MemoryLayout<Float>.stride)
        backward.convolutions(pairs: item * chunkPairs ..< min(count, (item + 1) * chunkPairs), sums: sums, scratch: scratch(thread))
    }

    /// Adds the step's losses in the pairs' order.
    func addLosses(to sums: inout Trainer.LossSums) {
        for pair in 0 ..< count {
            sums.bce += Double(losses[pair].x)
            sums.auxiliary += Double(losses[pair].y)
            sums.wrong += losses[pair].z > 0 ? 1 : 0
        }
        sums.pairs += count
    }
}
