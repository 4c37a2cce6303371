import CDiptychPlatform

/// One training step, from the draw of a batch to the update of the weights: forward, loss, backward, update, in stages of
/// items for the pool. All memory is taken once, at the start.
final class Batch: @unchecked Sendable {
    let model: Model
    private let pairs: Pairs
    private let options: TrainerOptions
    let optimizer: Optimizer
    let layout: PassLayout
    let threads: Int

    private let augmenter: Augmenter?
    let average: WeightAverage?

    /// The pairs' order in this epoch, where it is shuffled; the images', where pairs are redrawn.
    private let order: Buffer<Int>?
    private(set) var shuffledEpoch = -1

    let activations: Buffer<Float>
    let gradients: Buffer<Float>
    let sharedLines: SharedLines?
    /// Its answer for the step at hand.
    private(set) var sharedLinesAreDear = false
    /// [chunk][convolutions' parameters], and once more for the background.
    let chunkSums: Buffer<Float>
    /// Of a blank image's features, or of a first and a second one's: the batch's images' sums.
    private let backgroundGradients: Buffer<Float>
    /// [thread][scratchFloats]
    private let scratch: Buffer<Float>
    private let scratchFloats: Int
    /// [pair]: bce, auxiliary, wrong
    private let losses: Buffer<SIMD4<Float>>
    let convolutionUpdates: [Range<Int>]
    let denseUpdates: [DenseUpdate]
    /// Of the branch's second dense layer, where it is wide.
    let live: LiveInputs?
    /// A step's, those that make up for what was put off, and which of both are under way.
    private let stages: [Stage]
    let settling: [Stage]
    private var running: [Stage] = []
    private let poolStages: Buffer<dp_stage>
    /// Where tests look at the gradients of all parameters; nil in ordinary life.
    var gradientCapture: Buffer<Float>?

    // The step at hand.
    private var range = 0 ..< 0
    private(set) var dropout: Dropout

    var count: Int { range.count }
    // Kept, not made when asked for: that would count references, and all threads' counts lie in the same cache lines.
    let forward: Pass
    let backward: BackwardPass

    /// Pairs whose convolutions' gradients are summed in one run: fixed, because it decides the order of the sums.
    private let chunkPairs: Int
    /// Pairs of an item of the narrow layers' stages, and of the wide ones', at most.
    private static let rowPairs = 12, blockPairs = 120

    private static func blocks(_ count: Int, of size: Int) -> Int { (count + size - 1) / size }

