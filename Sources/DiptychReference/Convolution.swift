import CDiptychPlatform

/// The kernels of kernels.h once more, written from their definitions: one element after the other, sums in double
/// precision, no vectors. Layouts and arguments are the kernels'; what to expect of a kernel is what these write.
public enum Reference {}

extension Reference {
    /// Offset of pixel (y, x), -1 ... height and -1 ... width, in a bordered plane.
    static func place(_ shape: dp_conv_shape, _ y: Int, _ x: Int) -> Int { (y + 1) * (shape.width + 2) + x + 1 }

    /// max(x, 0); NaN stays NaN.
    static func relu(_ x: Double) -> Double { x < 0 ? 0 : x }

    public static func convolveFirst(_ shape: dp_conv_shape, x: UnsafePointer<Float>, weights: UnsafePointer<Float>,
                                     bias: UnsafePointer<Float>, act: UnsafeMutablePointer<Float>) {
        let channels = shape.channels
        for i in 0 ..< (shape.height + 2) * (shape.width + 2) * channels { act[i] = 0 }
        for y in 0 ..< shape.height {
            for column in 0 ..< shape.width {
                for c in 0 ..< channels {
                    var sum = Double(bias[c])
                    for tap in 0 ..< 9 {
                        sum += Double(x[place(shape, y + tap / 3 - 1, column + tap % 3 - 1)]) * Double(weights[tap * channels + c])
                    }
                    act[place(shape, y, column) * channels + c] = Float(relu(sum))
                }
            }
        }
    }

    public static func convolveFirstBackward(_ shape: dp_conv_shape, x: UnsafePointer<Float>, act: UnsafePointer<Float>,
                                             gradient: UnsafePointer<Float>, weightGradient: UnsafeMutablePointer<Float>,
                                             biasGradient: UnsafeMutablePointer<Float>) {
        let channels = shape.channels
        for c in 0 ..< channels {
            var bias = Double(biasGradient[c])
            var weights = (0 ..< 9).map { Double(weightGradient[$0 * channels + c]) }
            for y in 0 ..< shape.height {
                for column in 0 ..< shape.width {
                    let at = place(shape, y, column) * channels + c
                    guard act[at] > 0 else { continue }
                    bias += Double(gradient[at])
                    for tap in 0 ..< 9 {
                        weights[tap] += Double(gradient[at]) * Double(x[place(shape, y + tap / 3 - 1, column + tap % 3 - 1)])
                    }
                }
            }
            biasGradient[c] = Float(bias)
            for tap in 0 ..< 9 { weightGradient[tap * channels + c] = Float(weights[tap]) }
        }
    }
}
