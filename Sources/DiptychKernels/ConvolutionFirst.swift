import CDiptychPlatform

/// cl1: one plane in, `channels` out. Nine weight vectors stay in registers while the pixels pass.
func convolveFirst(_ shape: dp_conv_shape, x: UnsafePointer<Float>, weights: UnsafePointer<Float>,
                   bias: UnsafePointer<Float>, act: UnsafeMutablePointer<Float>) {
    let channels = shape.channels
    clearBorder(shape, act)
    var c = 0
    while c + lanes <= channels {
        convolveVector(shape, x, weights + c, bias + c, act + c)
        c += lanes
    }
    #if DIPTYCH_AVX512
    if c < channels { convolveZipped(shape, x, weights + c, bias + c, act + c) }
    #endif
}

@inline(__always)
private func convolveVector(_ shape: dp_conv_shape, _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>,
                            _ bias: UnsafePointer<Float>, _ act: UnsafeMutablePointer<Float>) {
    let stride = shape.width + 2, channels = shape.channels
    let w0 = w.vector(0), w1 = w.vector(channels), w2 = w.vector(2 * channels)
    let w3 = w.vector(3 * channels), w4 = w.vector(4 * channels), w5 = w.vector(5 * channels)
    let w6 = w.vector(6 * channels), w7 = w.vector(7 * channels), w8 = w.vector(8 * channels)
    let b = bias.vector(0)
    for row in 0 ..< shape.height {
        var top = x + row * stride
        var out = act + ((row + 1) * stride + 1) * channels
        // Two pixels at a time: they have six of their nine inputs in common.
        for _ in 0 ..< shape.width / 2 {
            var first = b, second = b
            addRow(top, w0, w1, w2, &first, &second)
            addRow(top + stride, w3, w4, w5, &first, &second)
            addRow(top + 2 * stride, w6, w7, w8, &first, &second)
            out.store(relu(first), 0)
            out.store(relu(second), channels)
            top += 2
            out += 2 * channels
        }
        if shape.width % 2 == 1 {
            var last = b
            addRow(top, w0, w1, w2, &last)
            addRow(top + stride, w3, w4, w5, &last)
            addRow(top + 2 * stride, w6, w7, w8, &last)
            out.store(relu(last), 0)
        }
    }
}

