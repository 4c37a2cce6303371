import CDiptychPlatform

// The way back through the pool is sparse: of a window's four positions one can carry a gradient, and only where the
// pooled value is positive. Each gradient touches three rows of 3 * channels neighbouring floats, of the input and of its
// gradient; its channel's filter meets both. So the gradients are listed by channel, and one pass over a list does both sums:
//
//   weight_gradient[channel][tap] += value * act[position + tap]      in registers
//   act_gradient[position + tap]  += value * weights[channel][tap]    the filter in registers
//
// A pass takes one row of taps and two vectors of the input's channels (of AVX2's last one, two rows): twelve registers. The windows are
// taken in bands of which 16 channels of both images are no larger than the first-level cache; of the preset's that is the image.
// AVX-512 takes 32 channels of the same bands, and adds in AVX2's order.

/// Three pixels' vectors of channels, twice: the second lie `imageStep` and `tapStep` further on.
@inline(__always)
private func addTwice(_ count: Int, _ patches: UnsafePointer<Int32>, _ values: UnsafePointer<Float>, channels: Int, imageStep: Int,
                      tapStep: Int, act: UnsafePointer<Float>, weights: UnsafePointer<Float>, weightGradient: UnsafeMutablePointer<Float>,
                      actGradient: UnsafeMutablePointer<Float>) {
    let second = channels, third = 2 * channels
    let low = weights, high = weights + tapStep
    let w0 = low.vector(0), w1 = low.vector(second), w2 = low.vector(third)
    let w3 = high.vector(0), w4 = high.vector(second), w5 = high.vector(third)
    let lowSum = weightGradient, highSum = weightGradient + tapStep
    var s0 = lowSum.vector(0), s1 = lowSum.vector(second), s2 = lowSum.vector(third)
    var s3 = highSum.vector(0), s4 = highSum.vector(second), s5 = highSum.vector(third)
    for k in 0 ..< count {
        let patch = Int(patches[k]), value = Vector(repeating: values[k])
        let x = act + patch, y = x + imageStep, g = actGradient + patch, h = g + imageStep
        s0 = fma(s0, value, x.vector(0)); s1 = fma(s1, value, x.vector(second)); s2 = fma(s2, value, x.vector(third))
        s3 = fma(s3, value, y.vector(0)); s4 = fma(s4, value, y.vector(second)); s5 = fma(s5, value, y.vector(third))
        g.store(fma(g.vector(0), value, w0), 0)
        g.store(fma(g.vector(second), value, w1), second)
        g.store(fma(g.vector(third), value, w2), third)
        h.store(fma(h.vector(0), value, w3), 0)
        h.store(fma(h.vector(second), value, w4), second)
        h.store(fma(h.vector(third), value, w5), third)
    }
    lowSum.store(s0, 0); lowSum.store(s1, second); lowSum.store(s2, third)
    highSum.store(s3, 0); highSum.store(s4, second); highSum.store(s5, third)
}

/// The same once.
@inline(__always)
private func addOnce(_ count: Int, _ patches: UnsafePointer<Int32>, _ values: UnsafePointer<Float>, channels: Int,
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

/// All lists by all taps.
private func add(_ lists: PoolLists, line: Int, act: UnsafePointer<Float>, weights: UnsafePointer<Float>,
                 weightGradient: UnsafeMutablePointer<Float>, actGradient: UnsafeMutablePointer<Float>) {
    let channels = lists.channels, filter = 9 * channels, length = 3 * channels
    var block = 0
    while block < channels {
        let two = block + 2 * lanes <= channels
        for channel in 0 ..< channels where lists.counts[channel] > 0 {
            let count = Int(lists.counts[channel])
            let patches = lists.patches + channel * lists.stride, values = lists.values + channel * lists.stride
            let weights = weights + channel * filter + block, sums = weightGradient + channel * filter + block
            let act = act + block, actGradient = actGradient + block
            if two {
                for tapRow in 0 ..< 3 {
                    let taps = tapRow * length, image = tapRow * line
                    addTwice(count, patches, values, channels: channels, imageStep: lanes, tapStep: lanes, act: act + image,
                             weights: weights + taps, weightGradient: sums + taps, actGradient: actGradient + image)
                }
                continue
            }
            // AVX2 takes two rows of its last vector together, AVX-512, in AVX2's order, one after the other.
            if lanes < 16 {
                addTwice(count, patches, values, channels: channels, imageStep: line, tapStep: length, act: act, weights: weights,
                         weightGradient: sums, actGradient: actGradient)
            }
            for tapRow in (lanes < 16 ? 2 : 0) ..< 3 {
                let taps = tapRow * length, image = tapRow * line
                addOnce(count, patches, values, channels: channels, act: act + image, weights: weights + taps, weightGradient: sums + taps,
                        actGradient: actGradient + image)
            }
        }
        block += 2 * lanes
    }
}

func convolvePoolBackward(_ shape: dp_conv_shape, act: UnsafePointer<Float>, weights: UnsafePointer<Float>,
                          gradient: UnsafePointer<Float>, choice: UnsafePointer<UInt8>,
                          weightGradient: UnsafeMutablePointer<Float>, biasGradient: UnsafeMutablePointer<Float>,
                          actGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>) {
    let channels = shape.channels, line = (shape.width + 2) * channels
    let columns = shape.width / 2, windows = shape.height / 2 * columns
    memset(actGradient, 0, (shape.height + 2) * line * MemoryLayout<Float>.stride)
    var block = 0
    while block < channels {
        var sum = Vector.zero
        for window in 0 ..< windows { sum += gradient.vector(window * channels + block) }
        biasGradient.store(biasGradient.vector(block) + sum, block)
        block += lanes
    }

    let rows = dp_conv_pool_band(shape), lists = PoolLists(windows: rows * columns, channels: channels, scratch: scratch)
    for row in stride(from: 0, to: shape.height / 2, by: rows) {
        let first = row * columns * channels, image = 2 * row * line
        lists.fill(windows: min(rows * columns, windows - row * columns), columns: columns, line: line, gradient: gradient + first,
                   choice: choice + first)
        add(lists, line: line, act: act + image, weights: weights, weightGradient: weightGradient, actGradient: actGradient + image)
    }
}
