import CDiptychPlatform

/// The way back through a pass: gradients of the activations, at their places in a block of their own, and of the
/// parameters.
struct BackwardPass {
    let forward: Pass
    let base: UnsafeMutablePointer<Float>
    /// 1 / (1 - dropout): what the kept units were scaled by.
    let dropoutScale: Float

    var network: Network { forward.network }
    var layout: PassLayout { forward.layout }
    var parameters: UnsafeMutablePointer<Float> { forward.model.parameters.pointer }

    /// Input panels that are transposed at a time, and the depth of such a block.
    static let panelBlock = 24
    static let depthBlock = 256
    static let denseScratch = panelBlock * depthBlock * 16 + dp_lists.floats

    /// The gradient of the input of the branch's dense layer `index`: of its panels in `panels`, for images of `pairs`.
    /// The input is a ReLU's output with or without dropout: where it is not positive, nothing passes.
    func dense(_ index: Int, pairs: Range<Int>, panels: Range<Int>, scratch: UnsafeMutablePointer<Float>) {
        let inputOffset = index == 0 ? layout.features : layout.outputs[index - 1]
        let dropped = index > 0 && network.dense[index - 1].layer.dropout
        backward(network.dense[index], gradient: base + layout.outputs[index], inputGradient: base + inputOffset,
                 input: forward.base + inputOffset, scale: dropped ? dropoutScale : 1,
                 rows: 2 * pairs.lowerBound ..< 2 * pairs.upperBound, panels: panels, scratch: scratch)
    }

    /// The same of panels of live inputs alone, as [row][16 * panels.count], by the lists of the outputs' gradients.
    func dense(_ index: Int, live: LiveInputs, rows: Int, panels: Range<Int>, into target: UnsafeMutablePointer<Float>,
               scratch: UnsafeMutablePointer<Float>) {
        let layer = network.dense[index], width = 16 * panels.count
        for block in 0 ..< live.gradientRows.blocks {
            let first = Self.depthBlock * block, depth = min(Self.depthBlock, layer.outputs - first)
            for (k, panel) in panels.enumerated() {
                kernels.transpose_panels(depth / 16, parameters + layer.weights.0 + first * layer.inputs, 16 * layer.inputs,
                                         live.places + 16 * panel, scratch + k * 16 * depth)
            }
            kernels.multiply_lists(rows, panels.count, live.gradientRows.block(block), nil, scratch, 16 * depth, target, width, 16, block > 0)
        }
        let scale = network.dense[index - 1].layer.dropout ? dropoutScale : 1
        kernels.relu_gradient(rows, width, live.x + 16 * panels.lowerBound, live.width, scale, target, width)
    }

    /// From the gradient of fc5's output to that of the logits, without the auxiliary loss.
    func head(pairs: Range<Int>, scratch: UnsafeMutablePointer<Float>) {
        let fc4 = network.head[0], fc5 = network.head[1]
        backward(fc5, gradient: base + layout.head.1, inputGradient: base + layout.head.0,
                 input: forward.base + layout.head.0, scale: 1, rows: pairs, panels: 0 ..< fc5.inputs / 16, scratch: scratch)
        backward(fc4, gradient: base + layout.head.0, inputGradient: base + layout.outputs[layout.outputs.count - 1],
                 input: nil, scale: 1, rows: pairs, panels: 0 ..< fc4.inputs / 16, scratch: scratch)
    }

    /// The gradient is zero wherever the layer's own ReLU or dropout was: it is multiplied by lists.
    private func backward(_ layer: DenseLayer, gradient: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>,
                          input: UnsafePointer<Float>?, scale: Float, rows: Range<Int>, panels: Range<Int>,
                          scratch: UnsafeMutablePointer<Float>) {
        let turns = layer.layer.separate ? 2 : 1, lists = dp_lists(scratch + Self.panelBlock * Self.depthBlock * 16)
        let width = layer.inputs, row = turns * width, gradientRow = turns * layer.outputs
        for turn in 0 ..< turns {
            let weights = parameters + (turn == 0 ? layer.weights.0 : layer.weights.1)
            let first = rows.lowerBound + turn, count = rows.count / turns
            var start = panels.lowerBound
            while start < panels.upperBound {
                let block = min(Self.panelBlock, panels.upperBound - start)
                let target = inputGradient + first * width + 16 * start
                var done = 0
                while done < layer.outputs {
                    let depth = min(Self.depthBlock, layer.outputs - done)
                    for panel in 0 ..< block {
                        kernels.transpose_panels(depth / 16, weights + done * width + 256 * (start + panel), 16 * width, rowPlaces,
                                                 scratch + panel * 16 * depth)
                    }
                    lists.multiply(rows: count, panels: block, depth: depth, x: gradient + first * layer.outputs + done, xRow: gradientRow,
                                   b: scratch, bPanel: 16 * depth, into: target, row: row, accumulate: done > 0)
                    done += depth
                }
                if let input {
                    kernels.relu_gradient(count, 16 * block, input + first * width + 16 * start, row, scale, target, row)
                }
                start += block
            }
        }
    }

