import CDiptychPlatform

/// The MLP's l2's inputs that are not zero for at least one image of a batch. Behind a ReLU they may be few: a quarter after two
/// epochs. Only their weights take part in a step, because the others' products and gradients are zero; but Adam moves a weight on
/// without a gradient, too, and these updates wait until the input is live again, or until `Batch.settle`.
///
/// The live inputs' columns lie side by side in `x`: all but the place of their weights is as in a layer of that width. Its zeros, and
/// those of the gradients, are left out by lists (LiveInputs+Lists.swift).
final class LiveInputs: @unchecked Sendable {
    static let items = 16

    /// An item's share of `count`.
    static func share(_ count: Int, _ item: Int, of items: Int = items) -> Range<Int> { count * item / items ..< count * (item + 1) / items }

    let layer: DenseLayer
    /// [run of rows][input]: a bit for each.
    private let live: Buffer<UInt8>
    private let liveIndices: Buffer<Int32>
    private let livePlaces: Buffer<Int32>
    /// [input]: its place among the live ones, or behind all inputs.
    private let ranks: Buffer<Int32>
    private let values: Buffer<Float>
    /// x's rows, in blocks of live inputs; a value's place is its weights' in a panel.
    let rowLists: BlockedLists
    /// The outputs' gradients' rows, in blocks of outputs, and their columns, in blocks of images; a value's place is its line's in a
    /// block of transposed weights, or its row's in x.
    let gradientRows: BlockedLists
    let gradientColumns: BlockedLists
    /// The live inputs' gradients' columns, in blocks of images, and behind them an empty list; a value's place is its row's in l1's
    /// input.
    let inputGradients: BlockedLists
    let inputRow: Int
    private let threads: Int
    /// How many steps the optimizer has done on an input's weights, of those that it remembers.
    private let stepsDone: Buffer<Int32>
    /// The inputs whose weights are to make up for steps that they missed, and how many they have done.
    private let latePlaces: Buffer<Int32>
    private let lateDone: Buffer<Int32>
    private var lateCount = 0

    private(set) var count = 0
    /// `count` rounded up to an odd number of panels: rows that lie a power of two apart would fall into the same sets of the cache.
    private(set) var width = 16

    /// [row][width]: the live inputs, and zeros.
    var x: UnsafeMutablePointer<Float> { values.pointer }
    /// [width]: where their weights begin in a panel, ascending; behind those of the live inputs any others.
    var places: UnsafePointer<Int32> { UnsafePointer(livePlaces.pointer) }

    /// The live inputs' panels are shared out among groups of mostly 4 or 6, as many for each thread: for so many the kernel has loops,
    /// and their weights stay in the second-level cache from their input gradient to their update.
    private(set) var groups = 1
    /// The most that there may be, and an item for each.
    let mostGroups: Int

    /// As many as there are of `inputs` live ones.
    private static func groups(_ inputs: Int, _ threads: Int) -> Int {
        let most = max(1, inputs / 64)
        return most < threads ? most : most / threads * threads
    }

    func panels(ofGroup group: Int) -> Range<Int> {
        let all = max(1, padded(count) / 16), pairs = Self.share((all + 1) / 2, group, of: groups)
        return 2 * pairs.lowerBound ..< min(all, 2 * pairs.upperBound)
    }

    /// Whether a network's second layer is large enough to gain by it.
    static func isWorthwhile(_ network: Network) -> Bool {
        let layer = network.dense[1]
        return network.convolutions == nil && !layer.layer.separate && layer.inputs * layer.outputs >= 1 << 18
    }

