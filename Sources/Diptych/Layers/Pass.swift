import CDiptychPlatform

/// Where the activations of up to `pairs` pairs lie in one block of floats. Every row belongs to one image (the two of
/// a pair follow each other), in the head to one pair. Gradients lie at the same places of a block of their own.
struct PassLayout {
    let pairs: Int
    /// cl2's pooled output, where there are convolutions.
    let features: Int
    /// The branch's dense layers' outputs; the last are the logits.
    let outputs: [Int]
    let head: (Int, Int)
    /// The floats so far: all that has a gradient.
    let activationFloats: Int
    /// Standardised images: a bordered plane each for convolutions, a plain row for dense layers.
    let input: Int
    let inputRow: Int
    /// Which of a pool window's four was greatest, a byte each.
    let choice: Int
    /// The images' `LiveTiles`.
    let tiles: Int
    let tilesRow: Int
    let floats: Int

    init(_ network: Network, pairs: Int) {
        self.pairs = pairs
        var end = 0
        func take(_ count: Int) -> Int {
            defer { end += padded(count) }
            return end
        }
        features = take(network.convolutions == nil ? 0 : 2 * pairs * network.dense[0].inputs)
        outputs = network.dense.map { take(2 * pairs * $0.outputs) }
        head = (take(pairs * network.head[0].outputs), take(pairs * network.head[1].outputs))
        activationFloats = end
        inputRow = network.convolutions.map { padded($0.plane) } ?? network.dense[0].inputs
        input = take(2 * pairs * inputRow)
        choice = take(network.convolutions.map { (2 * pairs * $0.windows * $0.shape.channels + 3) / 4 } ?? 0)
        tilesRow = network.convolutions.map(LiveTiles.floats) ?? 0
        tiles = take(2 * pairs * tilesRow)
        floats = end
    }
}

/// A model's forward pass over a block of pairs. The parts are apart so that training can share each out among
/// threads; predicting calls them one after another.
struct Pass {
    let model: Model
    let layout: PassLayout
    let base: UnsafeMutablePointer<Float>

    var network: Network { model.network }

    /// The input of the branch's dense layer `index`.
    func denseInput(_ index: Int) -> UnsafeMutablePointer<Float> {
        if index > 0 { return base + layout.outputs[index - 1] }
        return base + (network.convolutions == nil ? layout.input : layout.features)
    }

    var logits: UnsafeMutablePointer<Float> { base + layout.outputs[layout.outputs.count - 1] }

    var choice: UnsafeMutablePointer<UInt8> {
        UnsafeMutableRawPointer(base + layout.choice).assumingMemoryBound(to: UInt8.self)
    }

    /// What of an image is not background, once `convolve` has seen it.
    func liveTiles(_ c: ConvolutionLayers, image: Int) -> LiveTiles {
        LiveTiles(c, at: base + layout.tiles + image * layout.tilesRow)
    }

    // MARK: Input

    /// Standardises one image's pixels, `moved` down and to the right, into row `image` of the input. Where none come to lie there
    /// is background.
    func load(_ pixels: UnsafePointer<Float>, image: Int, moved: (down: Int, right: Int) = (0, 0)) {
        let row = base + layout.input + image * layout.inputRow
        let height = network.description.height, width = network.description.width
        let border = network.convolutions == nil ? 0 : 1
        let stride = width + 2 * border
        let scale = 1 / model.standardDeviation, mean = model.mean, background = model.background
        if moved != (0, 0) {
            for y in 0 ..< height {
                for x in 0 ..< width { row[(y + border) * stride + border + x] = background }
            }
        }
        let top = max(0, moved.down), left = max(0, moved.right)
        kernels.standardise(height - abs(moved.down), width - abs(moved.right), pixels + ((top - moved.down) * width + left - moved.right), width,
                            mean, scale, row + ((top + border) * stride + border + left), stride)
    }

    // MARK: Convolutions

    /// Floats of scratch that `convolve` needs.
    static func convolveScratch(_ network: Network) -> Int {
        guard let c = network.convolutions else { return 0 }
        return dp_conv_shape.actOffsets + 2 * padded(c.plane * c.shape.channels) + padded(2 * c.tiles) + dp_conv_pool_scratch(c.shape.channels)
    }

    /// cl1, cl2 and pool of both images of a pair, whose input is loaded. Where a tile sees nothing but background its
    /// result is the blank image's, which the model knows, and of cl1's output only what the other tiles see is made. `shared` tells
    /// whether other threads have read the features that were there.
    func convolve(pair: Int, shared: Bool = false, scratch: UnsafeMutablePointer<Float>) {
        guard let c = network.convolutions, let blank = model.blankImage else { return }
        let shape = dp_conv_shape(c), parameters = model.parameters.pointer
        let act = scratch + shape.actOffset, actStride = c.plane * c.shape.channels
        let listStart = scratch + dp_conv_shape.actOffsets + 2 * padded(actStride), rest = listStart + padded(2 * c.tiles)
        let list = UnsafeMutableRawPointer(listStart).assumingMemoryBound(to: Int32.self)
        let features = c.windows * c.shape.channels, row = network.dense[0].inputs
        // Both images in one go where they share weights and their features follow each other without a gap.
        let together = !c.separate && row == features
        var count = 0
        for image in 0 ..< 2 {
            let index = 2 * pair + image
            let x = base + layout.input + index * layout.inputRow
            let pooled = base + layout.features + index * row, choice = choice + index * features
            let live = liveTiles(c, image: index), tiles = live.list
            live.find(in: x, background: model.background)
            shape.kernels.conv_first(shape, live.area, x, parameters + c.weights1, parameters + c.bias1, act + image * actStride)
            dp_copy_blank(shape, live.runCount, live.runs, blank.features(image), blank.choice(image), pooled, choice)
            if !together {
                shape.kernels.conv_pool(shape, live.count, tiles, act + image * actStride, model.transformedWeights(image),
                                        parameters + (image == 0 ? c.bias2.0 : c.bias2.1), pooled, choice, shared, rest)
                continue
            }
            let before = Int32(truncatingIfNeeded: image * c.tiles)
            for k in 0 ..< live.count { list[count + k] = tiles[k] + before }
            count += live.count
            if image == 1 {
                shape.kernels.conv_pool(shape, count, list, act, model.transformedWeights(0), parameters + c.bias2.0, pooled - row,
                                        choice - features, shared, rest)
            }
        }
    }

