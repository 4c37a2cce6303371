import CDiptychPlatform

// Arithmetic in whole instructions (vectors.h): in the kernels these operators stand before Swift's own.

extension SIMD4<Float> {
    @inline(__always) static func + (a: Self, b: Self) -> Self { dp_add(a, b) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { dp_subtract(a, b) }
    @inline(__always) static func * (a: Self, b: Self) -> Self { dp_multiply(a, b) }
    @inline(__always) static func * (a: Float, b: Self) -> Self { dp_multiply(Self(repeating: a), b) }
    @inline(__always) static func / (a: Self, b: Self) -> Self { dp_divide(a, b) }
}

extension SIMD8<Float> {
    @inline(__always) static func + (a: Self, b: Self) -> Self { dp_add(a, b) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { dp_subtract(a, b) }
    @inline(__always) static func * (a: Self, b: Self) -> Self { dp_multiply(a, b) }
    @inline(__always) static func * (a: Float, b: Self) -> Self { dp_multiply(Self(repeating: a), b) }
    @inline(__always) static func / (a: Self, b: Self) -> Self { dp_divide(a, b) }
}

extension SIMD16<Float> {
    @inline(__always) static func + (a: Self, b: Self) -> Self { dp_add(a, b) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { dp_subtract(a, b) }
    @inline(__always) static func * (a: Self, b: Self) -> Self { dp_multiply(a, b) }
    @inline(__always) static func * (a: Float, b: Self) -> Self { dp_multiply(Self(repeating: a), b) }
    @inline(__always) static func / (a: Self, b: Self) -> Self { dp_divide(a, b) }
}
