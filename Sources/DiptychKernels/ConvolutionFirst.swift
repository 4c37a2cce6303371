import CDiptychPlatform

/// cl1: one plane in, `channels` out. Nine weight vectors stay in registers while the pixels pass.
func convolveFirst(_ shape: dp_conv_shape, _ area: dp_area, x: UnsafePointer<Float>, weights: UnsafePointer<Float>,
                   bias: UnsafePointer<Float>, act: UnsafeMutablePointer<Float>) {
    let channels = shape.channels
    clearBorder(shape, act)
    var c = 0
    while c + lanes <= channels {
        convolveVector(shape, area, x, weights + c, bias + c, act + c)
        c += lanes
    }
    #if DIPTYCH_AVX512
    if c < channels { convolveZipped(shape, area, x, weights + c, bias + c, act + c) }
    #endif
}

@inline(__always)
private func convolveVector(_ shape: dp_conv_shape, _ area: dp_area, _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>,
                            _ bias: UnsafePointer<Float>, _ act: UnsafeMutablePointer<Float>) {
    let stride = shape.width + 2, channels = shape.channels
    let w0 = w.vector(0), w1 = w.vector(channels), w2 = w.vector(2 * channels)
    let w3 = w.vector(3 * channels), w4 = w.vector(4 * channels), w5 = w.vector(5 * channels)
    let w6 = w.vector(6 * channels), w7 = w.vector(7 * channels), w8 = w.vector(8 * channels)
    let b = bias.vector(0)
    let columns = area.columns
    for row in area.rows {
        var top = x + (row * stride + columns.lowerBound)
        var out = act + ((row + 1) * stride + 1 + columns.lowerBound) * channels
        // Two pixels at a time: they have six of their nine inputs in common.
        for _ in 0 ..< columns.count / 2 {
            var first = b, second = b
            addRow(top, w0, w1, w2, &first, &second)
            addRow(top + stride, w3, w4, w5, &first, &second)
            addRow(top + 2 * stride, w6, w7, w8, &first, &second)
            out.store(dp_relu(first), 0)
            out.store(dp_relu(second), channels)
            top += 2
            out += 2 * channels
        }
        if columns.count % 2 == 1 {
            var last = b
            addRow(top, w0, w1, w2, &last)
            addRow(top + stride, w3, w4, w5, &last)
            addRow(top + 2 * stride, w6, w7, w8, &last)
            out.store(dp_relu(last), 0)
        }
    }
}

#if DIPTYCH_AVX512
/// The same for eight channels: two neighbouring pixels, zipped, of two rows, which have two thirds of their inputs in common.
private func convolveZipped(_ shape: dp_conv_shape, _ area: dp_area, _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
                            _ act: UnsafeMutablePointer<Float>) {
    let stride = shape.width + 2, channels = shape.channels, line = stride * channels
    let w0 = w.doubled(0), w1 = w.doubled(channels), w2 = w.doubled(2 * channels)
    let w3 = w.doubled(3 * channels), w4 = w.doubled(4 * channels), w5 = w.doubled(5 * channels)
    let w6 = w.doubled(6 * channels), w7 = w.doubled(7 * channels), w8 = w.doubled(8 * channels)
    let b = bias.doubled(0)
    var row = Int(area.top)
    while row < Int(area.bottom) {
        // The last row and column of odd ones are taken with their neighbours once more.
        let first = min(row, shape.height - 2), x = x + first * stride, act = act + ((first + 1) * stride + 1) * channels
        var column = Int(area.left)
        while column < Int(area.right) {
            let first = min(column, shape.width - 2), x = x + first, upper = act + first * channels, lower = upper + line
            var above = b, below = b
            @inline(__always) func inputs(_ row: Int) -> (Vector, Vector, Vector) {
                let x = x + row * stride
                return (dp_repeat2(x), dp_repeat2(x + 1), dp_repeat2(x + 2))
            }
            var (x0, x1, x2) = inputs(0)
            above = fma(fma(fma(above, x0, w0), x1, w1), x2, w2)
            (x0, x1, x2) = inputs(1)
            above = fma(fma(fma(above, x0, w3), x1, w4), x2, w5)
            below = fma(fma(fma(below, x0, w0), x1, w1), x2, w2)
            (x0, x1, x2) = inputs(2)
            above = fma(fma(fma(above, x0, w6), x1, w7), x2, w8)
            below = fma(fma(fma(below, x0, w3), x1, w4), x2, w5)
            (x0, x1, x2) = inputs(3)
            below = fma(fma(fma(below, x0, w6), x1, w7), x2, w8)
            if channels == 8 {
                upper.store(dp_unzipped(dp_relu(above)), 0)
                lower.store(dp_unzipped(dp_relu(below)), 0)
            } else {
                dp_unzip(dp_relu(above), upper, upper + channels)
                dp_unzip(dp_relu(below), lower, lower + channels)
            }
            column += 2
        }
        row += 2
    }
}
#endif