    /// Panels of live inputs that are taken at a time, at most.
    static let livePanels = 8

    /// Floats of scratch that a group of live inputs needs: its gradient, and the larger of its transposed weights and their gradient.
    static func liveScratch(rows: Int) -> Int { 16 * livePanels * (rows + max(depthBlock, 2 * 16)) }

    /// Inputs and panels whose weights' gradient is made at a time.
    static let weightInputs = 192
    static let weightPanels = Int(DP_LISTS) / 16
    private static let weightFloats = 16 * weightPanels * weightInputs
    static let weightScratch = 2 * weightFloats + dp_lists.floats

    /// The gradient of the weights of `panels`, at most `weightPanels`, for `inputs`, at most `weightInputs`:
    /// [panel][inputs][16], at the beginning of `scratch`. `image` tells which of a separate layer's weights; `rows` counts
    /// the rows of the pass (images in the branch, pairs in the head). `listed` has the lists of the outputs' gradients, where they
    /// are made.
    func weights(_ layer: DenseLayer, image: Int, rows: Int, panels: Range<Int>, inputs: Range<Int>, input: UnsafePointer<Float>,
                 gradient: UnsafePointer<Float>, listed: LiveInputs? = nil, scratch: UnsafeMutablePointer<Float>) {
        // An output unit's share is a sum over the rows where its gradient is not zero: [panel][inputs / 16][unit][16].
        let sums = scratch + Self.weightFloats, lists = dp_lists(sums + Self.weightFloats)
        let turns = layer.layer.separate ? 2 : 1, floats = 16 * inputs.count
        for block in 0 ..< LiveInputs.blocks(rows / turns) {
            let done = Int(DP_LIST_DEPTH) * block, depth = min(Int(DP_LIST_DEPTH), rows / turns - done)
            let first = image + turns * done
            if listed == nil {
                kernels.list_columns(depth, 16 * panels.count, gradient + first * layer.outputs + 16 * panels.lowerBound,
                                     turns * layer.outputs, turns * layer.inputs, lists)
            }
            for (k, panel) in panels.enumerated() {
                kernels.multiply_lists(16, inputs.count / 16, listed?.inputGradients.block(block) ?? lists.dropFirst(16 * k),
                                       listed.map { $0.gradientOf(panel: panel) }, input + first * layer.inputs + inputs.lowerBound, 16,
                                       sums + k * floats, 16, 256, block > 0)
            }
        }
        for panel in 0 ..< panels.count {
            kernels.transpose_panels(inputs.count / 16, sums + panel * floats, 256, rowPlaces, scratch + panel * floats)
        }
    }

    /// The gradient of one panel of the weights of panels `inputs` of live inputs, at most `livePanels`: [inputs][16], at the beginning
    /// of `scratch`.
    func weights(_ live: LiveInputs, rows: Int, panel: Int, inputs: Range<Int>, scratch: UnsafeMutablePointer<Float>) {
        let sums = scratch + 256 * Self.livePanels
        for block in 0 ..< LiveInputs.blocks(rows) {
            kernels.multiply_lists(16, inputs.count, live.gradientColumns.block(block, from: 16 * panel), nil,
                                   live.x + block * Int(DP_LIST_DEPTH) * live.width + 16 * inputs.lowerBound, 16, sums, 16, 256, block > 0)
        }
        kernels.transpose_panels(inputs.count, sums, 256, rowPlaces, scratch)
    }

    /// The gradient of one panel's bias.
    func bias(_ layer: DenseLayer, image: Int, rows: Int, panel: Int, gradient: UnsafePointer<Float>,
              into target: UnsafeMutablePointer<Float>) {
        let turns = layer.layer.separate ? 2 : 1
        kernels.sum_rows(rows / turns, 16, gradient + image * layer.outputs + 16 * panel, turns * layer.outputs, target)
    }

    // MARK: Convolutions

    /// Between cl1's output and its gradient, which are used together: at a multiple of 4 KB, which an image often is, both
    /// would take the same sets of the first-level cache.
    private static let imageGap = 13 * 16