#if DIPTYCH_AVX512
/// The same for eight channels: two neighbouring pixels, zipped.
private func convolveZipped(_ shape: dp_conv_shape, _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>,
                            _ bias: UnsafePointer<Float>, _ act: UnsafeMutablePointer<Float>) {
    let stride = shape.width + 2, channels = shape.channels
    let w0 = w.doubled(0), w1 = w.doubled(channels), w2 = w.doubled(2 * channels)
    let w3 = w.doubled(3 * channels), w4 = w.doubled(4 * channels), w5 = w.doubled(5 * channels)
    let w6 = w.doubled(6 * channels), w7 = w.doubled(7 * channels), w8 = w.doubled(8 * channels)
    let b = bias.doubled(0)
    @inline(__always) func addRow(_ x: UnsafePointer<Float>, _ w0: Vector, _ w1: Vector, _ w2: Vector, _ sum: inout Vector) {
        sum = fma(sum, dp_repeat2(x), w0)
        sum = fma(sum, dp_repeat2(x + 1), w1)
        sum = fma(sum, dp_repeat2(x + 2), w2)
    }
    for row in 0 ..< shape.height {
        let x = x + row * stride, act = act + ((row + 1) * stride + 1) * channels
        var column = 0
        while column < shape.width {
            // The last pixel of an odd row is taken with its neighbour once more.
            let first = min(column, shape.width - 2), top = x + first, out = act + first * channels
            var sums = b
            addRow(top, w0, w1, w2, &sums)
            addRow(top + stride, w3, w4, w5, &sums)
            addRow(top + 2 * stride, w6, w7, w8, &sums)
            dp_unzip(relu(sums), out, out + channels)
            column += 2
        }
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

/// The gradient of cl1's weights and bias: nine sums a channel vector, over the pixels where ReLU let through.
func convolveFirstBackward(_ shape: dp_conv_shape, x: UnsafePointer<Float>, act: UnsafePointer<Float>,
                           gradient: UnsafePointer<Float>, weightGradient: UnsafeMutablePointer<Float>,
                           biasGradient: UnsafeMutablePointer<Float>) {
    var c = 0
    while c + lanes <= shape.channels {
        addVector(shape, x, act + c, gradient + c, weightGradient + c, biasGradient + c)
        c += lanes
    }
    #if DIPTYCH_AVX512
    if c < shape.channels { addZipped(shape, x, act + c, gradient + c, weightGradient + c, biasGradient + c) }
    #endif
}

@inline(__always)
private func addVector(_ shape: dp_conv_shape, _ x: UnsafePointer<Float>, _ act: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>,
                       _ w: UnsafeMutablePointer<Float>, _ biasGradient: UnsafeMutablePointer<Float>) {
    let stride = shape.width + 2, channels = shape.channels
    var w0 = w.vector(0), w1 = w.vector(channels), w2 = w.vector(2 * channels)
    var w3 = w.vector(3 * channels), w4 = w.vector(4 * channels), w5 = w.vector(5 * channels)
    var w6 = w.vector(6 * channels), w7 = w.vector(7 * channels), w8 = w.vector(8 * channels)
    var b = biasGradient.vector(0)
    for row in 0 ..< shape.height {
        var top = x + row * stride
        var offset = ((row + 1) * stride + 1) * channels
        for _ in 0 ..< shape.width {
            let middle = top + stride, bottom = middle + stride
            let d = gradient.vector(offset).replacing(with: 0, where: act.vector(offset) .<= 0)
            b += d
            w0 = fma(w0, top[0], d)
            w1 = fma(w1, top[1], d)
            w2 = fma(w2, top[2], d)
            w3 = fma(w3, middle[0], d)
            w4 = fma(w4, middle[1], d)
            w5 = fma(w5, middle[2], d)
            w6 = fma(w6, bottom[0], d)
            w7 = fma(w7, bottom[1], d)
            w8 = fma(w8, bottom[2], d)
            top += 1
            offset += channels
        }
    }
    w.store(w0, 0); w.store(w1, channels); w.store(w2, 2 * channels)
    w.store(w3, 3 * channels); w.store(w4, 4 * channels); w.store(w5, 5 * channels)
    w.store(w6, 6 * channels); w.store(w7, 7 * channels); w.store(w8, 8 * channels)
    biasGradient.store(b, 0)
}

#if DIPTYCH_AVX512
/// The same for eight channels: two neighbouring taps, zipped. A row's third has nobody beside it.
private func addZipped(_ shape: dp_conv_shape, _ x: UnsafePointer<Float>, _ act: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>,
                       _ weightGradient: UnsafeMutablePointer<Float>, _ biasGradient: UnsafeMutablePointer<Float>) {
    let stride = shape.width + 2, channels = shape.channels, w = UnsafePointer(weightGradient)
    var w01 = dp_zip(w.eight(0), w.eight(channels)), w2 = w.doubled(2 * channels)
    var w34 = dp_zip(w.eight(3 * channels), w.eight(4 * channels)), w5 = w.doubled(5 * channels)
    var w67 = dp_zip(w.eight(6 * channels), w.eight(7 * channels)), w8 = w.doubled(8 * channels)
    var b = UnsafePointer(biasGradient).doubled(0)
    for row in 0 ..< shape.height {
        var top = x + row * stride
        var offset = ((row + 1) * stride + 1) * channels
        for _ in 0 ..< shape.width {
            let middle = top + stride, bottom = middle + stride
            let passed = gradient.eight(offset).replacing(with: 0, where: act.eight(offset) .<= 0), d = dp_zip(passed, passed)
            b += d
            w01 = fma(w01, dp_repeat2(top), d)
            w2 = fma(w2, top[2], d)
            w34 = fma(w34, dp_repeat2(middle), d)
            w5 = fma(w5, middle[2], d)
            w67 = fma(w67, dp_repeat2(bottom), d)
            w8 = fma(w8, bottom[2], d)
            top += 1
            offset += channels
        }
    }
    @inline(__always) func store(_ sums: Vector, _ tap: Int, _ second: Int) {
        dp_unzip(sums, weightGradient + tap * channels, weightGradient + second * channels)
    }
    store(w01, 0, 1); store(w2, 2, 2); store(w34, 3, 4); store(w5, 5, 5); store(w67, 6, 7); store(w8, 8, 8)
    dp_unzip(b, biasGradient, biasGradient)
}
#endif
