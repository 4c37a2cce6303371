import CDiptychPlatform

// AVX-512's vectors hold 16 channels. Where 8 are left, two pixels share one, and of 8 channels two tiles: "zipped", a channel of the
// first, the same of the second, then the next channel. So both take the same weight, and a value of each is a pair of neighbouring
// floats, which one instruction loads into all of a vector.

extension Eight: ChannelVector {
    @inline(__always) static func load(_ source: UnsafePointer<Float>, _ offset: Int) -> Self {
        UnsafeRawPointer(source + offset).loadUnaligned(as: Self.self)
    }
    @inline(__always) func store(_ target: UnsafeMutablePointer<Float>, _ offset: Int) {
        UnsafeMutableRawPointer(target + offset).storeBytes(of: self, as: Self.self)
    }
    @inline(__always) func adding(_ a: Self, times b: Self) -> Self { dp_fma(self, a, b) }
}

/// Two places of eight floats, zipped.
struct ZippedSource: VectorSource {
    let first: UnsafePointer<Float>, second: UnsafePointer<Float>

    @inline(__always) func vector(_ offset: Int) -> Vector { dp_zip(Eight.load(first, offset), Eight.load(second, offset)) }
}

extension UnsafePointer<Float> {
    /// Eight floats, each twice.
    @inline(__always) func doubled(_ offset: Int) -> Vector {
        let eight = Eight.load(self, offset)
        return dp_zip(eight, eight)
    }
}

/// c[rows] = a[rows] * b[8][8], where rows of a and c are zipped: [8][2]. All of b stays in registers, while rows of a and c pass.
@inline(never)
func multiplyZipped(_ rows: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>) {
    let b0 = b.doubled(0), b1 = b.doubled(8), b2 = b.doubled(16), b3 = b.doubled(24)
    let b4 = b.doubled(32), b5 = b.doubled(40), b6 = b.doubled(48), b7 = b.doubled(56)
    var a = a, c = c
    for _ in 0 ..< rows {
        var sum = fma(.zero, dp_repeat2(a), b0)
        sum = fma(sum, dp_repeat2(a + 2), b1)
        sum = fma(sum, dp_repeat2(a + 4), b2)
        sum = fma(sum, dp_repeat2(a + 6), b3)
        sum = fma(sum, dp_repeat2(a + 8), b4)
        sum = fma(sum, dp_repeat2(a + 10), b5)
        sum = fma(sum, dp_repeat2(a + 12), b6)
        sum = fma(sum, dp_repeat2(a + 14), b7)
        c.store(sum, 0)
        a += lanes
        c += lanes
    }
}