    /// Floats of scratch that `convolutions` and `background` need.
    static func convolutionScratch(_ network: Network) -> Int {
        guard let c = network.convolutions else { return 0 }
        let act = padded(c.plane * c.shape.channels), shape = dp_conv_shape(c)
        return 2 * act + imageGap + dp_conv_shape.actOffsets + padded(2 * dp_windows_capacity(shape)) + padded(dp_conv_pool_backward_scratch(shape))
    }

    /// Adds the gradients of the convolutions' parameters for the images of `pairs` to `sums`, which lie as the
    /// parameters do: all, or without the tiles of background, which are left to `background`. cl1 is computed again: that costs
    /// less than keeping its output.
    func convolutions(pairs: Range<Int>, withBackground: Bool, sums: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>) {
        guard let c = network.convolutions, let blank = forward.model.blankImage else { return }
        let shape = dp_conv_shape(c)
        let act = scratch + shape.actOffset, rest = scratch + padded(c.plane * c.shape.channels)
        let row = network.dense[0].inputs, features = c.windows * c.shape.channels
        for image in 2 * pairs.lowerBound ..< 2 * pairs.upperBound {
            let x = forward.base + layout.input + image * layout.inputRow
            let tiles = withBackground ? blank.tiles : forward.liveTiles(c, image: image)
            shape.kernels.conv_first(shape, tiles.area, x, parameters + c.weights1, parameters + c.bias1, act)
            convolutions(c, image % 2, tiles, x, act: act, gradient: base + layout.features + image * row,
                         choice: forward.choice + image * features, sums: sums, scratch: rest)
        }
    }

    /// Floats of the background's gradients: those of a blank image's features, or of a first and a second one's.
    static func backgroundFloats(_ network: Network) -> Int { network.convolutions.map { $0.sides * $0.featureBlock } ?? 0 }

    /// Adds the gradients of the features of background of the images of `pairs` to `gradients`.
    func addBackground(pairs: Range<Int>, to gradients: UnsafeMutablePointer<Float>) {
        guard let c = network.convolutions else { return }
        let shape = dp_conv_shape(c), row = network.dense[0].inputs
        for image in 2 * pairs.lowerBound ..< 2 * pairs.upperBound {
            let tiles = forward.liveTiles(c, image: image)
            dp_add_blank(shape, tiles.runCount, tiles.runs, base + layout.features + image * row, gradients + image % c.sides * c.featureBlock)
        }
    }

    /// The way back of the tiles of background alone. These see what they would see in a blank image, so it is taken once for all of
    /// them, with their `gradients`' sums.
    func background(_ gradients: UnsafePointer<Float>, sums: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>) {
        guard let c = network.convolutions, let blank = forward.model.blankImage else { return }
        for side in 0 ..< c.sides {
            convolutions(c, side, blank.tiles, blank.plane, act: blank.act, gradient: gradients + side * c.featureBlock,
                         choice: blank.choice(side), sums: sums, scratch: scratch)
        }
    }

    /// One image's share, by a first (0) or second (1) image's weights: x is its standardised plane, act cl1's output.
    @inline(never)
    private func convolutions(_ c: ConvolutionLayers, _ side: Int, _ tiles: LiveTiles, _ x: UnsafePointer<Float>, act: UnsafePointer<Float>,
                              gradient: UnsafePointer<Float>, choice: UnsafePointer<UInt8>, sums: UnsafeMutablePointer<Float>,
                              scratch: UnsafeMutablePointer<Float>) {
        let shape = dp_conv_shape(c), actGradient = scratch + (Self.imageGap + shape.actOffset)
        let listed = scratch + (Self.imageGap + padded(c.plane * c.shape.channels) + dp_conv_shape.actOffsets)
        let places = UnsafeMutableRawPointer(listed).assumingMemoryBound(to: Int32.self), most = dp_windows_capacity(shape)
        var windows = dp_windows(count: 0, features: places, corners: places + most)
        dp_run_windows(shape, tiles.runCount, tiles.runs, &windows)
        let weights = side == 0 ? c.weights2.0 : c.weights2.1, bias = side == 0 ? c.bias2.0 : c.bias2.1
        shape.kernels.conv_pool_backward(shape, windows, tiles.area, act, parameters + weights, gradient, choice, sums + weights, sums + bias,
                                         actGradient, listed + padded(2 * most))
        shape.kernels.conv_first_backward(shape, tiles.area, x, act, actGradient, sums + c.weights1, sums + c.bias1)
    }
}
