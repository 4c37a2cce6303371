import CDiptychPlatform

// The way back through the pool is sparse: of a window's four positions one can carry a gradient, and only where the
// pooled value is positive. Each gradient touches three rows of 3 * channels neighbouring floats, of the input and of its
// gradient; its channel's filter meets both. So the gradients are listed by channel, and one pass over a list does both sums:
//
//   weight_gradient[channel][tap] += value * act[position + tap]      in registers
//   act_gradient[position + tap]  += value * weights[channel][tap]    the filter in registers
//
// A pass takes one row of taps and 16 of the input's channels: twelve registers, and half of both images stays in the
// first-level cache.

/// Six vectors: three pixels' 16 channels.
@inline(__always)
private func addBoth16(_ count: Int, _ patches: UnsafePointer<Int32>, _ values: UnsafePointer<Float>, channels: Int,
                       act: UnsafePointer<Float>, weights: UnsafePointer<Float>, weightGradient: UnsafeMutablePointer<Float>,
                       actGradient: UnsafeMutablePointer<Float>) {
    let second = channels, third = 2 * channels
    let w0 = weights.vector(0), w1 = weights.vector(8), w2 = weights.vector(second), w3 = weights.vector(second + 8)
    let w4 = weights.vector(third), w5 = weights.vector(third + 8)
    let sum = weightGradient
    var s0 = sum.vector(0), s1 = sum.vector(8), s2 = sum.vector(second), s3 = sum.vector(second + 8)
    var s4 = sum.vector(third), s5 = sum.vector(third + 8)
    for k in 0 ..< count {
        let patch = Int(patches[k]), value = Vector(repeating: values[k])
        let x = act + patch, g = actGradient + patch
        s0 = fma(s0, value, x.vector(0)); s1 = fma(s1, value, x.vector(8))
        s2 = fma(s2, value, x.vector(second)); s3 = fma(s3, value, x.vector(second + 8))
        s4 = fma(s4, value, x.vector(third)); s5 = fma(s5, value, x.vector(third + 8))
        g.store(fma(g.vector(0), value, w0), 0); g.store(fma(g.vector(8), value, w1), 8)
        g.store(fma(g.vector(second), value, w2), second); g.store(fma(g.vector(second + 8), value, w3), second + 8)
        g.store(fma(g.vector(third), value, w4), third); g.store(fma(g.vector(third + 8), value, w5), third + 8)
    }
    sum.store(s0, 0); sum.store(s1, 8); sum.store(s2, second); sum.store(s3, second + 8)
    sum.store(s4, third); sum.store(s5, third + 8)
}

/// Three vectors: the last 8 channels, where their number is odd times 8.
@inline(__always)
private func addBoth8(_ count: Int, _ patches: UnsafePointer<Int32>, _ values: UnsafePointer<Float>, channels: Int,
                      act: UnsafePointer<Float>, weights: UnsafePointer<Float>, weightGradient: UnsafeMutablePointer<Float>,
                      actGradient: UnsafeMutablePointer<Float>) {
    let second = channels, third = 2 * channels
    let w0 = weights.vector(0), w1 = weights.vector(second), w2 = weights.vector(third)
    let sum = weightGradient
    var s0 = sum.vector(0), s1 = sum.vector(second), s2 = sum.vector(third)
    for k in 0 ..< count {
        let patch = Int(patches[k]), value = Vector(repeating: values[k])
        let x = act + patch, g = actGradient + patch
        s0 = fma(s0, value, x.vector(0)); s1 = fma(s1, value, x.vector(second)); s2 = fma(s2, value, x.vector(third))
        g.store(fma(g.vector(0), value, w0), 0)
        g.store(fma(g.vector(second), value, w1), second)
        g.store(fma(g.vector(third), value, w2), third)
    }
    sum.store(s0, 0); sum.store(s1, second); sum.store(s2, third)
}

func convolvePoolBackward(_ shape: dp_conv_shape, act: UnsafePointer<Float>, weights: UnsafePointer<Float>,
                          gradient: UnsafePointer<Float>, choice: UnsafePointer<UInt8>,
                          weightGradient: UnsafeMutablePointer<Float>, biasGradient: UnsafeMutablePointer<Float>,
                          actGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>) {
    let channels = shape.channels, line = (shape.width + 2) * channels
    let windowRows = shape.height / 2, windowColumns = shape.width / 2
    let windows = windowRows * windowColumns, filter = 9 * channels, length = 3 * channels
    func integers(_ offset: Int) -> UnsafeMutablePointer<Int32> {
        UnsafeMutableRawPointer(scratch + offset).assumingMemoryBound(to: Int32.self)
    }
    // [channel][windows]: the channel's gradients and where their 3x3 patches begin.
    let values = scratch, patches = integers(windows * channels), counts = integers(2 * windows * channels)
    memset(actGradient, 0, (shape.height + 2) * line * MemoryLayout<Float>.stride)
    memset(counts, 0, channels * MemoryLayout<Int32>.stride)

    var window = 0
    for row in 0 ..< windowRows {
        for column in 0 ..< windowColumns {
            let corner = 2 * (row * line + column * channels)
            let gradient = gradient + window * channels, choice = choice + window * channels
            var block = 0
            while block < channels {
                var alive: UInt64 = 0
                for eight in 0 ..< min(8, (channels - block) / 8) { alive |= dp_nonzero8(gradient + block + 8 * eight) &<< UInt64(8 * eight) }
                while alive != 0 {
                    let channel = block + alive.trailingZeroBitCount
                    alive &= alive &- 1
                    let position = Int(choice[channel] & 3)
                    let entry = channel * windows + Int(counts[channel])
                    values[entry] = gradient[channel]
                    patches[entry] = Int32(truncatingIfNeeded: corner &+ (position >> 1) &* line &+ (position & 1) &* channels)
                    counts[channel] &+= 1
                }
                block += 64
            }
            window += 1
        }
    }

    for channel in 0 ..< channels {
        var sum: Float = 0
        for k in 0 ..< Int(counts[channel]) { sum += values[channel * windows + k] }
        biasGradient[channel] += sum
    }
    var block = 0
    while block < channels {
        for channel in 0 ..< channels where counts[channel] > 0 {
            let count = Int(counts[channel]), list = channel * windows
            for tapRow in 0 ..< 3 {
                let taps = channel * filter + tapRow * length + block, image = tapRow * line + block
                if block + 16 <= channels {
                    addBoth16(count, patches + list, values + list, channels: channels, act: act + image, weights: weights + taps,
                              weightGradient: weightGradient + taps, actGradient: actGradient + image)
                } else {
                    addBoth8(count, patches + list, values + list, channels: channels, act: act + image, weights: weights + taps,
                             weightGradient: weightGradient + taps, actGradient: actGradient + image)
                }
            }
        }
        block += 16
    }
}
