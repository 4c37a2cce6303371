import CDiptychPlatform

// The weights' update, in runs of parameters whose gradient is made and applied at once, while it is in the cache.

extension Batch {
    /// A few panels of a dense layer's weights (and, with the first inputs, of its bias). `layer` counts through branch and
    /// head; `image` tells whose weights where they are separate. Of a layer with live inputs only the bias is left, without inputs.
    struct DenseUpdate {
        let layer: Int
        let image: Int
        let panels: Range<Int>
        let inputs: Range<Int>
    }

    /// The convolutions' parameters in one update.
    static let convolutionUpdate = 1024

    static func makeConvolutionUpdates(_ network: Network) -> [Range<Int>] {
        stride(from: 0, to: network.convolutionFloats, by: convolutionUpdate).map {
            $0 ..< min($0 + convolutionUpdate, network.convolutionFloats)
        }
    }

    static func makeDenseUpdates(_ network: Network, isLive: Bool) -> [DenseUpdate] {
        var updates: [DenseUpdate] = []
        for (index, layer) in (network.dense + network.head).enumerated() {
            for image in 0 ..< (layer.layer.separate ? 2 : 1) {
                let inputs = index == 1 && isLive ? 0 : layer.inputs
                // By panels, as forward: a thread then mostly reads the weights that it wrote.
                for panel in stride(from: 0, to: layer.panels, by: BackwardPass.weightPanels) {
                    for input in stride(from: 0, to: max(1, inputs), by: BackwardPass.weightInputs) {
                        updates.append(DenseUpdate(layer: index, image: image,
                                                   panels: panel ..< min(panel + BackwardPass.weightPanels, layer.panels),
                                                   inputs: input ..< min(input + BackwardPass.weightInputs, inputs)))
                    }
                }
            }
        }
        return updates
    }

    func updateConvolutions(_ item: Int, _ thread: Int) {
        let gradient = scratch(thread), floats = model.network.convolutionFloats, first = max(0, firstChunks - 1)
        for update in LiveInputs.share(convolutionUpdates.count, item, of: items(.updateConvolutions)) {
            let range = convolutionUpdates[update], sums = chunkSums.pointer + range.lowerBound
            kernels.sum_rows(convolutionSums - first, range.count, sums + first * floats, floats, gradient)
            // The chunks' sums; the background's is anybody's.
            flush(sums, range.count, rows: first ..< chunks, of: chunks, row: floats, thread)
            apply(offset: range.lowerBound, count: range.count, gradient)
        }
    }

    func updateDense(_ item: Int, _ thread: Int) {
        let update = denseUpdates[item], gradient = scratch(thread)
        let network = model.network
        let inHead = update.layer >= network.dense.count
        let layer = inHead ? network.head[update.layer - network.dense.count] : network.dense[update.layer]
        let rows = inHead ? count : 2 * count
        let input: UnsafeMutablePointer<Float>, output: Int
        if inHead {
            let first = update.layer == network.dense.count
            input = first ? forward.logits : activations.pointer + layout.head.0
            output = first ? layout.head.0 : layout.head.1
        } else {
            input = forward.denseInput(update.layer)
            output = layout.outputs[update.layer]
        }
        // Of l1's outputs the gradients of those that are live are listed.
        let listed = update.layer == 0 ? live : nil
        // Of an MLP's wide first layer a panel is read forward by the thread that has written it, and by nobody backward.
        let isOwn = update.layer == 0 && network.convolutions == nil && !Self.isByRows(.dense(0), network)
        let weights = update.image == 0 ? layer.weights.0 : layer.weights.1
        if !update.inputs.isEmpty {
            let floats = 16 * update.inputs.count
            backward.weights(layer, image: update.image, rows: rows, panels: update.panels, inputs: update.inputs, input: input,
                             gradient: gradients.pointer + output, listed: listed, scratch: gradient)
            // The features, whose last readers are the items of the last panels.
            if network.convolutions != nil && update.layer == 0 && update.panels.upperBound == layer.panels {
                flush(input + update.inputs.lowerBound, update.inputs.count, rows: 0 ..< rows, of: rows, row: layer.inputs, thread)
            }
            for panel in update.panels {
                apply(offset: weights + 16 * (panel * layer.inputs + update.inputs.lowerBound), count: floats,
                      gradient + floats * (panel - update.panels.lowerBound), shared: !isOwn)
            }
        }
        guard update.inputs.lowerBound == 0 else { return }
        for panel in update.panels {
            if let listed {
                listed.biasGradient(panel: panel, rows: rows, into: gradient)
            } else {
                backward.bias(layer, image: update.image, rows: rows, panel: panel, gradient: gradients.pointer + output, into: gradient)
            }
            apply(offset: (update.image == 0 ? layer.bias.0 : layer.bias.1) + 16 * panel, count: 16, gradient)
        }
    }

    /// Flushes `floats` of each of rows `rows` of `all` that this thread has read for the last time in this step, where others have written them
    /// (as far as shares tell) and it would be dear for them to write them again.
    func flush(_ start: UnsafePointer<Float>, _ floats: Int, rows: Range<Int>, of all: Int, row: Int, _ thread: Int) {
        guard sharedLinesAreDear else { return }
        let own = LiveInputs.share(all, thread, of: threads)
        for k in rows where !own.contains(k) { dp_flush(start + k * row, floats) }
    }

    /// `shared`: with other threads, which read the weights.
    func apply(offset: Int, count: Int, _ gradient: UnsafeMutablePointer<Float>, shared: Bool = true) {
        if let gradientCapture {
            (gradientCapture.pointer + offset).copy(from: gradient, count: count)
        } else {
            optimizer.apply(offset: offset, count: count, shared: shared, gradient: gradient, parameters: model.parameters.pointer)
            average?.add(model.parameters, offset: offset, count: count)
        }
    }
}

extension Network {
    /// Floats of the convolutions' parameters, which come first.
    var convolutionFloats: Int { convolutions == nil ? 0 : dense[0].weights.0 }
}
