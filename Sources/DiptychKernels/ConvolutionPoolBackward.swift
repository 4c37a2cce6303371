import CDiptychPlatform

// The way back through the pool is sparse: of a window's four positions one can carry a gradient, and only where the
// pooled value is positive. So for each output channel the few positions that do are listed, and each touches three
// rows of 3 * channels neighbouring floats of the input.

/// target[0 ..< length] += sum over the list of value * source[offset ...]; length is a multiple of 24.
@inline(__always)
private func gatherRows(_ count: Int, _ offsets: UnsafePointer<Int32>, _ values: UnsafePointer<Float>,
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

/// target[offset ...] += value * source[0 ..< length] for each in the list; length is a multiple of 24.
@inline(__always)
private func scatterRows(_ count: Int, _ offsets: UnsafePointer<Int32>, _ values: UnsafePointer<Float>,
                         source: UnsafePointer<Float>, target: UnsafeMutablePointer<Float>, length: Int) {
    var i = 0
    while i + 96 <= length {
        let s = source + i
        let s0 = s.vector(0), s1 = s.vector(8), s2 = s.vector(16), s3 = s.vector(24)
        let s4 = s.vector(32), s5 = s.vector(40), s6 = s.vector(48), s7 = s.vector(56)
        let s8 = s.vector(64), s9 = s.vector(72), s10 = s.vector(80), s11 = s.vector(88)
        for k in 0 ..< count {
            let t = target + Int(offsets[k]) + i, value = Vector(repeating: values[k])
            t.store(fma(t.vector(0), value, s0), 0); t.store(fma(t.vector(8), value, s1), 8)
            t.store(fma(t.vector(16), value, s2), 16); t.store(fma(t.vector(24), value, s3), 24)
            t.store(fma(t.vector(32), value, s4), 32); t.store(fma(t.vector(40), value, s5), 40)
            t.store(fma(t.vector(48), value, s6), 48); t.store(fma(t.vector(56), value, s7), 56)
            t.store(fma(t.vector(64), value, s8), 64); t.store(fma(t.vector(72), value, s9), 72)
            t.store(fma(t.vector(80), value, s10), 80); t.store(fma(t.vector(88), value, s11), 88)
        }
        i += 96
    }
    while i < length {
        let s0 = source.vector(i), s1 = source.vector(i + 8), s2 = source.vector(i + 16)
        for k in 0 ..< count {
            let t = target + Int(offsets[k]) + i, value = Vector(repeating: values[k])
            t.store(fma(t.vector(0), value, s0), 0)
            t.store(fma(t.vector(8), value, s1), 8)
            t.store(fma(t.vector(16), value, s2), 16)
        }
        i += 24
    }
}

func convolvePoolBackward(_ shape: dp_conv_shape, act: UnsafePointer<Float>, weights: UnsafePointer<Float>,
                          gradient: UnsafePointer<Float>, choice: UnsafePointer<UInt8>,
                          weightGradient: UnsafeMutablePointer<Float>, biasGradient: UnsafeMutablePointer<Float>,
                          actGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>) {
    let channels = shape.channels, line = (shape.width + 2) * channels
    let windowRows = shape.height / 2, windowColumns = shape.width / 2
    let windows = windowRows * windowColumns
    let values = scratch
    let offsets = UnsafeMutableRawPointer(scratch + windows).assumingMemoryBound(to: Int32.self)
    memset(actGradient, 0, (shape.height + 2) * line * MemoryLayout<Float>.stride)
    for channel in 0 ..< channels {
        var count = 0, window = channel
        var sum: Float = 0
        for row in 0 ..< windowRows {
            var corner = 2 * row * line
            for _ in 0 ..< windowColumns {
                let value = gradient[window]
                let position = Int(choice[window])
                // Written always, kept only where it counts: no branch to mispredict.
                values[count] = value
                offsets[count] = Int32(truncatingIfNeeded: corner &+ (position >> 1) &* line &+ (position & 1) &* channels)
                count += value != 0 ? 1 : 0
                sum += value
                corner += 2 * channels
                window += channels
            }
        }
        biasGradient[channel] += sum
        for row in 0 ..< 3 {
            let filter = (3 * channel + row) * 3 * channels
            gatherRows(count, offsets, values, source: act + row * line, target: weightGradient + filter, length: 3 * channels)
            scatterRows(count, offsets, values, source: weights + filter, target: actGradient + row * line, length: 3 * channels)
        }
    }
}
