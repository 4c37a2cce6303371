import CDiptychPlatform
import DiptychReference
import Testing

/// The dense layers' kernels and the optimizers in every instruction set, against Sources/DiptychReference.
@Suite struct DenseKernelTests {
    /// One call of `multiply`.
    struct Product: CustomStringConvertible {
        var rows, panels, depth: Int
        var aRow, bPanel, cRow: Int
        var a: [Float] = [], b: [Float] = [], c: [Float] = []

        var description: String { "\(rows) x \(16 * panels) x \(depth), strides \(aRow) \(bPanel) \(cRow)" }

        init(_ random: inout Keyed, rows: Int, panels: Int, depth: Int) {
            (self.rows, self.panels, self.depth) = (rows, panels, depth)
            aRow = (depth + Int.random(in: 0 ... 3, using: &random)) * Int.random(in: 1 ... 2, using: &random)
            bPanel = 16 * depth + 16 * Int.random(in: 0 ... 1, using: &random)
            cRow = 16 * panels + 16 * Int.random(in: 0 ... 2, using: &random)
            a = unwritten((rows - 1) * aRow + depth)
            b = unwritten((panels - 1) * bPanel + 16 * depth)
            c = unwritten((rows - 1) * cRow + 16 * panels)
            for k in 0 ..< depth {
                for row in 0 ..< rows { a[row * aRow + k] = .random(in: -1 ... 1, using: &random) }
                for column in 0 ..< 16 * panels { b[column / 16 * bPanel + 16 * k + column % 16] = .random(in: -1 ... 1, using: &random) }
            }
        }

        func run(_ table: KernelTable) -> [Float] { run(table, rows: 0 ..< rows) }

        /// Some of the rows: the rest of c stays as it was.
        func run(_ table: KernelTable, rows: Range<Int>) -> [Float] {
            call([a, b], [c]) {
                table.kernels.multiply(rows.count, panels, depth, $0[0] + rows.lowerBound * aRow, aRow, $0[1], bPanel,
                                       $1[0] + rows.lowerBound * cRow, cRow)
            }[0]
        }

        func reference(_ a: [Float], _ b: [Float]) -> [Float] {
            call([a, b], [c]) {
                Reference.multiply(rows: rows, panels: panels, depth: depth, a: $0[0], aRow: aRow, b: $0[1], bPanel: bPanel, c: $1[0], cRow: cRow)
            }[0]
        }

        /// One chain of products in the order of k, fused or not: the kernel's result to the bit.
        func chain(fused: Bool) -> [Float] {
            var result = c
            for row in 0 ..< rows {
                for column in 0 ..< 16 * panels {
                    var sum: Float = 0
                    for k in 0 ..< depth {
                        let x = a[row * aRow + k], y = b[column / 16 * bPanel + 16 * k + column % 16]
                        sum = fused ? sum.addingProduct(x, y) : sum + x * y
                    }
                    result[row * cRow + column] = sum
                }
            }
            return result
        }
    }

    /// Every number of rows from 1 to 30 and of panels from 1 to 9; depths around the lengths of blocks.
    static let products: [Product] = {
        var random = Keyed(11)
        var products: [Product] = []
        let depths = [1, 2, 255, 256, 257, 600]
        for i in 0 ..< 60 {
            let depth = i % 3 == 0 ? depths[i / 3 % depths.count] : Int.random(in: 1 ... 600, using: &random)
            products.append(Product(&random, rows: 1 + i % 30, panels: 1 + i % 9, depth: depth))
        }
        return products
    }()

    @Test(arguments: KernelTable.all) func multiply(_ table: KernelTable) {
        for p in Self.products {
            // Where a, b or c has gaps they are NaN, and stay it.
            let expected = p.reference(p.a, p.b), magnitude = p.reference(p.a.map(magnitude), p.b.map(magnitude))
            #expect(worst(p.run(table), expected, magnitude: magnitude, roundings: p.depth + 2) <= 1, "\(p)")
        }
    }

    private func magnitude(_ value: Float) -> Float { value.isNaN ? value : abs(value) }

    /// The header's promise, on which same bits for any split rest.
    @Test(arguments: KernelTable.all) func multiplyIsOneChain(_ table: KernelTable) {
        for p in Self.products {
            let actual = bits(p.run(table))
            #expect(actual == bits(p.chain(fused: true)) || actual == bits(p.chain(fused: false)), "\(p)")
        }
    }

