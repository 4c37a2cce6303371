import CDiptychPlatform

/// cl1: one plane in, `channels` out. Nine weight vectors stay in registers while the pixels pass.
func convolveFirst(_ shape: dp_conv_shape, x: UnsafePointer<Float>, weights: UnsafePointer<Float>,
                   bias: UnsafePointer<Float>, act: UnsafeMutablePointer<Float>) {
    let stride = shape.width + 2, channels = shape.channels
    clearBorder(shape, act)
    var c = 0
    while c < channels {
        let w = weights + c
        let w0 = w.vector(0), w1 = w.vector(channels), w2 = w.vector(2 * channels)
        let w3 = w.vector(3 * channels), w4 = w.vector(4 * channels), w5 = w.vector(5 * channels)
        let w6 = w.vector(6 * channels), w7 = w.vector(7 * channels), w8 = w.vector(8 * channels)
        let b = bias.vector(c)
        for row in 0 ..< shape.height {
            var top = x + row * stride
            var out = act + ((row + 1) * stride + 1) * channels + c
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
        c += lanes
    }
}

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
    let pixel = shape.channels * MemoryLayout<Float>.stride, stride = shape.width + 2
    let line = stride * shape.channels
    memset(image, 0, (stride + 1) * pixel)
    // The right end of a row and the left of the next lie together.
    for row in 1 ..< shape.height { memset(image + (row + 1) * line - shape.channels, 0, 2 * pixel) }
    memset(image + (shape.height + 1) * line - shape.channels, 0, (stride + 1) * pixel)
}

/// The gradient of cl1's weights and bias: nine sums a channel vector, over the pixels where ReLU let through.
func convolveFirstBackward(_ shape: dp_conv_shape, x: UnsafePointer<Float>, act: UnsafePointer<Float>,
                           gradient: UnsafePointer<Float>, weightGradient: UnsafeMutablePointer<Float>,
                           biasGradient: UnsafeMutablePointer<Float>) {
    let stride = shape.width + 2, channels = shape.channels
    var c = 0
    while c < channels {
        let w = weightGradient + c
        var w0 = w.vector(0), w1 = w.vector(channels), w2 = w.vector(2 * channels)
        var w3 = w.vector(3 * channels), w4 = w.vector(4 * channels), w5 = w.vector(5 * channels)
        var w6 = w.vector(6 * channels), w7 = w.vector(7 * channels), w8 = w.vector(8 * channels)
        var b = biasGradient.vector(c)
        for row in 0 ..< shape.height {
            var top = x + row * stride
            var offset = ((row + 1) * stride + 1) * channels + c
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
        biasGradient.store(b, c)
        c += lanes
    }
}
