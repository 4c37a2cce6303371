import CDiptychPlatform

extension Reference {
    public static func liveWindows(_ shape: dp_conv_shape, x: UnsafePointer<Float>, background: Float,
                                   list: UnsafeMutablePointer<Int32>) -> Int {
        let columns = shape.width / 2
        var count = 0
        for window in 0 ..< shape.height / 2 * columns {
            let top = window / columns * 2 - 2, left = window % columns * 2 - 2
            let isLive = (0 ..< 36).contains { i in
                let y = top + i / 6, column = left + i % 6
                let inside = y >= 0 && y < shape.height && column >= 0 && column < shape.width
                return inside && x[place(shape, y, column)] != background
            }
            if isLive {
                list[count] = Int32(window)
                count += 1
            }
        }
        return count
    }

    /// `weights` as they are, [out][9][in]: the sum is the direct one, whatever the kernel does to get there. Of equal
    /// values in a window the first is chosen; a NaN is greater than all.
    public static func convolvePool(_ shape: dp_conv_shape, count: Int, list: UnsafePointer<Int32>, act: UnsafePointer<Float>,
                                    weights: UnsafePointer<Float>, bias: UnsafePointer<Float>,
                                    pooled: UnsafeMutablePointer<Float>, choice: UnsafeMutablePointer<UInt8>) {
        let columns = shape.width / 2, windows = shape.height / 2 * columns
        for number in (0 ..< count).map({ Int(list[$0]) }) {
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

    /// G g G^T of every filter, from [out][9][in] to [16][in][out]; the sixteen lie row by row.
    public static func winogradWeights(channels: Int, weights: UnsafePointer<Float>, transformed: UnsafeMutablePointer<Float>) {
        let g = [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]
        for out in 0 ..< channels {
            for input in 0 ..< channels {
                for frequency in 0 ..< 16 {
                    var sum = 0.0
                    for tap in 0 ..< 9 {
                        sum += g[frequency / 4][tap / 3] * g[frequency % 4][tap % 3] * Double(weights[(out * 9 + tap) * channels + input])
                    }
                    transformed[(frequency * channels + input) * channels + out] = Float(sum)
                }
            }
        }
    }
}