    @Test(arguments: KernelTable.all) func aRowDoesNotDependOnTheOthers(_ table: KernelTable) {
        var random = Keyed(12)
        for p in Self.products {
            let whole = bits(p.run(table))
            var start = 0
            while start < p.rows {
                let end = min(p.rows, start + Int.random(in: 1 ... 7, using: &random))
                let part = bits(p.run(table, rows: start ..< end))
                let places = start * p.cRow ..< (end - 1) * p.cRow + 16 * p.panels
                #expect(Array(part[places]) == Array(whole[places]), "\(p) rows \(start) ..< \(end)")
                // Other rows are as they were.
                #expect(Array(part[..<places.lowerBound]) == bits(Array(p.c[..<places.lowerBound])))
                #expect(Array(part[places.upperBound...]) == bits(Array(p.c[places.upperBound...])))
                start = end
            }
        }
    }

    @Test(arguments: KernelTable.all) func multiplyKeepsNaN(_ table: KernelTable) {
        var random = Keyed(13)
        for rows in [1, 2, 5, 6, 7, 13] {
            var p = Product(&random, rows: rows, panels: 3, depth: 20)
            p.a[(rows - 1) * p.aRow + 7] = .nan
            let sickRow = p.run(table)
            for row in 0 ..< rows {
                let values = sickRow[row * p.cRow ..< row * p.cRow + 48]
                #expect(row == rows - 1 ? values.allSatisfy(\.isNaN) : !values.contains(where: \.isNaN))
            }
            p.a[(rows - 1) * p.aRow + 7] = 0
            p.b[2 * p.bPanel + 16 * 3 + 9] = .nan
            let sickColumn = p.run(table)
            for row in 0 ..< rows {
                #expect((0 ..< 48).filter { sickColumn[row * p.cRow + $0].isNaN } == [41])
            }
        }
    }

    @Test(arguments: KernelTable.all) func transposePanels(_ table: KernelTable) {
        var random = Keyed(14)
        for panels in 1 ... 9 {
            for stride in [256, 272, 1024] {
                let weights = random.floats((panels - 1) * stride + 256)
                // One line after another, and anywhere.
                let places = (0 ..< 16).map { Int32(panels % 2 == 0 ? 16 * $0 : 16 * Int.random(in: 0 ..< 16, using: &random)) }
                let actual = call([weights], [unwritten(256 * panels)]) {
                    table.kernels.transpose_panels(panels, $0[0], stride, places, $1[0])
                }[0]
                let expected = call([weights], [unwritten(256 * panels)]) {
                    Reference.transposePanels(panels: panels, weights: $0[0], panelStride: stride, places: places, b: $1[0])
                }[0]
                #expect(bits(actual) == bits(expected), "\(panels) \(stride)")
            }
        }
    }

    // MARK: Row by row

    /// Rows of `width` values with a gap of unwritten ones behind each.
    static func matrix(_ random: inout Keyed, rows: Int, width: Int, pitch: Int) -> [Float] {
        var result = unwritten((rows - 1) * pitch + width)
        for row in 0 ..< rows {
            for i in 0 ..< width { result[row * pitch + i] = .random(in: -1 ... 1, using: &random) }
        }
        return result
    }

    @Test(arguments: KernelTable.all) func biasRelu(_ table: KernelTable) {
        var random = Keyed(15)
        for i in 0 ..< 30 {
            let rows = 1 + i, width = 8 * (1 + i % 20), pitch = width + 8 * (i % 3), relu = i % 2 == 0
            var c = Self.matrix(&random, rows: rows, width: width, pitch: pitch)
            c[width - 1] = .nan
            let bias = random.floats(width)
            let actual = call([bias], [c]) { table.kernels.bias_relu(rows, width, $0[0], relu, $1[0], pitch) }[0]
            let expected = call([bias], [c]) { Reference.biasRelu(rows: rows, width: width, bias: $0[0], applyRelu: relu, c: $1[0], cRow: pitch) }[0]
            // One sum, rounded once by both; NaN stays NaN.
            #expect(actual[width - 1].isNaN && expected[width - 1].isNaN)
            #expect(actual.indices.allSatisfy { actual[$0] == expected[$0] || (actual[$0].isNaN && expected[$0].isNaN) }, "\(rows) \(width)")
            #expect(actual.indices.filter { $0 % pitch >= width }.allSatisfy { actual[$0].bitPattern == .max })
        }
    }