    /// For up to `rows` images, of which `runs` runs are looked at one by one.
    init(_ network: Network, rows: Int, runs: Int, on pool: WorkerPool) throws(DiptychError) {
        let what: StaticString = "a batch's live inputs"
        layer = network.dense[1]
        threads = pool.threads
        inputRow = network.dense[0].inputs
        let inputs = layer.inputs, width = inputs + 16
        mostGroups = Self.groups(inputs, threads)
        live = try Buffer(count: runs * inputs / 8, for: what)
        liveIndices = try Buffer(count: width, for: what)
        livePlaces = try Buffer(count: width, for: what)
        ranks = try Buffer(count: inputs, for: what)
        values = try Buffer(count: rows * width, for: what, on: pool)
        rowLists = try BlockedLists(blocks: Self.blocks(width), lists: rows, depth: Self.depth, for: what, on: pool)
        gradientRows = try BlockedLists(blocks: (layer.outputs + BackwardPass.depthBlock - 1) / BackwardPass.depthBlock, lists: rows,
                                        depth: BackwardPass.depthBlock, for: what, on: pool)
        let columns = (blocks: Self.blocks(rows), depth: min(rows, Self.depth))
        gradientColumns = try BlockedLists(blocks: columns.blocks, lists: layer.outputs, depth: columns.depth, for: what, on: pool)
        inputGradients = try BlockedLists(blocks: columns.blocks, lists: inputs + 1, depth: columns.depth, for: what, on: pool)
        stepsDone = try Buffer(count: inputs, for: what)
        latePlaces = try Buffer(count: inputs, for: what)
        lateDone = try Buffer(count: inputs, for: what)
    }

    // MARK: Which are live

    /// Which of `inputs` are live in `rows`, which are run `run`.
    func find(_ inputs: Range<Int>, rows: Range<Int>, run: Int, in x: UnsafePointer<Float>) {
        kernels.live_columns(rows.count, inputs.count, x + rows.lowerBound * layer.inputs + inputs.lowerBound, layer.inputs,
                             live.pointer + (run * layer.inputs + inputs.lowerBound) / 8)
    }

    /// Lists the inputs that are live in any of the first `runs` runs, or all, for the step after the first `steps`, and those of them
    /// that have missed some.
    func list(all: Bool, runs: Int, steps: Int) {
        count = 0
        lateCount = 0
        for eight in 0 ..< layer.inputs / 8 {
            var bits: UInt8 = all ? 0xFF : 0
            for run in 0 ..< runs { bits |= live[run * (layer.inputs / 8) + eight] }
            for input in 8 * eight ..< 8 * eight + 8 {
                guard bits >> UInt8(input % 8) & 1 == 1 else {
                    ranks[input] = Int32(truncatingIfNeeded: layer.inputs)
                    continue
                }
                ranks[input] = Int32(truncatingIfNeeded: count)
                liveIndices[count] = Int32(truncatingIfNeeded: input)
                count += 1
                addIfLate(input, steps)
                stepsDone[input] = Int32(truncatingIfNeeded: steps + 1)
            }
        }
        groups = Self.groups(count, threads)
        width = 16 * (padded(count) / 16 | 1)
        for k in count ..< width { liveIndices[k] = 0 }
        for k in 0 ..< width { livePlaces[k] = 16 * liveIndices[k] }
    }

    /// Copies the live columns of rows `rows`.
    func gather(_ rows: Range<Int>, of x: UnsafePointer<Float>) {
        for row in rows {
            let source = x + row * layer.inputs, target = self.x + row * width
            for k in 0 ..< count { target[k] = source[Int(liveIndices[k])] }
            for k in count ..< width { target[k] = 0 }
        }
    }

    /// The lists in `inputGradients` of the 16 inputs of a panel.
    func gradientOf(panel: Int) -> UnsafePointer<Int32> { UnsafePointer(ranks.pointer + 16 * panel) }

    // MARK: Updates that wait

    /// Lists all inputs that have missed any of the first `steps`, which are then forgotten.
    func listLate(steps: Int) {
        lateCount = 0
        for input in 0 ..< layer.inputs {
            addIfLate(input, steps)
            stepsDone[input] = 0
        }
    }

    private func addIfLate(_ input: Int, _ steps: Int) {
        guard stepsDone[input] < steps else { return }
        latePlaces[lateCount] = Int32(truncatingIfNeeded: 16 * input)
        lateDone[lateCount] = stepsDone[input]
        lateCount += 1
    }

    /// Brings the weights of `panels` up to date, of the inputs that the last list found late.
    func catchUp(_ panels: Range<Int>, _ optimizer: Optimizer, _ parameters: UnsafeMutablePointer<Float>) {
        for panel in panels {
            optimizer.catchUp(offset: layer.weights.0 + 16 * panel * layer.inputs, places: latePlaces.pointer, done: lateDone.pointer,
                              count: lateCount, parameters: parameters)
        }
    }
}
