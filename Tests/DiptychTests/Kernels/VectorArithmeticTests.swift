import CDiptychPlatform
import Testing

/// Each function of vectors.h gives each float what the formula in Swift gives it alone, zeros with their signs, infinities and NaN.
@Suite struct VectorArithmeticTests {
    private typealias Eight = SIMD8<Float>

    private static let values: [Float] = [0, -0.0, 1, -1, 0.1, -3.7, 0x1p-100, -0x1p100, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
                                          .infinity, -.infinity, .nan]

    private static func areSame(_ a: Float, _ b: Float) -> Bool { a.bitPattern == b.bitPattern || a.isNaN && b.isNaN }

    /// Neighbouring floats are different values, so that one in another's place shows.
    private static func check(_ name: String, _ function: (Eight, Eight) -> Eight, _ formula: (Float, Float) -> Float) {
        for first in values.indices {
            for second in values.indices {
                var a = Eight(), b = Eight()
                for lane in 0 ..< 8 {
                    a[lane] = values[(first + lane) % values.count]
                    b[lane] = values[(second + 2 * lane) % values.count]
                }
                let result = function(a, b)
                #expect((0 ..< 8).allSatisfy { areSame(result[$0], formula(a[$0], b[$0])) }, "\(name) of \(a) and \(b)")
            }
        }
    }

    /// The three widths are one text.
    @Test func eachFloatAsAlone() {
        Self.check("add", { dp_add($0, $1) }, { $0 + $1 })
        Self.check("subtract", { dp_subtract($0, $1) }, { $0 - $1 })
        Self.check("multiply", { dp_multiply($0, $1) }, { $0 * $1 })
        Self.check("divide", { dp_divide($0, $1) }, { $0 / $1 })
        Self.check("square_root", { a, _ in dp_square_root(a) }, { a, _ in a.squareRoot() })
        Self.check("relu", { a, _ in dp_relu(a) }, { a, _ in a < 0 ? 0 : a })
        Self.check("pass", { dp_pass($0, $1) }, { $1 <= 0 ? 0 : $0 })
        Self.check("least", { dp_least($0, $1) }, { $0 < $1 ? $0 : $1 })
        Self.check("greatest", { dp_greatest($0, $1) }, { $0 > $1 ? $0 : $1 })
        for sum in Self.values {
            Self.check("fused_add", { dp_fused_add(Eight(repeating: sum), $0, $1) }, { sum.addingProduct($0, $1) })
        }
    }

    @Test func isZero() {
        for value in Self.values {
            for lane in 0 ..< 8 {
                var vector = Eight(repeating: -0.0)
                vector[lane] = value
                #expect(dp_is_zero(vector) == (value == 0), "\(value) at \(lane)")
            }
        }
    }
}