    init(model: Model, pairs: Pairs, options: TrainerOptions, pool: WorkerPool, optimizer: Optimizer,
         average: WeightAverage?) throws(DiptychError) {
        self.model = model
        self.pairs = pairs
        self.options = options
        self.optimizer = optimizer
        threads = pool.threads
        self.average = average
        let network = model.network
        let capacity = min(options.batchSize, pairs.count)
        layout = PassLayout(network, pairs: capacity)
        let ordered = options.redraw ? 2 * pairs.count : pairs.count
        order = options.shuffle || options.redraw ? try Buffer(count: ordered, for: "the order of the pairs") : nil
        augmenter = options.augmentation.isOff ? nil
            : try Augmenter(options.augmentation, seed: options.seed, height: pairs.height, width: pairs.width)
        activations = try Buffer(count: layout.floats, for: "a batch's activations", on: pool)
        gradients = try Buffer(count: layout.activationFloats, for: "a batch's gradients", on: pool)
        chunkPairs = max(5, (capacity + 255) / 256)
        let chunks = Self.blocks(capacity, of: chunkPairs)
        chunkSums = try Buffer(count: network.convolutions == nil ? 0 : (chunks + 1) * network.convolutionFloats, for: "a batch's gradients")
        backgroundGradients = try Buffer(count: BackwardPass.backgroundFloats(network), for: "a batch's gradients")
        sharedLines = try .make(on: pool)
        let needs = [Pass.scratch(network), BackwardPass.convolutionScratch(network), BackwardPass.denseScratch,
                     BackwardPass.weightScratch, LiveInputs.isWorthwhile(network) ? BackwardPass.liveScratch(rows: 2 * capacity) : 0,
                     Self.convolutionUpdate, 2 * padded(network.description.classes),
                     augmenter.map { $0.outputFloats + $0.scratch } ?? 0]
        scratchFloats = padded(needs.max() ?? 0)
        scratch = try Buffer(count: try product(pool.threads, scratchFloats, of: "the threads' scratch memory"), for: "the threads' scratch memory")
        losses = try Buffer(count: capacity, for: "a batch's losses")
        dropout = Dropout(seed: options.seed, step: 0, probability: network.description.dropout)
        forward = Pass(model: model, layout: layout, base: activations.pointer)
        backward = BackwardPass(forward: forward, base: gradients.pointer, dropoutScale: dropout.scale)
        convolutionUpdates = Self.makeConvolutionUpdates(network)
        live = LiveInputs.isWorthwhile(network)
            ? try LiveInputs(network, rows: 2 * capacity, runs: Self.rowItems(capacity, threads: pool.threads), on: pool) : nil
        denseUpdates = Self.makeDenseUpdates(network, isLive: live != nil)
        stages = Self.makeStages(network, isLive: live != nil, denseUpdates)
        settling = live == nil ? [] : [Stage(work: [.catchUp])]
        poolStages = try Buffer(count: stages.count, for: "a step's stages")
    }

    /// A new order of the pairs, or of the images, for `epoch`, where there is to be one and it is not made yet.
    func shuffle(epoch: Int) {
        guard let order, shuffledEpoch != epoch else { return }
        Random(seed: options.seed, purpose: .shuffle)
            .permute(UnsafeMutableBufferPointer(start: order.pointer, count: order.count), step: UInt32(truncatingIfNeeded: epoch))
        shuffledEpoch = epoch
    }

    /// To be called before each step.
    func lookAtSharedLines(on pool: WorkerPool) throws(DiptychError) {
        if let sharedLines { sharedLinesAreDear = try sharedLines.areDear(on: pool) }
    }

    /// Trains on the pairs at `range` of the epoch's order.
    func run(_ range: Range<Int>, step: Int, on pool: WorkerPool) throws(DiptychError) {
        self.range = range
        dropout = Dropout(seed: options.seed, step: step, probability: model.description.dropout)
        average?.prepare(step: step)
        try run(stages, on: pool)
        optimizer.stepIsDone()
    }

    func run(_ stages: [Stage], on pool: WorkerPool) throws(DiptychError) {
        guard !stages.isEmpty else { return }
        running = stages
        for (index, stage) in stages.enumerated() {
            let isNext = index > 0 && stage.after == 1 << UInt32(truncatingIfNeeded: index - 1)
            let byShare = isNext && isByShare(stages[index - 1].work[0]) && isByShare(stage.work[0])
            poolStages[index] = dp_stage(count: items(stage.work[0]), after: stage.after, by_share: byShare, taken: 0, done: 0)
        }
        try pool.run(UnsafeMutableBufferPointer(start: poolStages.pointer, count: stages.count),
                     Unmanaged.passUnretained(self).toOpaque()) { context, stage, item, thread in
            Unmanaged<Batch>.fromOpaque(context!)._withUnsafeGuaranteedRef { batch in
                for index in batch.running[stage].work.indices { batch.run(batch.running[stage].work[index], item, thread) }
            }
        }
    }

    // MARK: Stages

    enum Work {
        case loadAndConvolve
        case listLive
        case gatherLive
        case dense(Int)
        case headAndLoss
        case denseBackward(Int)
        case listGradient
        case liveBackward
        case firstBackground
        case convolutionsBackward
        case firstConvolutionSums
        case backgroundBackward
        case updateConvolutions
        case deriveFromConvolutions
        /// Of `denseUpdates`.
        case updateDense(Range<Int>)
        case catchUp
    }

