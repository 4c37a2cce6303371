import CDiptychPlatform

// cl2 and its pool by Winograd's F(2x2, 3x3) (Lavin and Gray, "Fast algorithms for convolutional neural networks",
// 2016): a 4x4 patch of input gives a 2x2 patch of output with 16 products a pair of channels instead of 36, and that
// 2x2 patch is just one pool window. Three passes: patches to the frequency domain, 16 small matrix products, and
// back with bias, ReLU and max at once.

/// G g G^T of every 3x3 filter, [out][9][in] to [16][in][out], eight outputs at a time.
func winogradWeights(channels: Int, weights: UnsafePointer<Float>, transformed: UnsafeMutablePointer<Float>) {
    let frequency = channels * channels, filter = 9 * channels
    var out = 0
    while out < channels {
        for input in 0 ..< channels {
            let g = weights + out * filter + input
            @inline(__always) func tap(_ index: Int) -> Vector {
                let t = g + index * channels
                return Vector(t[0], t[filter], t[2 * filter], t[3 * filter], t[4 * filter], t[5 * filter], t[6 * filter], t[7 * filter])
            }
            let u = transformed + input * channels + out
            // A filter row's (g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2).
            @inline(__always) func line(_ g0: Vector, _ g1: Vector, _ g2: Vector) -> (Vector, Vector, Vector, Vector) {
                let ends = 0.5 * (g0 + g2), middle = 0.5 * g1
                return (g0, ends + middle, ends - middle, g2)
            }
            let r0 = line(tap(0), tap(1), tap(2)), r1 = line(tap(3), tap(4), tap(5)), r2 = line(tap(6), tap(7), tap(8))
            @inline(__always) func column(_ k0: Vector, _ k1: Vector, _ k2: Vector, _ index: Int) {
                let c = line(k0, k1, k2)
                u.store(c.0, index * frequency)
                u.store(c.1, (4 + index) * frequency)
                u.store(c.2, (8 + index) * frequency)
                u.store(c.3, (12 + index) * frequency)
            }
            column(r0.0, r1.0, r2.0, 0)
            column(r0.1, r1.1, r2.1, 1)
            column(r0.2, r1.2, r2.2, 2)
            column(r0.3, r1.3, r2.3, 3)
        }
        out += 8
    }
}

/// See kernels.h. A window's convolutions reach 2 pixels beyond its own 2x2: 6x6 pixels.
func liveWindows(_ shape: dp_conv_shape, x: UnsafePointer<Float>, background: Float, list: UnsafeMutablePointer<Int32>) -> Int {
    let stride = shape.width + 2, columns = shape.width / 2
    var count = 0
    for row in 0 ..< shape.height / 2 {
        let top = max(2 * row - 2, 0), bottom = min(2 * row + 3, shape.height - 1)
        for column in 0 ..< columns {
            let left = max(2 * column - 2, 0), right = min(2 * column + 3, shape.width - 1)
            var different = 0
            var line = x + (top + 1) * stride + 1
            for _ in top ... bottom {
                for pixel in left ... right { different |= line[pixel] != background ? 1 : 0 }
                line += stride
            }
            list[count] = Int32(truncatingIfNeeded: row &* columns &+ column)
            count += different
        }
    }
    return count
}

/// One line of B^T d: (d0 - d2, d1 + d2, d2 - d1, d1 - d3).
@inline(__always)
private func inputLine(_ d0: Vector, _ d1: Vector, _ d2: Vector, _ d3: Vector) -> (Vector, Vector, Vector, Vector) {
    (d0 - d2, d1 + d2, d2 - d1, d1 - d3)
}

/// The listed windows' patches of 4x4 pixels to v[16][count][channel].
@inline(__always)
private func transformInput(_ shape: dp_conv_shape, count: Int, list: UnsafePointer<Int32>, act: UnsafePointer<Float>,
                            v: UnsafeMutablePointer<Float>) {
    let channels = shape.channels, line = (shape.width + 2) * channels, image = (shape.height + 2) * line
    let columns = shape.width / 2, windows = shape.height / 2 * columns
    let frequency = count * channels
    for index in 0 ..< count {
        let number = Int(list[index]), window = number % windows
        let patch = act + number / windows * image + 2 * (window / columns * line + window % columns * channels)
        let target = v + index * channels
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
    }
}

/// Replaces best by value, and choice by index, where value is greater; the first of equals stays, as in PyTorch.
@inline(__always)
private func keepGreater(_ best: inout Vector, _ choice: inout SIMD8<Int32>, _ value: Vector, _ index: Int32) {
    let greater = value .> best
    best.replace(with: value, where: greater)
    choice.replace(with: index, where: greater)
}

/// A^T m A of every listed window, plus bias; the greatest of the four through ReLU, and which it was.
@inline(__always)
private func transformOutput(count: Int, list: UnsafePointer<Int32>, channels: Int, m: UnsafePointer<Float>,
                             bias: UnsafePointer<Float>, pooled: UnsafeMutablePointer<Float>, choice: UnsafeMutablePointer<UInt8>) {
    let frequency = count * channels
    for index in 0 ..< count {
        var c = 0
        while c < channels {
            let offset = Int(list[index]) * channels + c
            let q = m + index * channels + c
            @inline(__always) func column(_ i: Int) -> (Vector, Vector) {
                let m1 = q.vector((4 + i) * frequency), m2 = q.vector((8 + i) * frequency)
                return (q.vector(i * frequency) + m1 + m2, m1 - m2 - q.vector((12 + i) * frequency))
            }
            let c0 = column(0), c1 = column(1), c2 = column(2), c3 = column(3)
            let b = bias.vector(c)
            var best = c0.0 + c1.0 + c2.0 + b
            var which = SIMD8<Int32>.zero
            keepGreater(&best, &which, c1.0 - c2.0 - c3.0 + b, 1)
            keepGreater(&best, &which, c0.1 + c1.1 + c2.1 + b, 2)
            keepGreater(&best, &which, c1.1 - c2.1 - c3.1 + b, 3)
            pooled.store(relu(best), offset)
            UnsafeMutableRawPointer(choice + offset).storeBytes(of: SIMD8<UInt8>(truncatingIfNeeded: which), as: SIMD8<UInt8>.self)
            c += 8
        }
    }
}

/// Windows that go through the three passes together: what keeps both domains in the first-level cache.
private let windowBlock = Int(DP_CONV_POOL_SCRATCH) / 32

func convolvePool(_ shape: dp_conv_shape, count: Int, list: UnsafePointer<Int32>, act: UnsafePointer<Float>,
                  transformed: UnsafePointer<Float>, bias: UnsafePointer<Float>, pooled: UnsafeMutablePointer<Float>,
                  choice: UnsafeMutablePointer<UInt8>, scratch: UnsafeMutablePointer<Float>) {
    let channels = shape.channels
    var done = 0
    while done < count {
        let block = min(windowBlock, count - done), frequency = block * channels
        let v = scratch, m = scratch + 16 * frequency
        transformInput(shape, count: block, list: list + done, act: act, v: v)
        for f in 0 ..< 16 {
            multiplyTiles(block, channels, channels, v + f * frequency, channels, 1, transformed + f * channels * channels,
                          channels, 16, m + f * frequency, channels, false)
        }
        transformOutput(count: block, list: list + done, channels: channels, m: m, bias: bias, pooled: pooled, choice: choice)
        done += block
    }
}