    @Test(arguments: KernelTable.all) func reluGradient(_ table: KernelTable) {
        var random = Keyed(16)
        for i in 0 ..< 30 {
            let rows = 1 + i, width = 8 * (1 + i % 20), pitch = width + 8 * (i % 3), actPitch = width + 8 * (i % 2), scale = Float(1 + i % 3)
            // Zeros, as ReLU and dropout leave them, of both signs.
            let act = Self.matrix(&random, rows: rows, width: width, pitch: actPitch).map { $0.isNaN ? $0 : abs($0) < 0.3 ? 0 * $0 : $0 }
            let gradient = Self.matrix(&random, rows: rows, width: width, pitch: pitch)
            let actual = call([act], [gradient]) { table.kernels.relu_gradient(rows, width, $0[0], actPitch, scale, $1[0], pitch) }[0]
            let expected = call([act], [gradient]) {
                Reference.reluGradient(rows: rows, width: width, act: $0[0], actRow: actPitch, scale: scale, gradient: $1[0], gradientRow: pitch)
            }[0]
            #expect(bits(actual) == bits(expected), "\(rows) \(width)")
        }
    }

    @Test(arguments: KernelTable.all) func sumRows(_ table: KernelTable) {
        var random = Keyed(17)
        for i in 0 ..< 30 {
            let rows = 1 + i * i, width = 8 * (1 + i % 20), pitch = width + 8 * (i % 3)
            let x = Self.matrix(&random, rows: rows, width: width, pitch: pitch)
            func reference(_ x: [Float]) -> [Float] {
                call([x], [unwritten(width)]) { Reference.sumRows(rows: rows, width: width, x: $0[0], xRow: pitch, sum: $1[0]) }[0]
            }
            let actual = call([x], [unwritten(width)]) { table.kernels.sum_rows(rows, width, $0[0], pitch, $1[0]) }[0]
            #expect(worst(actual, reference(x), magnitude: reference(x.map(magnitude)), roundings: rows + 1) <= 1, "\(rows) \(width)")
            // In the rows' order, to the bit.
            let inOrder = (0 ..< width).map { column in (0 ..< rows).reduce(Float(0)) { $0 + x[$1 * pitch + column] } }
            #expect(actual == inOrder, "\(rows) \(width)")
        }
    }

    // MARK: Optimizers

    @Test(arguments: KernelTable.all) func adam(_ table: KernelTable) {
        var random = Keyed(18)
        for i in 0 ..< 20 {
            let count = 16 * (1 + i * i)
            var update = dp_update()
            update.step_size = 0.05
            update.decay = i % 2 == 0 ? 1 : 0.99
            update.beta1 = i % 3 == 0 ? 0 : 0.9
            update.beta2 = 0.999
            update.second_scale = 1 + Float(i)
            update.epsilon = 1e-8
            let gradient = random.floats(count), state = [random.floats(count), random.floats(count), random.floats(count, 0 ... 1)]
            let actual = call([gradient], state) { table.kernels.adam(count, update, $0[0], $1[0], $1[1], $1[2]) }
            let expected = call([gradient], state) {
                Reference.adam(count: count, update: update, gradient: $0[0], parameter: $1[0], first: $1[1], second: $1[2])
            }
            // The moments: a difference, a product, a sum, and 1 - beta. The parameter: besides its own product and sum,
            // what the first moment, the root and the quotient are off by, times the step.
            let first = (0 ..< count).map { abs(state[1][$0]) + abs(gradient[$0]) }
            let second = (0 ..< count).map { state[2][$0] + gradient[$0] * gradient[$0] }
            let parameter = (0 ..< count).map {
                abs(state[0][$0]) + update.step_size * first[$0] / (expected[2][$0].squareRoot() * update.second_scale + update.epsilon)
            }
            #expect(worst(actual[1], expected[1], magnitude: first, roundings: 5) <= 1)
            #expect(worst(actual[2], expected[2], magnitude: second, roundings: 5) <= 1)
            #expect(worst(actual[0], expected[0], magnitude: parameter, roundings: 12) <= 1)
        }
    }

