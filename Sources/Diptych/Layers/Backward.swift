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

    /// The same of its live inputs alone, into their gradient, of panels of columns as they lie there.
    func dense(_ index: Int, live: LiveInputs, rows: Int, panels: Range<Int>, scratch: UnsafeMutablePointer<Float>) {
        let dropped = network.dense[index - 1].layer.dropout
        backward(network.dense[index], gradient: base + layout.outputs[index], inputGradient: live.gradient, input: live.x,
                 scale: dropped ? dropoutScale : 1, live: live, rows: 0 ..< rows, panels: panels, scratch: scratch)
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
                          input: UnsafePointer<Float>?, scale: Float, live: LiveInputs? = nil, rows: Range<Int>, panels: Range<Int>,
                          scratch: UnsafeMutablePointer<Float>) {
        let turns = layer.layer.separate ? 2 : 1, lists = dp_lists(scratch + Self.panelBlock * Self.depthBlock * 16)
        let width = live?.width ?? layer.inputs, row = turns * width, gradientRow = turns * layer.outputs
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
                        let first = 16 * (start + panel), source = weights + done * layer.inputs
                        kernels.transpose_panels(depth / 16, live == nil ? source + 16 * first : source, 16 * layer.inputs,
                                                 live.map { $0.places + first } ?? rowPlaces, scratch + panel * 16 * depth)
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

    /// Inputs and panels whose weights' gradient is made at a time.
    static let weightInputs = 192
    static let weightPanels = Int(DP_LISTS) / 16
    private static let weightFloats = 16 * weightPanels * weightInputs
    static let weightScratch = 2 * weightFloats + dp_lists.floats

    /// The gradient of the weights of `panels`, at most `weightPanels`, for `inputs`, at most `weightInputs`:
    /// [panel][inputs][16], at the beginning of `scratch`. `image` tells which of a separate layer's weights; `rows` counts
    /// the rows of the pass (images in the branch, pairs in the head), which are `width` long in `input`. `listed`: the last use of
    /// `scratch` was for these panels, too.
    func weights(_ layer: DenseLayer, image: Int, rows: Int, panels: Range<Int>, inputs: Range<Int>, input: UnsafePointer<Float>,
                 width: Int, gradient: UnsafePointer<Float>, listed: Bool = false, scratch: UnsafeMutablePointer<Float>) {
        // An output unit's share is a sum over the rows where its gradient is not zero: [panel][inputs / 16][unit][16].
        let sums = scratch + Self.weightFloats, lists = dp_lists(sums + Self.weightFloats)
        let turns = layer.layer.separate ? 2 : 1, floats = 16 * inputs.count
        var done = 0
        while done < rows / turns {
            let depth = min(Int(DP_LIST_DEPTH), rows / turns - done)
            let first = image + turns * done
            if !listed || depth < rows / turns {
                kernels.list_columns(depth, 16 * panels.count, gradient + first * layer.outputs + 16 * panels.lowerBound,
                                     turns * layer.outputs, turns * width, lists)
            }
            for panel in 0 ..< panels.count {
                kernels.multiply_lists(16, inputs.count / 16, lists.dropFirst(16 * panel), input + first * width + inputs.lowerBound,
                                       16, sums + panel * floats, 16, 256, done > 0)
            }
            done += depth
        }
        for panel in 0 ..< panels.count {
            kernels.transpose_panels(inputs.count / 16, sums + panel * floats, 256, rowPlaces, scratch + panel * floats)
        }
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

    /// Floats of scratch that `convolutions` needs.
    static func convolutionScratch(_ network: Network) -> Int {
        guard let c = network.convolutions else { return 0 }
        return 2 * padded(c.plane * c.shape.channels) + imageGap + padded(dp_conv_pool_backward_scratch(dp_conv_shape(c)))
    }

    /// Adds the gradients of the convolutions' parameters for the images of `pairs` to `sums`, which lie as the
    /// parameters do. cl1 is computed again: that costs less than keeping its output.
    func convolutions(pairs: Range<Int>, sums: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>) {
        guard let c = network.convolutions else { return }
        let shape = dp_conv_shape(c)
        let act = scratch, actGradient = act + padded(c.plane * c.shape.channels) + Self.imageGap
        let list = actGradient + padded(c.plane * c.shape.channels)
        let row = network.dense[0].inputs, features = c.windows * c.shape.channels
        for image in 2 * pairs.lowerBound ..< 2 * pairs.upperBound {
            let x = forward.base + layout.input + image * layout.inputRow
            let second = image % 2 == 1
            kernels.conv_first(shape, x, parameters + c.weights1, parameters + c.bias1, act)
            let weights2 = second ? c.weights2.1 : c.weights2.0, bias2 = second ? c.bias2.1 : c.bias2.0
            kernels.conv_pool_backward(shape, act, parameters + weights2, base + layout.features + image * row,
                                       forward.choice + image * features, sums + weights2, sums + bias2, actGradient, list)
            kernels.conv_first_backward(shape, x, act, actGradient, sums + c.weights1, sums + c.bias1)
        }
    }
}