/// A row of the filter at two neighbouring pixels. Each sum takes the taps in their order.
@inline(__always)
private func addRow(_ x: UnsafePointer<Float>, _ w0: Vector, _ w1: Vector, _ w2: Vector, _ first: inout Vector, _ second: inout Vector) {
    first = fma(first, x[0], w0)
    let x1 = Vector(repeating: x[1]), x2 = Vector(repeating: x[2])
    first = fma(first, x1, w1)
    second = fma(second, x1, w0)
    first = fma(first, x2, w2)
    second = fma(second, x2, w1)
    second = fma(second, x[3], w2)
}

/// At one pixel.
@inline(__always)
private func addRow(_ x: UnsafePointer<Float>, _ w0: Vector, _ w1: Vector, _ w2: Vector, _ sum: inout Vector) {
    sum = fma(sum, x[0], w0)
    sum = fma(sum, x[1], w1)
    sum = fma(sum, x[2], w2)
}

extension dp_area {
    @inline(__always) var rows: Range<Int> { Range(uncheckedBounds: (Int(top), Int(bottom))) }
    @inline(__always) var columns: Range<Int> { Range(uncheckedBounds: (Int(left), Int(right))) }
}

/// Zeroes the border of a bordered image.
@inline(__always)
func clearBorder(_ shape: dp_conv_shape, _ image: UnsafeMutablePointer<Float>) {
    let channels = shape.channels, stride = shape.width + 2, line = stride * channels
    memset(image, 0, (stride + 1) * channels * MemoryLayout<Float>.stride)
    // The right end of a row and the left of the next lie together.
    for row in 1 ..< shape.height {
        let ends = image + ((row + 1) * line - channels)
        var c = 0
        while c < 2 * channels {
            ends.store(Vector.zero, c)
            c += lanes
        }
    }
    memset(image + (shape.height + 1) * line - channels, 0, (stride + 1) * channels * MemoryLayout<Float>.stride)
}

/// The gradient of cl1's weights and bias: nine sums a channel vector, over the pixels where ReLU let through. Of an odd eight of
/// channels even columns and odd ones have sums of their own, which are added in the end (not in the baseline, whose vectors are shorter).
func convolveFirstBackward(_ shape: dp_conv_shape, _ area: dp_area, x: UnsafePointer<Float>, act: UnsafePointer<Float>,
                           gradient: UnsafePointer<Float>, weightGradient: UnsafeMutablePointer<Float>,
                           biasGradient: UnsafeMutablePointer<Float>) {
    let channels = shape.channels
    var c = 0
    while c + lanes <= channels {
        let apart = lanes == 8 && c % 16 == 0 && c + 8 == channels
        addColumns(shape, area, from: 0, step: apart ? 2 : 1, x, act + c, gradient + c, weightGradient + c, biasGradient + c)
        if apart { addColumns(shape, area, from: 1, step: 2, x, act + c, gradient + c, weightGradient + c, biasGradient + c) }
        c += lanes
    }
    #if DIPTYCH_AVX512
    if c < channels {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 10 * lanes) { zipped in
            let sums = zipped.baseAddress!
            // `min` keeps the loops from being unrolled.
            let count = min(10, channels + 2)
            func place(_ tap: Int) -> UnsafeMutablePointer<Float> { (tap < 9 ? weightGradient + tap * channels : biasGradient) + c }
            for tap in 0 ..< count { sums.store(dp_zip(Eight.load(place(tap), 0), .zero), tap * lanes) }
            addZippedColumns(shape, area, x, act + c, gradient + c, sums)
            for tap in 0 ..< count {
                let sum = sums.vector(tap * lanes)
                (sum.evenHalf + sum.oddHalf).store(place(tap), 0)
            }
        }
    }
    #endif
}

