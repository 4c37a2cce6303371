import CDiptychPlatform

// Winograd's minimal filtering (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016) for 3x3 filters:
// a polynomial of degree 2 times one of degree 3 (or 1), by its values at six (or four) points. One dimension:
//
//   F(4, 3): six inputs give four outputs, at the points 0, a, -a, infinity, b, -b (pointA, pointB)
//   F(2, 3): four inputs give two, at the first four of these, so that both use the same transformed filters
//
// a = sqrt(1/2), b = sqrt(2): with them a value's rounding error is half of that with 1 and 2, and a * b = 1 saves a few
// multiplications. Two dimensions are one after the other.

/// Points of F(4, 3) in one dimension, and of F(2, 3).
let points = (tall: 6, short: 4)

let pointA: Float = 0.707_106_77, pointB: Float = 1.414_213_5

/// Six inputs, `step` apart, at the six points.
@inline(__always)
func inputLine6(_ d: some VectorSource, _ step: Int, _ target: UnsafeMutablePointer<Float>, _ targetStep: Int) {
    let d0 = d.vector(0), d1 = d.vector(step), d2 = d.vector(2 * step)
    let d3 = d.vector(3 * step), d4 = d.vector(4 * step), d5 = d.vector(5 * step)
    let evenA = fma(d4, -2, d2), oddA = fma(d3, -2, d1), evenB = fma(d4, -0.5, d2), oddB = fma(d3, -0.5, d1)
    target.store(fma(d0 + d4, -2.5, d2), 0)
    target.store(fma(evenA, pointA, oddA), targetStep)
    target.store(fma(evenA, -pointA, oddA), 2 * targetStep)
    target.store(fma(d1 + d5, -2.5, d3), 3 * targetStep)
    target.store(fma(evenB, pointB, oddB), 4 * targetStep)
    target.store(fma(evenB, -pointB, oddB), 5 * targetStep)
}

/// Four inputs at the first four points; -3/2 undoes what the filters are divided by.
@inline(__always)
func inputLine4(_ d: some VectorSource, _ step: Int, _ target: UnsafeMutablePointer<Float>, _ targetStep: Int) {
    let d0 = d.vector(0), d1 = d.vector(step), d2 = d.vector(2 * step), d3 = d.vector(3 * step)
    let even = -1.5 * d2, odd = (-1.5 * pointA) * d1
    target.store(fma(d0, -2, d2), 0)
    target.store(even + odd, targetStep)
    target.store(even - odd, 2 * targetStep)
    target.store(fma(d3, -0.5, d1), 3 * targetStep)
}

/// Four outputs from the products at the six points, `step` apart.
@inline(__always)
func outputLine6(_ m: UnsafePointer<Float>, _ step: Int) -> (Vector, Vector, Vector, Vector) {
    let m1 = m.vector(step), m2 = m.vector(2 * step), m4 = m.vector(4 * step), m5 = m.vector(5 * step)
    let evenA = m1 + m2, oddA = pointA * (m1 - m2), evenB = m4 + m5, oddB = pointB * (m4 - m5)
    return (m.vector(0) + evenA + evenB, oddA + oddB, fma(0.5 * evenA, 2, evenB), fma(fma(m.vector(3 * step), 0.5, oddA), 2, oddB))
}

/// Two outputs from the products at the first four points.
@inline(__always)
func outputLine4(_ m: UnsafePointer<Float>, _ step: Int) -> (Vector, Vector) {
    let m1 = m.vector(step), m2 = m.vector(2 * step)
    return (m.vector(0) + m1 + m2, fma(m.vector(3 * step), pointA, m1 - m2))
}