    // MARK: Dense layers

    /// Floats of scratch that `dense` and `head` need.
    static let denseScratch = dp_lists.floats

    /// One of the branch's dense layers, for all images of `pairs` and the output panels in `panels`; `live` are its inputs that
    /// are not zero for at least one image, where that is known.
    func dense(_ index: Int, live: LiveInputs? = nil, pairs: Range<Int>, panels: Range<Int>, scratch: UnsafeMutablePointer<Float>) {
        forward(network.dense[index], input: denseInput(index), live: live, output: base + layout.outputs[index],
                rows: 2 * pairs.lowerBound ..< 2 * pairs.upperBound, panels: panels, scratch: scratch)
    }

    /// fc4 and fc5.
    func head(pairs: Range<Int>, scratch: UnsafeMutablePointer<Float>) {
        let fc4 = network.head[0], fc5 = network.head[1]
        forward(fc4, input: logits, output: base + layout.head.0, rows: pairs, panels: 0 ..< fc4.panels, scratch: scratch)
        forward(fc5, input: base + layout.head.0, output: base + layout.head.1, rows: pairs, panels: 0 ..< fc5.panels, scratch: scratch)
    }

    private func forward(_ layer: DenseLayer, input: UnsafePointer<Float>, live: LiveInputs? = nil, output: UnsafeMutablePointer<Float>,
                         rows: Range<Int>, panels: Range<Int>, scratch: UnsafeMutablePointer<Float>) {
        let parameters = model.parameters.pointer
        let turns = layer.layer.separate ? 2 : 1
        for turn in 0 ..< turns {
            let first = rows.lowerBound + turn, count = rows.count / turns
            let weights = parameters + (turn == 0 ? layer.weights.0 : layer.weights.1)
            let bias = parameters + (turn == 0 ? layer.bias.0 : layer.bias.1)
            let target = output + first * layer.outputs + 16 * panels.lowerBound
            let firstPanel = weights + 16 * panels.lowerBound * layer.inputs
            if let live, live.isSparse(rows) {
                live.multiply(rows, panels: panels.count, weights: firstPanel, into: target)
            } else {
                product(layer, rows: count, panels: panels.count, x: input + first * layer.inputs, xRow: turns * layer.inputs,
                        weights: firstPanel, into: target, row: turns * layer.outputs, lists: dp_lists(scratch))
            }
            kernels.bias_relu(count, 16 * panels.count, bias + 16 * panels.lowerBound, layer.layer.relu, target,
                              turns * layer.outputs)
        }
    }

    /// x times weights, in either of two ways with the same bits where the weights are finite: as it stands, or by lists of what is
    /// not zero in x.
    private func product(_ layer: DenseLayer, rows: Int, panels: Int, x: UnsafePointer<Float>, xRow: Int, weights: UnsafePointer<Float>,
                         into target: UnsafeMutablePointer<Float>, row targetRow: Int, lists: dp_lists) {
        // Lists are dearer by the value, and cost something to make: they win in long rows of which not too much is left. A few rows tell.
        let sample = min(rows, 4)
        guard layer.inputs >= 256, 100 * kernels.count_nonzeros(sample, layer.inputs, x, xRow) < kernels.sparse_percent * sample * layer.inputs else {
            return kernels.multiply(rows, panels, layer.inputs, x, xRow, weights, 16 * layer.inputs, target, targetRow)
        }
        // A block of four panels stays in the first-level cache. More panels do not, so there longer lists are better.
        let depth = panels <= 4 ? 128 : Int(DP_LIST_DEPTH)
        var done = 0
        while done < layer.inputs {
            let width = min(depth, layer.inputs - done)
            lists.multiply(rows: rows, panels: panels, depth: width, x: x + done, xRow: xRow, b: weights + 16 * done,
                           bPanel: 16 * layer.inputs, into: target, row: targetRow, accumulate: done > 0)
            done += width
        }
    }

    /// Floats of scratch that `run` needs.
    static func scratch(_ network: Network) -> Int { max(convolveScratch(network), denseScratch) }

    /// The whole pass for the first `count` pairs of the block, whose inputs are loaded.
    func run(pairs count: Int, scratch: UnsafeMutablePointer<Float>) {
        if network.convolutions != nil {
            for pair in 0 ..< count { convolve(pair: pair, scratch: scratch) }
        }
        for (index, layer) in network.dense.enumerated() { dense(index, pairs: 0 ..< count, panels: 0 ..< layer.panels, scratch: scratch) }
        head(pairs: 0 ..< count, scratch: scratch)
    }
}

extension dp_conv_shape {
    /// How far behind a cache line's beginning cl1's output begins: of images of an even width, two pixels of eight channels inside the
    /// border then fill a line. And the floats that are kept for it, a line.
    var actOffset: Int { channels % 16 }
    static let actOffsets = 16

    init(_ c: ConvolutionLayers) {
        self.init(height: c.shape.height, width: c.shape.width, channels: c.shape.channels)
    }
}