/// The sums of nine taps and of the bias.
private struct TapSums {
    var w0, w1, w2, w3, w4, w5, w6, w7, w8, b: Vector

    /// `load` is given a tap, or 9 for the bias.
    @inline(__always) init(_ load: (Int) -> Vector) {
        (w0, w1, w2, w3, w4) = (load(0), load(1), load(2), load(3), load(4))
        (w5, w6, w7, w8, b) = (load(5), load(6), load(7), load(8), load(9))
    }

    @inline(__always) func forEach(_ store: (Int, Vector) -> Void) {
        store(0, w0); store(1, w1); store(2, w2); store(3, w3); store(4, w4)
        store(5, w5); store(6, w6); store(7, w7); store(8, w8); store(9, b)
    }

    /// Adds a pixel's gradient, whose patch of inputs begins at x.
    @inline(__always) mutating func add(_ d: Vector, _ x: UnsafePointer<Float>, _ stride: Int, _ input: (UnsafePointer<Float>) -> Vector) {
        let y = x + stride, z = y + stride
        b += d
        w0 = fma(w0, input(x), d); w1 = fma(w1, input(x + 1), d); w2 = fma(w2, input(x + 2), d)
        w3 = fma(w3, input(y), d); w4 = fma(w4, input(y + 1), d); w5 = fma(w5, input(y + 2), d)
        w6 = fma(w6, input(z), d); w7 = fma(w7, input(z + 1), d); w8 = fma(w8, input(z + 2), d)
    }
}

/// Adds the pixels of all columns, or of every second, to a vector's sums: one after another to what is there from column 0 on, or else as
/// a sum of their own.
@inline(never)
private func addColumns(_ shape: dp_conv_shape, _ area: dp_area, from first: Int, step: Int, _ x: UnsafePointer<Float>, _ act: UnsafePointer<Float>,
                        _ gradient: UnsafePointer<Float>, _ w: UnsafeMutablePointer<Float>, _ bias: UnsafeMutablePointer<Float>) {
    let stride = shape.width + 2, channels = shape.channels
    // Only AVX2 takes every second: constants for the others.
    let first = lanes == 8 ? first : 0, step = lanes == 8 ? step : 1
    @inline(__always) func place(_ tap: Int) -> UnsafeMutablePointer<Float> { tap < 9 ? w + tap * channels : bias }
    var sums = TapSums { first == 0 ? place($0).vector(0) : .zero }
    let columns = area.columns
    for row in area.rows {
        var column = columns.lowerBound + first
        var x = x + (row * stride + column), offset = ((row + 1) * stride + 1 + column) * channels
        while column < columns.upperBound {
            let d = dp_pass(gradient.vector(offset), act.vector(offset))
            sums.add(d, x, stride) { Vector(repeating: $0[0]) }
            x += step
            offset += step * channels
            column += step
        }
    }
    sums.forEach { place($0).store(first == 0 ? $1 : place($0).vector(0) + $1, 0) }
}

#if DIPTYCH_AVX512
/// The same of eight channels, of two neighbouring pixels at a time, zipped.
@inline(never)
private func addZippedColumns(_ shape: dp_conv_shape, _ area: dp_area, _ x: UnsafePointer<Float>, _ act: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>,
                              _ zipped: UnsafeMutablePointer<Float>) {
    let stride = shape.width + 2, channels = shape.channels
    @inline(__always) func passed(_ offset: Int) -> Eight {
        dp_pass(Eight.load(gradient, offset), Eight.load(act, offset))
    }
    var sums = TapSums { zipped.vector($0 * lanes) }
    let columns = area.columns
    for row in area.rows {
        var x = x + (row * stride + columns.lowerBound), offset = ((row + 1) * stride + 1 + columns.lowerBound) * channels
        for _ in 0 ..< columns.count / 2 {
            let d: Vector
            if channels == 8 {
                // Both pixels lie together.
                d = dp_zip_halves(dp_pass(gradient.vector(offset), act.vector(offset)))
            } else {
                d = dp_zip(passed(offset), passed(offset + channels))
            }
            sums.add(d, x, stride) { dp_repeat2($0) }
            x += 2
            offset += 2 * channels
        }
        if columns.count % 2 == 1 { sums.add(dp_zip(passed(offset), .zero), x, stride) { Vector(repeating: $0[0]) } }
    }
    sums.forEach { zipped.store($1, $0 * lanes) }
}
#endif