    struct Stage {
        /// What an item is made of, one after the other: more than one where each needs only what the last made of the same rows.
        var work: [Work]
        /// A bit for each stage that must be done before.
        let after: UInt32

        init(work: [Work], after stages: [Int] = []) {
            self.work = work
            after = stages.reduce(0) { $0 | 1 << UInt32(truncatingIfNeeded: $1) }
        }
    }

    /// What others wait for comes first, so the dense layers' updates, for which nothing waits, fill the gaps.
    private static func makeStages(_ network: Network, isLive: Bool, _ updates: [DenseUpdate]) -> [Stage] {
        var stages = [Stage(work: [.loadAndConvolve])]
        let indices = network.dense.indices
        let forward = indices.flatMap { $0 == 1 && isLive ? [.listLive, .gatherLive, .dense($0)] : [Work.dense($0)] }
        let backward = indices.reversed().filter { $0 > 0 || network.convolutions != nil }
            .flatMap { $0 == 1 && isLive ? [.listGradient, .liveBackward] : [Work.denseBackward($0)] }
        for work in forward + [Work.headAndLoss] + backward {
            if isByRows(work, network) && isByRows(stages[stages.count - 1].work[0], network) {
                stages[stages.count - 1].work.append(work)
            } else {
                stages.append(Stage(work: [work], after: [stages.count - 1]))
            }
        }
        let gradients = stages.count - 1
        if network.convolutions != nil {
            stages += [Stage(work: [.firstBackground], after: [gradients]), Stage(work: [.convolutionsBackward], after: [gradients + 1]),
                       Stage(work: [.firstConvolutionSums], after: [gradients + 2]),
                       Stage(work: [.backgroundBackward], after: [gradients + 1]),
                       Stage(work: [.updateConvolutions], after: [gradients + 3, gradients + 4]),
                       Stage(work: [.deriveFromConvolutions], after: [gradients + 5])]
        }
        if isLive {
            // All but the first layer's, which need nothing of `liveBackward`, fill the gap at its end.
            let first = updates.count { $0.layer == 0 }
            stages += [Stage(work: [.updateDense(first ..< updates.count)], after: [gradients - 1]),
                       Stage(work: [.updateDense(0 ..< first)], after: [gradients])]
        } else {
            stages.append(Stage(work: [.updateDense(0 ..< updates.count)], after: [gradients]))
        }
        return stages
    }

    /// Whether an item is a few pairs' rows (of which there are as many for all such work), instead of a few panels for many.
    static func isByRows(_ work: Work, _ network: Network) -> Bool {
        switch work {
        case .dense(let index): network.dense[index].panels < 16
        case .headAndLoss: true
        case .denseBackward(let index): network.dense[index].inputs / 16 <= 8
        default: false
        }
    }

    /// Whether a thread's share of the items is that of the batch's pairs: then what it needs of the stage before is its own share, too.
    private func isByShare(_ work: Work) -> Bool {
        switch work {
        case .loadAndConvolve: true
        case .denseBackward(let index): Self.isByRows(work, model.network) || denseBackwardItems(index).rows == threads
        case .firstBackground, .convolutionsBackward, .firstConvolutionSums: sharesAreChunks
        default: Self.isByRows(work, model.network)
        }
    }

    func items(_ work: Work) -> Int {
        switch work {
        case .loadAndConvolve: count
        case .listLive: 1
        case .gatherLive, .listGradient, .catchUp: LiveInputs.items
        case .dense(let index): denseItems(index).count
        case .headAndLoss: rowItems
        case .denseBackward(let index): denseBackwardItems(index).count
        case .liveBackward: live?.mostGroups ?? 0
        case .convolutionsBackward: chunks
        // One for each thread, because those behind them go by shares; the first thread's does it.
        case .firstBackground, .firstConvolutionSums: threads
        case .updateConvolutions: threads > 2 ? convolutionUpdates.count : 1
        case .backgroundBackward, .deriveFromConvolutions: 1
        case .updateDense(let updates): updates.count
        }
    }

