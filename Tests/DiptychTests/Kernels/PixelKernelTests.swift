import CDiptychPlatform
import Testing

@Suite struct PixelKernelTests {
    /// The formula to the bit: a difference and a product, never fused. What is beside the rows stays as it was.
    @Test(arguments: KernelTable.all) func standardise(_ table: KernelTable) {
        var random = Keyed(31)
        for width in 1 ... 40 {
            let rows = 1 + width % 5, xRow = width + Int.random(in: 0 ... 3, using: &random), targetRow = width + Int.random(in: 0 ... 3, using: &random)
            let x = random.floats((rows - 1) * xRow + width, -300 ... 300), mean: Float = 33.3, scale: Float = 1 / 78.6
            let target = call([x], [unwritten((rows - 1) * targetRow + width)]) {
                table.kernels.standardise(rows, width, $0[0], xRow, mean, scale, $1[0], targetRow)
            }[0]
            var expected = unwritten(target.count)
            for row in 0 ..< rows {
                for i in 0 ..< width { expected[row * targetRow + i] = (x[row * xRow + i] - mean) * scale }
            }
            #expect(bits(target) == bits(expected), "\(rows) rows of \(width), \(xRow) and \(targetRow) apart")
        }
    }

    @Test(arguments: KernelTable.all) func areFinite(_ table: KernelTable) {
        let extremes: [Float] = [.greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0, 0, 1]
        for count in 0 ... 140 {
            var values = (0 ..< count).map { extremes[$0 % extremes.count] }
            func isFinite() -> Bool {
                var result = false
                _ = call([values], []) { inputs, _ in result = table.kernels.are_finite(count, inputs[0]) }
                return result
            }
            #expect(isFinite(), "\(count) values")
            for place in values.indices {
                let good = values[place]
                for bad in [Float.nan, .infinity, -.infinity] {
                    values[place] = bad
                    #expect(!isFinite(), "\(bad) at \(place) of \(count)")
                }
                values[place] = good
            }
        }
    }
}
