import CDiptychPlatform

// Arithmetic in whole instructions (vectors.h). In the kernels, and through a symbolic link in `Diptych`, these operators stand before
// Swift's own. What is not here is still Swift's, one float at a time: a vector and a number but for number * vector, `*=`, `-x`, `==`.

extension SIMD4<Float> {
    @inline(__always) static func + (a: Self, b: Self) -> Self { dp_add(a, b) }
    @inline(__always) static func += (a: inout Self, b: Self) { a = a + b }
    @inline(__always) static func - (a: Self, b: Self) -> Self { dp_subtract(a, b) }
    @inline(__always) static func * (a: Self, b: Self) -> Self { dp_multiply(a, b) }
    @inline(__always) static func * (a: Float, b: Self) -> Self { dp_multiply(Self(repeating: a), b) }
    @inline(__always) static func / (a: Self, b: Self) -> Self { dp_divide(a, b) }
}

extension SIMD8<Float> {
    @inline(__always) static func + (a: Self, b: Self) -> Self { dp_add(a, b) }
    @inline(__always) static func += (a: inout Self, b: Self) { a = a + b }
    @inline(__always) static func - (a: Self, b: Self) -> Self { dp_subtract(a, b) }
    @inline(__always) static func * (a: Self, b: Self) -> Self { dp_multiply(a, b) }
    @inline(__always) static func * (a: Float, b: Self) -> Self { dp_multiply(Self(repeating: a), b) }
    @inline(__always) static func / (a: Self, b: Self) -> Self { dp_divide(a, b) }
}

extension SIMD16<Float> {
    @inline(__always) static func + (a: Self, b: Self) -> Self { dp_add(a, b) }
    @inline(__always) static func += (a: inout Self, b: Self) { a = a + b }
    @inline(__always) static func - (a: Self, b: Self) -> Self { dp_subtract(a, b) }
    @inline(__always) static func * (a: Self, b: Self) -> Self { dp_multiply(a, b) }
    @inline(__always) static func * (a: Float, b: Self) -> Self { dp_multiply(Self(repeating: a), b) }
    @inline(__always) static func / (a: Self, b: Self) -> Self { dp_divide(a, b) }
}
