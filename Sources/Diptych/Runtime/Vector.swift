import CDiptychPlatform

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

/// The index of the first of `count` values that is not finite; nil where all are.
func indexOfNotFinite(_ values: UnsafePointer<Float>, _ count: Int) -> Int? {
    kernels.are_finite(count, values) ? nil : (0 ..< count).first { !values[$0].isFinite }
}

/// Bytes as floats, 0 to 255.
func convert(_ bytes: UnsafePointer<UInt8>, _ count: Int, to floats: UnsafeMutablePointer<Float>) {
    var done = 0
    while done + 8 <= count {
        floats.store(Vector(UnsafeRawPointer(bytes + done).loadUnaligned(as: SIMD8<UInt8>.self)), done)
        done += 8
    }
    for index in done ..< count { floats[index] = Float(bytes[index]) }
}
