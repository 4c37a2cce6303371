import CDiptychPlatform

/// Counter-based random numbers: every draw is a pure function of (seed, purpose, step, index), so no result depends
/// on the order in which threads ask. Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"
/// (2011).
public struct Random: Sendable {
    /// What a number is drawn for; the raw value is part of the key, so it never changes.
    public enum Purpose: UInt32, Sendable {
        case weights = 1
        case pairs = 2
        case shuffle = 3
        case dropout = 4
        // 5 was the bundled sample's, whose draw scripts/make_sample.py now makes by SHA-256; the next new one is 7.
        case augmentation = 6
    }

    let seed: UInt64
    let purpose: Purpose

    public init(seed: UInt64, purpose: Purpose) {
        self.seed = seed
        self.purpose = purpose
    }

    /// Four 32-bit words for the draw `index` of `step`.
    @inline(__always)
    public func words(step: UInt32, index: UInt64) -> SIMD4<UInt32> {
        Self.philox(SIMD4(UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), step, purpose.rawValue),
                    key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
    }

    @inline(__always)
    static func philox(_ counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var counter = counter
        var key0 = key[0], key1 = key[1]
        for _ in 0 ..< 10 {
            let product0 = UInt64(0xD251_1F53) * UInt64(counter[0])
            let product1 = UInt64(0xCD9E_8D57) * UInt64(counter[2])
            counter = SIMD4(UInt32(truncatingIfNeeded: product1 >> 32) ^ counter[1] ^ key0,
                            UInt32(truncatingIfNeeded: product1),
                            UInt32(truncatingIfNeeded: product0 >> 32) ^ counter[3] ^ key1,
                            UInt32(truncatingIfNeeded: product0))
            key0 &+= 0x9E37_79B9
            key1 &+= 0xBB67_AE85
        }
        return counter
    }

    /// The same draw for the kernels that take many at once.
    func draw(step: UInt32, index: UInt64) -> dp_draw {
        dp_draw(seed: seed, index: index, step: step, purpose: purpose.rawValue)
    }

    /// Uniform in [0, 1) with 24 bits.
    public func uniform(step: UInt32, index: UInt64) -> Float {
        Self.uniform(words(step: step, index: index / 4)[Int(index % 4)])
    }

    @inline(__always)
    static func uniform(_ word: UInt32) -> Float { Float(word >> 8) * 0x1p-24 }

    /// Fills `order` with a random permutation of 0 ..< count: the same as `permutation` of that count, in place.
    func permute(_ order: UnsafeMutableBufferPointer<Int>, step: UInt32) {
        for i in 0 ..< order.count { order[i] = i }
        for i in 0 ..< order.count { order.swapAt(i, place(i, of: order.count, step: step)) }
    }

    /// Which of the places from `i` on comes next.
    @inline(__always)
    private func place(_ i: Int, of count: Int, step: UInt32) -> Int {
        let word = words(step: step, index: UInt64(i))
        let bits = UInt64(word[0]) << 32 | UInt64(word[1])
        // Multiply and take the high half: the bias of 2^-64 * count is below anything measurable.
        return i + Int(bits.multipliedFullWidth(by: UInt64(count - i)).high)
    }

    /// Fills `order` with the first `order.count` elements of a random permutation of 0 ..< count (Fisher and Yates).
    /// Throws `outOfMemory` where `count` does not fit.
    public func permutation(of count: Int, step: UInt32, into order: UnsafeMutableBufferPointer<Int>) throws(DiptychError) {
        let deck = try Buffer<UInt32>(count: count, for: "a permutation")
        for i in 0 ..< count { deck[i] = UInt32(truncatingIfNeeded: i) }
        for i in 0 ..< order.count {
            let other = place(i, of: count, step: step)
            let taken = deck[other]
            deck[other] = deck[i]
            deck[i] = taken
            order[i] = Int(taken)
        }
    }
}
