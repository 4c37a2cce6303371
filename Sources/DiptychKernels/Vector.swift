/// Eight floats: one AVX register, two of SSE or NEON.
typealias Vector = SIMD8<Float>

extension UnsafePointer<Float> {
    @inline(__always) func vector(_ offset: Int) -> Vector {
        UnsafeRawPointer(self + offset).loadUnaligned(as: Vector.self)
    }
}

extension UnsafeMutablePointer<Float> {
    @inline(__always) func vector(_ offset: Int) -> Vector {
        UnsafeRawPointer(self + offset).loadUnaligned(as: Vector.self)
    }

    @inline(__always) func store(_ value: Vector, _ offset: Int) {
        UnsafeMutableRawPointer(self + offset).storeBytes(of: value, as: Vector.self)
    }
}

/// sum + a * b. Fused where the CPU has the instruction; without it `addingProduct` would call `fmaf` eight times.
@inline(__always) func fma(_ sum: Vector, _ a: Vector, _ b: Vector) -> Vector {
    #if DIPTYCH_AVX2 || arch(arm64)
    sum.addingProduct(a, b)
    #else
    sum + a * b
    #endif
}

@inline(__always) func fma(_ sum: Vector, _ a: Float, _ b: Vector) -> Vector { fma(sum, Vector(repeating: a), b) }

/// max(x, 0), but NaN stays NaN, so that a training that diverges is seen.
@inline(__always) func relu(_ x: Vector) -> Vector { x.replacing(with: 0, where: x .< 0) }
