import CDiptychPlatform

// The way back through the pool is sparse: of a window's four positions one can carry a gradient, and only where the
// pooled value is positive. Each gradient touches three rows of 3 * channels neighbouring floats, of the input and of its
// gradient; its channel's filter meets both. So the gradients are listed by channel, and one pass over a list does both sums:
//
//   weight_gradient[channel][tap] += value * act[position + tap]      in registers
//   act_gradient[position + tap]  += value * weights[channel][tap]    the filter in registers
//
// A pass takes one row of taps and two vectors of the input's channels (of a last eight, two rows): twelve registers. The windows are
// taken in bands of which 16 channels of both images are no larger than the first-level cache; of the preset's that is the image.
// AVX-512 takes 32 channels of the same bands, and adds in AVX2's order.

/// Three pixels' vectors of channels, once or, a constant to the compiler, twice: the second lie `imageStep` and `tapStep` further on.
@inline(__always)
private func add<V: ChannelVector>(_: V.Type, twice: Bool, _ count: Int, _ patches: UnsafePointer<Int32>, _ values: UnsafePointer<Float>,
                                   channels: Int, imageStep: Int = 0, tapStep: Int = 0, act: UnsafePointer<Float>,
                                   weights: UnsafePointer<Float>, weightGradient: UnsafeMutablePointer<Float>,
                                   actGradient: UnsafeMutablePointer<Float>) {
    let second = channels, third = 2 * channels
    let low = weights, high = weights + tapStep, lowSum = weightGradient, highSum = weightGradient + tapStep
    let w0 = V.load(low, 0), w1 = V.load(low, second), w2 = V.load(low, third)
    let w3 = V.load(high, 0), w4 = V.load(high, second), w5 = V.load(high, third)
    var s0 = V.load(lowSum, 0), s1 = V.load(lowSum, second), s2 = V.load(lowSum, third)
    var s3 = V.load(highSum, 0), s4 = V.load(highSum, second), s5 = V.load(highSum, third)
    for k in 0 ..< count {
        let patch = Int(patches[k]), value = V(repeating: values[k])
        let x = act + patch, y = x + imageStep, g = actGradient + patch, h = g + imageStep
        s0 = s0.adding(value, times: V.load(x, 0))
        s1 = s1.adding(value, times: V.load(x, second))
        s2 = s2.adding(value, times: V.load(x, third))
        if twice {
            s3 = s3.adding(value, times: V.load(y, 0))
            s4 = s4.adding(value, times: V.load(y, second))
            s5 = s5.adding(value, times: V.load(y, third))
        }
        V.load(g, 0).adding(value, times: w0).store(g, 0)
        V.load(g, second).adding(value, times: w1).store(g, second)
        V.load(g, third).adding(value, times: w2).store(g, third)
        if twice {
            V.load(h, 0).adding(value, times: w3).store(h, 0)
            V.load(h, second).adding(value, times: w4).store(h, second)
            V.load(h, third).adding(value, times: w5).store(h, third)
        }
    }
    s0.store(lowSum, 0); s1.store(lowSum, second); s2.store(lowSum, third)
    if twice { s3.store(highSum, 0); s4.store(highSum, second); s5.store(highSum, third) }
}

/// All lists by all taps.
private func add(_ lists: PoolLists, line: Int, act: UnsafePointer<Float>, weights: UnsafePointer<Float>,
                 weightGradient: UnsafeMutablePointer<Float>, actGradient: UnsafeMutablePointer<Float>) {
    let channels = lists.channels, filter = 9 * channels, length = 3 * channels
    var block = 0
    while block < channels {
        let left = channels - block
        for channel in 0 ..< channels where lists.counts[channel] > 0 {
            let count = Int(lists.counts[channel])
            let patches = lists.patches + channel * lists.stride, values = lists.values + channel * lists.stride
            let weights = weights + channel * filter + block, sums = weightGradient + channel * filter + block
            let act = act + block, actGradient = actGradient + block
            if left >= 2 * lanes {
                for tapRow in 0 ..< 3 {
                    let taps = tapRow * length, image = tapRow * line
                    add(Vector.self, twice: true, count, patches, values, channels: channels, imageStep: lanes, tapStep: lanes, act: act + image,
                             weights: weights + taps, weightGradient: sums + taps, actGradient: actGradient + image)
                }
                continue
            }
            #if DIPTYCH_AVX512
            if left >= lanes {
                // In AVX2's order, which takes sixteen channels' rows of taps one after the other, eight's first two together.
                for tapRow in 0 ..< 3 {
                    let taps = tapRow * length, image = tapRow * line
                    add(Vector.self, twice: false, count, patches, values, channels: channels, act: act + image, weights: weights + taps,
                            weightGradient: sums + taps, actGradient: actGradient + image)
                }
                continue
            }
            #endif
            #if DIPTYCH_AVX2 || DIPTYCH_AVX512
            let taps = 2 * length, image = 2 * line
            add(Eight.self, twice: true, count, patches, values, channels: channels, imageStep: line, tapStep: length, act: act,
                     weights: weights, weightGradient: sums, actGradient: actGradient)
            add(Eight.self, twice: false, count, patches, values, channels: channels, act: act + image, weights: weights + taps,
                    weightGradient: sums + taps, actGradient: actGradient + image)
            #endif
        }
        block += left >= 2 * lanes ? 2 * lanes : left >= 16 ? 16 : 8
    }
}

/// Adds the windows' gradients to those of the bias.
@inline(__always)
private func sumWindows<V: ChannelVector>(_: V.Type, _ windows: dp_windows, _ gradient: UnsafePointer<Float>,
                                          _ biasGradient: UnsafeMutablePointer<Float>) {
    var sum = V(repeating: 0)
    for window in 0 ..< windows.count { sum = sum + V.load(gradient, Int(windows.features[window])) }
    (V.load(biasGradient, 0) + sum).store(biasGradient, 0)
}

func convolvePoolBackward(_ shape: dp_conv_shape, _ windows: dp_windows, _ area: dp_area, act: UnsafePointer<Float>,
                          weights: UnsafePointer<Float>, gradient: UnsafePointer<Float>, choice: UnsafePointer<UInt8>,
                          weightGradient: UnsafeMutablePointer<Float>, biasGradient: UnsafeMutablePointer<Float>,
                          actGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>) {
    let channels = shape.channels, line = (shape.width + 2) * channels
    // With a line above and below, on which patches may lie too.
    memset(actGradient + Int(area.top) * line, 0, (area.rows.count + 2) * line * MemoryLayout<Float>.stride)
    var block = 0
    while block + lanes <= channels {
        sumWindows(Vector.self, windows, gradient + block, biasGradient + block)
        block += lanes
    }
    #if DIPTYCH_AVX512
    if block < channels { sumWindows(Eight.self, windows, gradient + block, biasGradient + block) }
    #endif

    let lists = PoolLists(shape, scratch: scratch), band = 2 * dp_conv_pool_band(shape) * line
    var first = 0, end = 0
    while first < windows.count {
        // Whole rows of windows.
        let last = quotient(Int(windows.corners[first]), 2 * line) * 2 * line + band
        while end < windows.count && Int(windows.corners[end]) < last { end += 1 }
        lists.fill(windows, first ..< end, line: line, gradient: gradient, choice: choice)
        add(lists, line: line, act: act, weights: weights, weightGradient: weightGradient, actGradient: actGradient)
        first = end
    }
}
