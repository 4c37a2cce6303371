import CDiptychPlatform

extension Reference {
    /// The first windows of the tiles along a side of `windows` windows, and how many each has.
    private static func tiles(_ windows: Int) -> [Range<Int>] {
        let starts = windows % 2 == 1 ? [0] + stride(from: 1, to: windows, by: 2) : Array(stride(from: 0, to: windows, by: 2))
        return starts.enumerated().map { $1 ..< ($0 + 1 < starts.count ? starts[$0 + 1] : windows) }
    }

    /// The windows of every tile of one image, in the tiles' order.
    public static func tiles(_ shape: dp_conv_shape) -> [[Int]] {
        tiles(shape.height / 2).flatMap { rows in
            tiles(shape.width / 2).map { columns in rows.flatMap { row in columns.map { row * (shape.width / 2) + $0 } } }
        }
    }

    public static func liveTiles(_ shape: dp_conv_shape, x: UnsafePointer<Float>, background: Float,
                                 list: UnsafeMutablePointer<Int32>) -> Int {
        let columns = shape.width / 2
        var count = 0
        for (number, windows) in tiles(shape).enumerated() {
            let isLive = windows.contains { window in
                let top = window / columns * 2 - 2, left = window % columns * 2 - 2
                return (0 ..< 36).contains { i in
                    let y = top + i / 6, column = left + i % 6
                    let inside = y >= 0 && y < shape.height && column >= 0 && column < shape.width
                    return inside && x[place(shape, y, column)] != background
                }
            }
            if isLive {
                list[count] = Int32(number)
                count += 1
            }
        }
        return count
    }

    /// Of the windows in `list`. `weights` as they are, [out][9][in]: the sum is the direct one, whatever the kernel does to get there. Of equal
    /// values in a window the first is chosen; a NaN is greater than all.
    public static func convolvePool(_ shape: dp_conv_shape, windows list: [Int], act: UnsafePointer<Float>,
                                    weights: UnsafePointer<Float>, bias: UnsafePointer<Float>,
                                    pooled: UnsafeMutablePointer<Float>, choice: UnsafeMutablePointer<UInt8>) {
        let columns = shape.width / 2, windows = shape.height / 2 * columns
        for number in list {
            let window = number % windows
            for c in 0 ..< shape.channels {
                let values = (0 ..< 4).map { position in
                    convolve(shape, act, image: number / windows, y: window / columns * 2 + position / 2,
                             x: window % columns * 2 + position % 2, weights: weights, bias: bias, channel: c)
                }
                var best = 0
                for i in 1 ..< 4 where values[i] > values[best] || (values[i].isNaN && !values[best].isNaN) { best = i }
                pooled[number * shape.channels + c] = Float(relu(values[best]))
                choice[number * shape.channels + c] = UInt8(best)
            }
        }
    }

    /// One element of conv3x3(act) + bias, before ReLU.
    public static func convolve(_ shape: dp_conv_shape, _ act: UnsafePointer<Float>, image: Int, y: Int, x: Int,
                                weights: UnsafePointer<Float>, bias: UnsafePointer<Float>, channel: Int) -> Double {
        let channels = shape.channels
        let plane = act + image * (shape.height + 2) * (shape.width + 2) * channels
        var sum = Double(bias[channel])
        for tap in 0 ..< 9 {
            let pixel = plane + place(shape, y + tap / 3 - 1, x + tap % 3 - 1) * channels
            let filter = weights + (channel * 9 + tap) * channels
            for i in 0 ..< channels { sum += Double(pixel[i]) * Double(filter[i]) }
        }
        return sum
    }

    /// Of one image. The border of actGradient is written, too: it is the gradient of the zeros there.
    public static func convolvePoolBackward(_ shape: dp_conv_shape, act: UnsafePointer<Float>, weights: UnsafePointer<Float>,
                                            gradient: UnsafePointer<Float>, choice: UnsafePointer<UInt8>,
                                            weightGradient: UnsafeMutablePointer<Float>,
                                            biasGradient: UnsafeMutablePointer<Float>,
                                            actGradient: UnsafeMutablePointer<Float>) {
        let channels = shape.channels, columns = shape.width / 2, windows = shape.height / 2 * columns
        var acts = [Double](repeating: 0, count: (shape.height + 2) * (shape.width + 2) * channels)
        for out in 0 ..< channels {
            var sums = (0 ..< 9 * channels).map { Double(weightGradient[out * 9 * channels + $0]) }
            var bias = Double(biasGradient[out])
            for window in 0 ..< windows {
                let d = Double(gradient[window * channels + out]), position = Int(choice[window * channels + out])
                let y = window / columns * 2 + position / 2, x = window % columns * 2 + position % 2
                bias += d
                for tap in 0 ..< 9 {
                    let pixel = place(shape, y + tap / 3 - 1, x + tap % 3 - 1) * channels
                    for i in 0 ..< channels {
                        sums[tap * channels + i] += d * Double(act[pixel + i])
                        acts[pixel + i] += d * Double(weights[(out * 9 + tap) * channels + i])
                    }
                }
            }
            biasGradient[out] = Float(bias)
            for i in 0 ..< 9 * channels { weightGradient[out * 9 * channels + i] = Float(sums[i]) }
        }
        for i in acts.indices { actGradient[i] = Float(acts[i]) }
    }

    /// Every filter, from [out][9][in] to [36][in][out], at the points 0, sqrt(1/2), -sqrt(1/2), infinity, sqrt(2), -sqrt(2):
    /// 1, p and p^2 times its taps, where p is not 0 over the product of twice p and the difference of the other pair's square.
    public static func winogradWeights(channels: Int, weights: UnsafePointer<Float>, transformed: UnsafeMutablePointer<Float>) {
        let g = [0, 0.5.squareRoot(), -(0.5.squareRoot()), .infinity, 2.0.squareRoot(), -(2.0.squareRoot())].map { p -> [Double] in
            if p == .infinity { return [0, 0, 1] }
            let other = abs(p) < 1 ? 2.0 : 0.5
            return [1, p, p * p].map { p == 0 ? $0 : $0 / (2 * p * p * (p * p - other)) }
        }
        for out in 0 ..< channels {
            for input in 0 ..< channels {
                for point in 0 ..< 36 {
                    var sum = 0.0
                    for tap in 0 ..< 9 {
                        sum += g[point / 6][tap / 3] * g[point % 6][tap % 3] * Double(weights[(out * 9 + tap) * channels + input])
                    }
                    transformed[(point * channels + input) * channels + out] = Float(sum)
                }
            }
        }
    }
}
