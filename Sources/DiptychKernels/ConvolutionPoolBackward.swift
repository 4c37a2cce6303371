import CDiptychPlatform

// The way back through the pool is sparse: of a window's four positions one can carry a gradient, and only where the
// pooled value is positive. Each gradient touches three rows of 3 * channels neighbouring floats: of the input, for the
// weights' gradient, and of its own filter, for the input's. Both are sums in registers over a list of gradients:
//
//   weight_gradient[channel][row] += sum over the channel's positions     of value * act[position + row]
//   act_gradient[position + row]  += sum over the position's channels     of value * weights[channel][row]

/// target[0 ..< length] += sum over the list of value * source[offset ..< offset + length]; length is a multiple of 24.
@inline(__always)
private func addRows(_ count: Int, _ offsets: UnsafePointer<Int32>, _ values: UnsafePointer<Float>,
                        source: UnsafePointer<Float>, target: UnsafeMutablePointer<Float>, length: Int) {
    var i = 0
    while i + 96 <= length {
        let t = target + i, s = source + i
        var t0 = t.vector(0), t1 = t.vector(8), t2 = t.vector(16), t3 = t.vector(24)
        var t4 = t.vector(32), t5 = t.vector(40), t6 = t.vector(48), t7 = t.vector(56)
        var t8 = t.vector(64), t9 = t.vector(72), t10 = t.vector(80), t11 = t.vector(88)
        for k in 0 ..< count {
            let row = s + Int(offsets[k]), value = Vector(repeating: values[k])
            t0 = fma(t0, value, row.vector(0)); t1 = fma(t1, value, row.vector(8))
            t2 = fma(t2, value, row.vector(16)); t3 = fma(t3, value, row.vector(24))
            t4 = fma(t4, value, row.vector(32)); t5 = fma(t5, value, row.vector(40))
            t6 = fma(t6, value, row.vector(48)); t7 = fma(t7, value, row.vector(56))
            t8 = fma(t8, value, row.vector(64)); t9 = fma(t9, value, row.vector(72))
            t10 = fma(t10, value, row.vector(80)); t11 = fma(t11, value, row.vector(88))
        }
        t.store(t0, 0); t.store(t1, 8); t.store(t2, 16); t.store(t3, 24)
        t.store(t4, 32); t.store(t5, 40); t.store(t6, 48); t.store(t7, 56)
        t.store(t8, 64); t.store(t9, 72); t.store(t10, 80); t.store(t11, 88)
        i += 96
    }
    while i < length {
        let t = target + i, s = source + i
        var t0 = t.vector(0), t1 = t.vector(8), t2 = t.vector(16)
        for k in 0 ..< count {
            let row = s + Int(offsets[k]), value = Vector(repeating: values[k])
            t0 = fma(t0, value, row.vector(0)); t1 = fma(t1, value, row.vector(8)); t2 = fma(t2, value, row.vector(16))
        }
        t.store(t0, 0); t.store(t1, 8); t.store(t2, 16)
        i += 24
    }
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
    // One window's, [position][channels]: the gradients and their filters.
    let windowValues = scratch + (2 * windows + 1) * channels, filters = integers((2 * windows + 5) * channels)
    let windowCounts = integers((2 * windows + 9) * channels)
    memset(actGradient, 0, (shape.height + 2) * line * MemoryLayout<Float>.stride)
    memset(counts, 0, channels * MemoryLayout<Int32>.stride)

    var window = 0
    for row in 0 ..< windowRows {
        for column in 0 ..< windowColumns {
            let corner = 2 * (row * line + column * channels)
            let gradient = gradient + window * channels, choice = choice + window * channels
            windowCounts[0] = 0; windowCounts[1] = 0; windowCounts[2] = 0; windowCounts[3] = 0
            var block = 0
            while block < channels {
                var alive: UInt64 = 0
                for eight in 0 ..< min(8, (channels - block) / 8) { alive |= dp_nonzero8(gradient + block + 8 * eight) << UInt64(8 * eight) }
                while alive != 0 {
                    let channel = block + alive.trailingZeroBitCount
                    alive &= alive &- 1
                    let value = gradient[channel], position = Int(choice[channel] & 3)
                    let place = position * channels + Int(windowCounts[position])
                    windowValues[place] = value
                    filters[place] = Int32(truncatingIfNeeded: channel &* filter)
                    windowCounts[position] &+= 1
                    let entry = channel * windows + Int(counts[channel])
                    values[entry] = value
                    patches[entry] = Int32(truncatingIfNeeded: corner &+ (position >> 1) &* line &+ (position & 1) &* channels)
                    counts[channel] &+= 1
                }
                block += 64
            }
            for position in 0 ..< 4 where windowCounts[position] > 0 {
                let target = actGradient + corner + (position >> 1) * line + (position & 1) * channels
                for tapRow in 0 ..< 3 {
                    addRows(Int(windowCounts[position]), filters + position * channels, windowValues + position * channels,
                            source: weights + tapRow * length, target: target + tapRow * line, length: length)
                }
            }
            window += 1
        }
    }

    for channel in 0 ..< channels {
        let count = Int(counts[channel]), list = channel * windows
        var sum: Float = 0
        for k in 0 ..< count { sum += values[list + k] }
        biasGradient[channel] += sum
        for tapRow in 0 ..< 3 {
            addRows(count, patches + list, values + list, source: act + tapRow * line,
                    target: weightGradient + channel * filter + tapRow * length, length: length)
        }
    }
}
