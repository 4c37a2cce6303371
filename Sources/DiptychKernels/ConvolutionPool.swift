import CDiptychPlatform

// cl2 and its pool by Winograd's F(2x2, 3x3) (Lavin and Gray, "Fast algorithms for convolutional neural networks",
// 2016): a 4x4 patch of input gives a 2x2 patch of output with 16 products a pair of channels instead of 36, and that
// 2x2 patch is just one pool window. Three passes: patches to the frequency domain, 16 small matrix products, and
// back with bias, ReLU and max at once.

/// G g G^T of every 3x3 filter, [out][9][in] to [16][in][out].
func winogradWeights(channels: Int, weights: UnsafePointer<Float>, transformed: UnsafeMutablePointer<Float>) {
    for out in 0 ..< channels {
        for input in 0 ..< channels {
            let g = weights + out * 9 * channels + input
            let u = transformed + input * channels + out
            let frequency = channels * channels
            for column in 0 ..< 4 {
                // The column of G^T's product: combinations of the filter's three columns.
                var k0: Float, k1: Float, k2: Float
                switch column {
                case 0: (k0, k1, k2) = (g[0], g[3 * channels], g[6 * channels])
                case 3: (k0, k1, k2) = (g[2 * channels], g[5 * channels], g[8 * channels])
                default:
                    let sign: Float = column == 1 ? 0.5 : -0.5
                    k0 = 0.5 * (g[0] + g[2 * channels]) + sign * g[channels]
                    k1 = 0.5 * (g[3 * channels] + g[5 * channels]) + sign * g[4 * channels]
                    k2 = 0.5 * (g[6 * channels] + g[8 * channels]) + sign * g[7 * channels]
                }
                u[column * frequency] = k0
                u[(4 + column) * frequency] = 0.5 * (k0 + k2) + 0.5 * k1
                u[(8 + column) * frequency] = 0.5 * (k0 + k2) - 0.5 * k1
                u[(12 + column) * frequency] = k2
            }
        }
    }
}

/// One line of B^T d: (d0 - d2, d1 + d2, d2 - d1, d1 - d3).
@inline(__always)
private func inputLine(_ d0: Vector, _ d1: Vector, _ d2: Vector, _ d3: Vector) -> (Vector, Vector, Vector, Vector) {
    (d0 - d2, d1 + d2, d2 - d1, d1 - d3)
}

/// Patches of 4x4 pixels, 2 apart, to v[16][window][channel].
@inline(__always)
private func transformInput(_ shape: dp_conv_shape, act: UnsafePointer<Float>, v: UnsafeMutablePointer<Float>, frequency: Int) {
    let channels = shape.channels, line = (shape.width + 2) * channels
    var target = v
    for windowRow in 0 ..< shape.height / 2 {
        var patch = act + 2 * windowRow * line
        for _ in 0 ..< shape.width / 2 {
            var c = 0
            while c < channels {
                let p0 = patch + c, p1 = p0 + line, p2 = p1 + line, p3 = p2 + line
                let r0 = inputLine(p0.vector(0), p0.vector(channels), p0.vector(2 * channels), p0.vector(3 * channels))
                let r1 = inputLine(p1.vector(0), p1.vector(channels), p1.vector(2 * channels), p1.vector(3 * channels))
                let r2 = inputLine(p2.vector(0), p2.vector(channels), p2.vector(2 * channels), p2.vector(3 * channels))
                let r3 = inputLine(p3.vector(0), p3.vector(channels), p3.vector(2 * channels), p3.vector(3 * channels))
                let t = target + c
                t.store(r0.0 - r2.0, 0)
                t.store(r0.1 - r2.1, frequency)
                t.store(r0.2 - r2.2, 2 * frequency)
                t.store(r0.3 - r2.3, 3 * frequency)
                t.store(r1.0 + r2.0, 4 * frequency)
                t.store(r1.1 + r2.1, 5 * frequency)
                t.store(r1.2 + r2.2, 6 * frequency)
                t.store(r1.3 + r2.3, 7 * frequency)
                t.store(r2.0 - r1.0, 8 * frequency)
                t.store(r2.1 - r1.1, 9 * frequency)
                t.store(r2.2 - r1.2, 10 * frequency)
                t.store(r2.3 - r1.3, 11 * frequency)
                t.store(r1.0 - r3.0, 12 * frequency)
                t.store(r1.1 - r3.1, 13 * frequency)
                t.store(r1.2 - r3.2, 14 * frequency)
                t.store(r1.3 - r3.3, 15 * frequency)
                c += 8
            }
            patch += 2 * channels
            target += channels
        }
    }
}

/// Replaces best by value, and choice by index, where value is greater; the first of equals stays, as in PyTorch.
@inline(__always)
private func keepGreater(_ best: inout Vector, _ choice: inout SIMD8<Int32>, _ value: Vector, _ index: Int32) {
    let greater = value .> best
    best.replace(with: value, where: greater)
    choice.replace(with: index, where: greater)
}

/// A^T m A of every window, plus bias; the greatest of the four through ReLU, and which it was.
@inline(__always)
private func transformOutput(windows: Int, channels: Int, m: UnsafePointer<Float>, bias: UnsafePointer<Float>,
                             pooled: UnsafeMutablePointer<Float>, choice: UnsafeMutablePointer<UInt8>, frequency: Int) {
    for window in 0 ..< windows {
        var c = 0
        while c < channels {
            let offset = window * channels + c
            let q = m + offset
            @inline(__always) func column(_ i: Int) -> (Vector, Vector) {
                let m1 = q.vector((4 + i) * frequency), m2 = q.vector((8 + i) * frequency)
                return (q.vector(i * frequency) + m1 + m2, m1 - m2 - q.vector((12 + i) * frequency))
            }
            let c0 = column(0), c1 = column(1), c2 = column(2), c3 = column(3)
            let b = bias.vector(c)
            var best = c0.0 + c1.0 + c2.0 + b
            var index = SIMD8<Int32>.zero
            keepGreater(&best, &index, c1.0 - c2.0 - c3.0 + b, 1)
            keepGreater(&best, &index, c0.1 + c1.1 + c2.1 + b, 2)
            keepGreater(&best, &index, c1.1 - c2.1 - c3.1 + b, 3)
            pooled.store(relu(best), offset)
            UnsafeMutableRawPointer(choice + offset).storeBytes(of: SIMD8<UInt8>(truncatingIfNeeded: index), as: SIMD8<UInt8>.self)
            c += 8
        }
    }
}

func convolvePool(_ shape: dp_conv_shape, images: Int, act: UnsafePointer<Float>, transformed: UnsafePointer<Float>,
                  bias: UnsafePointer<Float>, pooled: UnsafeMutablePointer<Float>, choice: UnsafeMutablePointer<UInt8>,
                  scratch: UnsafeMutablePointer<Float>) {
    let channels = shape.channels
    let windows = (shape.height / 2) * (shape.width / 2)
    let frequency = images * windows * channels
    let v = scratch, m = scratch + 16 * frequency
    for image in 0 ..< images {
        transformInput(shape, act: act + image * (shape.height + 2) * (shape.width + 2) * channels,
                       v: v + image * windows * channels, frequency: frequency)
    }
    for f in 0 ..< 16 {
        multiplyTiles(images * windows, channels, channels, v + f * frequency, channels, 1,
                      transformed + f * channels * channels, channels, 16, m + f * frequency, channels, false)
    }
    transformOutput(windows: images * windows, channels: channels, m: m, bias: bias, pooled: pooled, choice: choice,
                    frequency: frequency)
}
