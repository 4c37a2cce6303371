import CDiptychPlatform

// A vector is one register of the instruction set, `lanes` floats.

#if DIPTYCH_AVX512
typealias Vector = SIMD16<Float>
let lanes = 16
#elseif DIPTYCH_AVX2
typealias Vector = SIMD8<Float>
let lanes = 8
#else
typealias Vector = SIMD4<Float>
let lanes = 4
#endif

/// Where vector `index` of neighbouring columns begins, of panels of 16 that lie `panel` apart.
@inline(__always) func column(_ index: Int, _ panel: Int) -> Int { index * lanes / 16 * panel + index * lanes % 16 }

/// Channels come in eights.
typealias Eight = SIMD8<Float>

/// Where vectors are loaded from: memory, or two places of it.
protocol VectorSource {
    func vector(_ offset: Int) -> Vector
}

extension UnsafePointer<Float>: VectorSource {
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

/// sum + a * b, fused where the CPU has the instruction.
@inline(__always) func fma(_ sum: Vector, _ a: Vector, _ b: Vector) -> Vector { dp_fma(sum, a, b) }

@inline(__always) func fma(_ sum: Vector, _ a: Float, _ b: Vector) -> Vector { fma(sum, Vector(repeating: a), b) }

/// Neighbouring channels: a vector, or the eight that are left over where vectors are wider.
protocol ChannelVector {
    init(repeating value: Float)
    static func load(_ source: UnsafePointer<Float>, _ offset: Int) -> Self
    func store(_ target: UnsafeMutablePointer<Float>, _ offset: Int)
    /// By `fma`.
    func adding(_ a: Self, times b: Self) -> Self
    static func + (a: Self, b: Self) -> Self
}

extension Vector: ChannelVector {
    @inline(__always) static func load(_ source: UnsafePointer<Float>, _ offset: Int) -> Self { source.vector(offset) }
    @inline(__always) func store(_ target: UnsafeMutablePointer<Float>, _ offset: Int) { target.store(self, offset) }
    @inline(__always) func adding(_ a: Self, times b: Self) -> Self { fma(self, a, b) }
}