    /// Parameters that are written past the caches get the same bits.
    @Test(arguments: KernelTable.all) func streamedParameters(_ table: KernelTable) {
        var random = Keyed(24)
        for count in [16, 48, 1024] {
            let gradient = random.floats(count), start = random.floats(count), moments = [random.floats(count), random.floats(count, 0 ... 1)]
            typealias Place = UnsafeMutablePointer<Float>
            let places = (0 ..< Int32(count / 16)).map { 16 * $0 }
            let kernels: [(dp_update, UnsafePointer<Float>, Place, Place, Place) -> Void] = [
                { table.kernels.adam(count, $0, $1, $2, $3, $4) },
                { table.kernels.adam_lines(count / 16, places, 0, $0, $1, $2, $3, $4) },
                { update, gradient, parameter, first, _ in table.kernels.sgd(count, update, gradient, parameter, first) },
            ]
            for kernel in kernels {
                let results = [false, true].map { streamed in
                    let update = dp_update(step_size: 0.05, decay: 0.99, beta1: 0.9, beta2: 0.999, second_scale: 3, epsilon: 1e-8, streamed: streamed)
                    let memory = UnsafeMutableRawPointer.allocate(byteCount: 4 * count, alignment: 64)
                    defer { memory.deallocate() }
                    let parameters = memory.initializeMemory(as: Float.self, from: start, count: count)
                    let state = call([gradient], moments) { kernel(update, $0[0], parameters, $1[0], $1[1]) }
                    return ((0 ..< count).map { parameters[$0] } + state[0] + state[1]).map(\.bitPattern)
                }
                #expect(results[0] == results[1] && results[0][..<count] != start.map(\.bitPattern)[...])
            }
        }
    }

    /// Lines here and there, with the bits of `adam`; what lies between them stays.
    @Test(arguments: KernelTable.all) func adamLines(_ table: KernelTable) {
        var random = Keyed(21)
        let update = dp_update(step_size: 0.05, decay: 0.99, beta1: 0.9, beta2: 0.999, second_scale: 3, epsilon: 1e-8, streamed: false)
        for lines in [0, 1, 2, 7, 30] {
            let places = Array((0 ..< 40).shuffled(using: &random).prefix(lines)).sorted().map { Int32(16 * $0) }
            let gradient = random.floats(16 * lines), state = [random.floats(640), random.floats(640), random.floats(640, 0 ... 1)]
            let actual = call([gradient], state) { table.kernels.adam_lines(lines, places, lines % 2 * 16, update, $0[0], $1[0], $1[1], $1[2]) }
            let expected = call([gradient], state) { inputs, state in
                for (line, place) in places.enumerated() {
                    table.kernels.adam(16, update, inputs[0] + 16 * line, state[0] + Int(place), state[1] + Int(place), state[2] + Int(place))
                }
            }
            #expect(zip(actual, expected).allSatisfy { bits($0) == bits($1) }, "\(lines) lines")
        }
    }

    /// Steps that a line makes up for give the bits of `adam` without a gradient.
    @Test(arguments: KernelTable.all) func adamIdle(_ table: KernelTable) {
        var random = Keyed(22)
        for lines in [0, 1, 5, 30] {
            let places = Array((0 ..< 40).shuffled(using: &random).prefix(lines)).sorted().map { Int32(16 * $0) }
            let updates = (1 ... 9).map { step in
                dp_update(step_size: 0.05 / Float(step), decay: 1 - 0.001 * Float(step), beta1: 0.9, beta2: 0.999,
                          second_scale: Float(step), epsilon: 1e-8, streamed: false)
            }
            // From none of the steps to all of them.
            let done = places.map { _ in Int32.random(in: 0 ... 9, using: &random) }
            var state = [random.floats(640), random.floats(640), random.floats(640, 0 ... 1)]
            for i in 0 ..< 16 { (state[1][i], state[2][i]) = (0, 0) }
            expectIdleAsAdam(table, places, done, updates, state)
        }
    }

