/// Eight floats, loaded from and stored to any address.
typealias Vector = SIMD8<Float>

extension UnsafePointer<Float> {
    @inline(__always) func vector(_ offset: Int) -> Vector { UnsafeRawPointer(self + offset).loadUnaligned(as: Vector.self) }
}

extension UnsafeMutablePointer<Float> {
    @inline(__always) func vector(_ offset: Int) -> Vector { UnsafeRawPointer(self + offset).loadUnaligned(as: Vector.self) }

    @inline(__always) func store(_ value: Vector, _ offset: Int) {
        UnsafeMutableRawPointer(self + offset).storeBytes(of: value, as: Vector.self)
    }
}
