import CDiptychPlatform

/// The inputs of a wide dense layer that are not zero for at least one image of a batch. Behind a ReLU they may be few: of the MLP's l2 a
/// quarter after two epochs. Only their weights take part in a step, because the others' products and gradients are zero; but Adam
/// moves a weight on without a gradient, too, and these updates wait until the input is live again, or until `Batch.settle`.
///
/// The live inputs' columns lie side by side in `x`: all but the place of their weights is as in a layer of that width.
final class LiveInputs: @unchecked Sendable {
    /// Inputs of an item of `find`, and items of all other work.
    static let blockInputs = 512, items = 16

    /// An item's share of `count`.
    static func share(_ count: Int, _ item: Int) -> Range<Int> { count * item / items ..< count * (item + 1) / items }

    let layer: DenseLayer
    /// A bit for each input.
    private let live: Buffer<UInt8>
    private let liveIndices: Buffer<Int32>
    private let livePlaces: Buffer<Int32>
    private let values: Buffer<Float>
    private let gradients: Buffer<Float>
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
    /// Their gradient, as they lie.
    var gradient: UnsafeMutablePointer<Float> { gradients.pointer }
    /// [width]: where their weights begin in a panel, ascending; behind those of the live inputs any others.
    var places: UnsafePointer<Int32> { UnsafePointer(livePlaces.pointer) }

    /// Whether a layer is large enough to gain by it.
    static func isWorthwhile(_ layer: DenseLayer) -> Bool { !layer.layer.separate && layer.inputs * layer.outputs >= 1 << 18 }

    init(_ layer: DenseLayer, rows: Int, on pool: WorkerPool) throws(DiptychError) {
        self.layer = layer
        let width = layer.inputs + 16
        live = try Buffer(count: layer.inputs / 8, for: "a batch's live inputs")
        liveIndices = try Buffer(count: width, for: "a batch's live inputs")
        livePlaces = try Buffer(count: width, for: "a batch's live inputs")
        values = try Buffer(count: rows * width, for: "a batch's live inputs", on: pool)
        gradients = try Buffer(count: rows * width, for: "a batch's live inputs", on: pool)
        stepsDone = try Buffer(count: layer.inputs, for: "a batch's live inputs")
        latePlaces = try Buffer(count: layer.inputs, for: "a batch's live inputs")
        lateDone = try Buffer(count: layer.inputs, for: "a batch's live inputs")
    }

    /// Which of the inputs of block `item` are live.
    func find(_ item: Int, in x: UnsafePointer<Float>, rows: Int) {
        let first = item * Self.blockInputs, count = min(Self.blockInputs, layer.inputs - first)
        kernels.live_columns(rows, count, x + first, layer.inputs, live.pointer + first / 8)
    }

    /// Lists the live inputs, or all, for the step after the first `steps`, and those of them that have missed some.
    func list(all: Bool, steps: Int) {
        count = 0
        lateCount = 0
        for input in 0 ..< layer.inputs where all || live[input / 8] >> UInt8(input % 8) & 1 == 1 {
            liveIndices[count] = Int32(truncatingIfNeeded: input)
            count += 1
            addIfLate(input, steps)
            stepsDone[input] = Int32(truncatingIfNeeded: steps + 1)
        }
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

    /// Copies the gradient of columns `columns` to their inputs, for all rows, and zeros to those between them.
    func scatter(_ columns: Range<Int>, rows: Int, into target: UnsafeMutablePointer<Float>) {
        func input(_ column: Int) -> Int { column < count ? Int(liveIndices[column]) : layer.inputs }
        let columns = columns.clamped(to: 0 ..< count)
        let first = columns.lowerBound == 0 ? 0 : input(columns.lowerBound), end = input(columns.upperBound)
        for row in 0 ..< rows {
            let source = gradient + row * width, target = target + row * layer.inputs
            memset(target + first, 0, (end - first) * MemoryLayout<Float>.stride)
            for k in columns { target[Int(liveIndices[k])] = source[k] }
        }
    }

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
