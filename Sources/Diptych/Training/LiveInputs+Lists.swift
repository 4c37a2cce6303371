import CDiptychPlatform

// The lists of what is not zero in the live inputs and in the gradients on either side of their layer: made once, read by all items.

extension LiveInputs {
    /// Values of a list, at most.
    static let depth = Int(DP_LIST_DEPTH)

    /// Blocks of as many.
    static func blocks(_ count: Int) -> Int { (count + depth - 1) / depth }

    private static func range(ofBlock block: Int, size: Int, of count: Int) -> Range<Int> { size * block ..< min(size * (block + 1), count) }

    /// Lists rows `rows` of x.
    func listRows(_ rows: Range<Int>) {
        for block in 0 ..< Self.blocks(width) {
            let columns = Self.range(ofBlock: block, size: Self.depth, of: width)
            kernels.list_rows(rows.count, columns.count, x + rows.lowerBound * width + columns.lowerBound, width, places + columns.lowerBound,
                              rowLists.block(block, from: rows.lowerBound))
        }
    }

    /// Whether lists are worth their while for these rows, and not the inputs as they stand.
    func isSparse(_ rows: Range<Int>) -> Bool { 2 * rowLists.total(rows, blocks: Self.blocks(width)) < rows.count * layer.inputs }

    /// target[rows, 16 * panels] = x times the weights of as many panels.
    func multiply(_ rows: Range<Int>, panels: Int, weights: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
        for block in 0 ..< Self.blocks(width) {
            kernels.multiply_lists(rows.count, panels, rowLists.block(block, from: rows.lowerBound), nil, weights, 16 * layer.inputs,
                                   target, layer.outputs, 16, block > 0)
        }
    }

    /// Lists rows `rows` of the outputs' gradients.
    func listGradient(rows: Range<Int>, _ gradient: UnsafePointer<Float>) {
        for block in 0 ..< gradientRows.blocks {
            let outputs = Self.range(ofBlock: block, size: BackwardPass.depthBlock, of: layer.outputs)
            kernels.list_rows(rows.count, outputs.count, gradient + rows.lowerBound * layer.outputs + outputs.lowerBound, layer.outputs,
                              rowPlaces, gradientRows.block(block, from: rows.lowerBound))
        }
    }

    /// Lists the columns in panels `panels` of the outputs' gradients.
    func listGradient(panels: Range<Int>, rows: Int, _ gradient: UnsafePointer<Float>) {
        list(16 * panels.lowerBound, 16 * panels.count, rows: rows, of: gradient + 16 * panels.lowerBound, row: layer.outputs, step: width,
             in: gradientColumns)
    }

    /// Lists the columns in panels `panels` of x's gradient, [row][16 * panels.count].
    func listInputGradient(panels: Range<Int>, rows: Int, _ gradient: UnsafePointer<Float>) {
        list(16 * panels.lowerBound, 16 * panels.count, rows: rows, of: gradient, row: 16 * panels.count, step: inputRow, in: inputGradients)
    }

    private func list(_ first: Int, _ count: Int, rows: Int, of x: UnsafePointer<Float>, row: Int, step: Int, in lists: BlockedLists) {
        for block in 0 ..< Self.blocks(rows) {
            let rows = Self.range(ofBlock: block, size: Self.depth, of: rows)
            kernels.list_columns(rows.count, count, x + rows.lowerBound * row, row, step, lists.block(block, from: first))
        }
    }

    /// The gradient of the biases of the outputs of l1 that are the inputs of panel `panel`, over as many images.
    func biasGradient(panel: Int, rows: Int, into target: UnsafeMutablePointer<Float>) {
        for unit in 0 ..< 16 {
            var sum: Float = 0
            for block in 0 ..< Self.blocks(rows) {
                let list = inputGradients.block(block, from: Int(gradientOf(panel: panel)[unit]))
                for k in 0 ..< Int(list.counts[0]) { sum += list.values[k] }
            }
            target[unit] = sum
        }
    }
}
