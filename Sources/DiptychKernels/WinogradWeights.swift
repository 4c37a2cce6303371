// Filters as ConvolutionPool.swift multiplies by them (see Winograd.swift).

/// A filter's values at the six points, divided by what F(4, 3) divides by there: -3/2 at a and -a, 6 at b and -b.
@inline(__always)
private func filterLine(_ g0: Vector, _ g1: Vector, _ g2: Vector) -> (Vector, Vector, Vector, Vector, Vector, Vector) {
    let evenA = (-2 / 3) * (g0 + 0.5 * g2), oddA = (-2 / 3 * pointA) * g1
    let evenB = (1 / 6) * (g0 + 2 * g2), oddB = (1 / 6 * pointB) * g1
    return (g0, evenA + oddA, evenA - oddA, g2, evenB + oddB, evenB - oddB)
}

@inline(__always)
private func store(_ values: (Vector, Vector, Vector, Vector, Vector, Vector), _ target: UnsafeMutablePointer<Float>, _ step: Int) {
    target.store(values.0, 0)
    target.store(values.1, step)
    target.store(values.2, 2 * step)
    target.store(values.3, 3 * step)
    target.store(values.4, 4 * step)
    target.store(values.5, 5 * step)
}

/// Every 3x3 filter at the 6x6 points, [out][9][in] to [36][in][out], a vector of outputs at a time.
func winogradWeights(channels: Int, weights: UnsafePointer<Float>, transformed: UnsafeMutablePointer<Float>) {
    let point = channels * channels, filter = 9 * channels, row = lanes * points.tall
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 * row) { rows in
        guard let rows = rows.baseAddress else { return }
        var out = 0
        while out < channels {
            for input in 0 ..< channels {
                let g = weights + out * filter + input
                @inline(__always) func tap(_ index: Int) -> Vector {
                    var values = Vector.zero
                    for lane in 0 ..< lanes { values[lane] = g[lane * filter + index * channels] }
                    return values
                }
                let target = transformed + input * channels + out
                for y in 0 ..< 3 { store(filterLine(tap(3 * y), tap(3 * y + 1), tap(3 * y + 2)), rows + y * row, lanes) }
                for x in 0 ..< points.tall {
                    let source = rows + x * lanes
                    store(filterLine(source.vector(0), source.vector(row), source.vector(2 * row)), target + x * point, points.tall * point)
                }
            }
            out += lanes
        }
    }
}