    /// adam_idle's bits are those of adam, step by step, without a gradient.
    private func expectIdleAsAdam(_ table: KernelTable, _ places: [Int32], _ done: [Int32], _ updates: [dp_update], _ state: [[Float]],
                                  sourceLocation: SourceLocation = #_sourceLocation) {
        let actual = call([], state) { table.kernels.adam_idle(places.count, places, done, updates.count, updates, $1[0], $1[1], $1[2]) }
        let expected = call([zeros(16)], state) { inputs, state in
            for (place, first) in zip(places, done) {
                for update in updates.dropFirst(Int(first)) {
                    table.kernels.adam(16, update, inputs[0], state[0] + Int(place), state[1] + Int(place), state[2] + Int(place))
                }
            }
        }
        #expect(zip(actual, expected).allSatisfy { bits($0) == bits($1) }, "\(places.count) lines", sourceLocation: sourceLocation)
    }

    /// The same where a step rounds to nothing for some lines from the beginning, for some later, and for some never.
    @Test(arguments: KernelTable.all, [Float(1e-8), 1e-40]) func adamIdleComesToRest(_ table: KernelTable, epsilon: Float) {
        var random = Keyed(23)
        let lines = 40, steps = 60, places = (0 ..< lines).map { Int32(16 * $0) }
        let done = places.map { _ in Int32.random(in: 0 ... 20, using: &random) }
        // Rates go up and down a little, as a schedule's do; the second moment stays, so that little is left to chance.
        let updates = (1 ... steps).map { step in
            dp_update(step_size: 1e-3 * (1 + 0.01 * Float(step % 7)), decay: 1, beta1: 0.9, beta2: 0.9999, second_scale: 1, epsilon: epsilon, streamed: false)
        }
        // In the library's mode, where an epsilon of 1e-40 is zero.
        let mode = dp_float_mode_enter()
        defer { dp_float_mode_set(mode) }
        var state = [random.floats(16 * lines, -0.01 ... 0.01), random.floats(16 * lines), random.floats(16 * lines, 0 ... 1)]
        for line in 0 ..< lines {
            // From moments that still move much to such that move nothing.
            let scale = Float(pow(10, -Double(line % 20) / 2))
            for i in 16 * line ..< 16 * line + 16 {
                state[1][i] *= 1e-2 * scale
                state[2][i] *= 1e-4
                // Zeros, alone and together.
                if i % 16 == 3 || line == 7 { state[1][i] = 0 }
                if line % 10 == 4 && i % 16 == 4 || line == 8 { state[0][i] = 0 }
                if line >= 30 && i % 8 == 5 { (state[0][i], state[1][i], state[2][i]) = (0, 0, 0) }
                if line == 9 { state[2][i] = 0 }
            }
        }
        expectIdleAsAdam(table, places, done, updates, state)
    }

    /// The padding between tensors, whose gradient is zero, stays zero.
    @Test(arguments: KernelTable.all) func adamLeavesZerosAlone(_ table: KernelTable) {
        var update = dp_update()
        (update.step_size, update.decay, update.beta1, update.beta2, update.second_scale, update.epsilon) = (100, 0.5, 0.9, 0.999, 31.6, 1e-8)
        let result = call([zeros(64)], [zeros(64), zeros(64), zeros(64)]) { table.kernels.adam(64, update, $0[0], $1[0], $1[1], $1[2]) }
        #expect(result.allSatisfy { $0 == zeros(64) })
    }

    @Test(arguments: KernelTable.all) func sgd(_ table: KernelTable) {
        var random = Keyed(19)
        for i in 0 ..< 20 {
            let count = 16 * (1 + i * i)
            var update = dp_update()
            update.step_size = 0.05
            update.decay = i % 2 == 0 ? 0 : 0.1
            update.beta1 = i % 3 == 0 ? 0 : 0.9
            let gradient = random.floats(count), state = [random.floats(count), random.floats(count)]
            func reference(_ gradient: [Float], _ state: [[Float]], _ update: dp_update) -> [[Float]] {
                call([gradient], state) { Reference.sgd(count: count, update: update, gradient: $0[0], parameter: $1[0], velocity: $1[1]) }
            }
            let actual = call([gradient], state) { table.kernels.sgd(count, update, $0[0], $1[0], $1[1]) }
            let expected = reference(gradient, state, update)
            var away = update
            away.step_size = -update.step_size
            let magnitude = reference(absolute(gradient), state.map(absolute), away)
            for k in 0 ..< 2 {
                // Three products and three sums, and the reference's own rounding.
                #expect(worst(actual[k], expected[k], magnitude: magnitude[k], roundings: 7) <= 1, "\(k)")
            }
        }
    }
}