    func run(_ work: Work, _ item: Int, _ thread: Int) {
        switch work {
        case .loadAndConvolve: loadAndConvolve(pair: item, thread)
        case .listLive: live?.list(all: !mayPutOff, runs: denseItems(0).rows, steps: optimizer.done)
        case .gatherLive: gatherLive(item)
        case .dense(let index): dense(index, item, thread)
        case .headAndLoss: headAndLoss(item, thread)
        case .denseBackward(let index): denseBackward(index, item, thread)
        case .listGradient: listGradient(item)
        case .liveBackward: liveBackward(item, thread)
        case .convolutionsBackward: convolutionsBackward(chunk: item, thread)
        case .firstBackground: if item == 0 { firstBackground() }
        case .firstConvolutionSums: if item == 0 { firstConvolutionSums() }
        case .backgroundBackward: backgroundBackward(thread)
        case .updateConvolutions: updateConvolutions(item, thread)
        case .deriveFromConvolutions: model.weightsChanged(flushing: sharedLinesAreDear)
        case .updateDense(let updates): updateDense(updates.lowerBound + item, thread)
        case .catchUp: catchUp(item)
        }
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
            forward.load(source, image: image)
        }
        forward.convolve(pair: pair, shared: threads > 1, scratch: scratch(thread))
    }

    /// A dense layer's output is cut by panels where it is wide, so that the weights pass once, and else by rows.
    private func denseItems(_ index: Int) -> (rows: Int, panels: Int, count: Int) {
        let panels = model.network.dense[index].panels
        if Self.isByRows(.dense(index), model.network) { return (rowItems, panels, rowItems) }
        let rows = Self.blocks(count, of: Self.blockPairs)
        return (rows, 6, rows * Self.blocks(panels, of: 6))
    }

    private func dense(_ index: Int, _ item: Int, _ thread: Int) {
        let items = denseItems(index), layer = model.network.dense[index]
        let row = item % items.rows, block = item / items.rows
        let pairs = part(row, of: items.rows)
        let panels = items.panels * block ..< min(layer.panels, items.panels * (block + 1))
        forward.dense(index, live: index == 1 ? live : nil, pairs: pairs, panels: panels, scratch: scratch(thread))
        if layer.layer.dropout && model.description.dropout > 0 {
            dropout.apply(layer: index, rows: 2 * pairs.lowerBound ..< 2 * pairs.upperBound,
                          columns: 16 * panels.lowerBound ..< 16 * panels.upperBound, width: layer.outputs,
                          x: activations.pointer + layout.outputs[index])
        }
        if index == 0 {
            live?.find(16 * panels.lowerBound ..< 16 * panels.upperBound, rows: 2 * pairs.lowerBound ..< 2 * pairs.upperBound, run: row,
                       in: forward.denseInput(1))
        }
    }

    /// As many items of rows for each thread, if there are as many pairs: its rows are the same in every stage then, and lie in its cache.
    private static func rowItems(_ count: Int, threads: Int) -> Int { min(count, threads * blocks(count, of: threads * rowPairs)) }

    private var rowItems: Int { Self.rowItems(count, threads: threads) }

    /// The pairs of part `item` of `items`.
    private func part(_ item: Int, of items: Int) -> Range<Int> { count * item / items ..< count * (item + 1) / items }

    /// The head, both losses, and their gradients with respect to the logits.
    private func headAndLoss(_ item: Int, _ thread: Int) {
        let rows = part(item, of: rowItems)
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

    /// A dense layer's input gradient is cut like its output: wide ones by panels, for each thread's rows (of some 24 pairs at least),
    /// narrow ones by rows.
    private func denseBackwardItems(_ index: Int) -> (rows: Int, panels: Int, count: Int) {
        let panels = model.network.dense[index].inputs / 16
        if Self.isByRows(.denseBackward(index), model.network) { return (rowItems, panels, rowItems) }
        let rows = min(threads, Self.blocks(count, of: 2 * Self.rowPairs))
        // Sixes, as the kernel takes them, and some eight items.
        let block = min(BackwardPass.panelBlock, max(6, panels / 48 * 6))
        return (rows, block, rows * Self.blocks(panels, of: block))
    }

    private func denseBackward(_ index: Int, _ item: Int, _ thread: Int) {
        let items = denseBackwardItems(index), panels = model.network.dense[index].inputs / 16
        // All panels of a thread's rows follow each other.
        let blocks = items.count / items.rows, block = item % blocks
        backward.dense(index, pairs: part(item / blocks, of: items.rows),
                       panels: items.panels * block ..< min(panels, items.panels * (block + 1)), scratch: scratch(thread))
    }

    var chunks: Int { Self.blocks(count, of: chunkPairs) }

    /// Whether a thread's share of the chunks is that of the pairs, and none is empty.
    private var sharesAreChunks: Bool {
        chunks >= threads && (0 ..< threads).allSatisfy { LiveInputs.share(chunks, $0, of: threads).lowerBound * chunkPairs == part($0, of: threads).lowerBound }
    }

    /// Whether the background's way back is taken once for the whole batch, which costs one image's: not worth it for few.
    private var sumsBackground: Bool { count >= 16 }

    /// Sums of the convolutions' gradients: each chunk's, and the background's.
    var convolutionSums: Int { chunks + (sumsBackground ? 1 : 0) }

    /// Sum `index` of the convolutions' gradients, zeroed.
    private func zeroedSum(_ index: Int) -> UnsafeMutablePointer<Float> {
        let floats = model.network.convolutionFloats, sum = chunkSums.pointer + index * floats
        memset(sum, 0, floats * MemoryLayout<Float>.stride)
        return sum
    }

    private func convolutionsBackward(chunk: Int, _ thread: Int) {
        backward.convolutions(pairs: pairs(ofChunks: chunk ..< chunk + 1), withBackground: !sumsBackground, sums: zeroedSum(chunk),
                              scratch: scratch(thread))
    }

    /// The chunks of the first thread's share, where shares are chunks. What is summed over the batch is summed over these by that thread, which
    /// has made it, and then over the others, of two threads by the other: neither reads more than a sum of what the other has made, and the
    /// order stays that of the pairs.
    var firstChunks: Int { sharesAreChunks ? LiveInputs.share(chunks, 0, of: threads).upperBound : 0 }

    /// The pairs of chunks `chunks`.
    private func pairs(ofChunks chunks: Range<Int>) -> Range<Int> {
        min(count, chunkPairs * chunks.lowerBound) ..< min(count, chunkPairs * chunks.upperBound)
    }

    private func firstBackground() {
        guard sumsBackground else { return }
        memset(backgroundGradients.pointer, 0, backgroundGradients.count * MemoryLayout<Float>.stride)
        backward.addBackground(pairs: pairs(ofChunks: 0 ..< firstChunks), to: backgroundGradients.pointer)
    }

    /// The first chunks' sum takes the place of the last of them.
    private func firstConvolutionSums() {
        guard firstChunks > 1 else { return }
        let floats = model.network.convolutionFloats
        kernels.sum_rows(firstChunks, floats, chunkSums.pointer, floats, chunkSums.pointer + (firstChunks - 1) * floats)
    }

    private func backgroundBackward(_ thread: Int) {
        guard sumsBackground else { return }
        backward.addBackground(pairs: pairs(ofChunks: firstChunks ..< chunks), to: backgroundGradients.pointer)
        backward.background(backgroundGradients.pointer, sums: zeroedSum(chunks), scratch: scratch(thread))
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
