/// The decoder of an adaptive binary arithmetic code (Witten, Neal and Cleary, "Arithmetic coding for data compression",
/// 1987): every bit has a context, and each context learns how often its bit is one. scripts/make_sample.py encodes.
struct BinaryDecoder {
    private let bytes: UnsafeRawBufferPointer
    private var position: Int
    private var low: UInt32 = 0
    private var high: UInt32 = .max
    private var code: UInt32 = 0
    /// Of a one, in 65536ths, from 16 to 65520.
    private let probability: Buffer<UInt16>
    /// How many bits a context has seen, up to `seenLimit`.
    private let seen: Buffer<UInt8>

    /// After this many bits a context goes on learning at the same rate.
    private static let seenLimit: UInt8 = 120

    /// Reads `bytes` from `position`; past their end come zeros.
    init(_ bytes: UnsafeRawBufferPointer, from position: Int, contexts: Int) throws(DiptychError) {
        self.bytes = bytes
        self.position = position
        probability = try Buffer(count: contexts, for: "a decoder")
        seen = try Buffer(count: contexts, for: "a decoder")
        probability.pointer.update(repeating: 1 << 15, count: contexts)
        for _ in 0 ..< 4 { shift() }
    }

    mutating func bit(_ context: Int) -> Bool {
        let p = UInt32(probability[context]), rate = 2 * UInt32(seen[context]) + 3
        let middle = low &+ UInt32(truncatingIfNeeded: (UInt64(high &- low) * UInt64(p)) >> 16)
        let bit = code <= middle
        if bit { high = middle } else { low = middle &+ 1 }
        let moved = bit ? p + (65535 - p) * 2 / rate : p - p * 2 / rate
        probability[context] = UInt16(min(max(moved, 16), 65520))
        if seen[context] < Self.seenLimit { seen[context] += 1 }
        while (low ^ high) >> 24 == 0 {
            low <<= 8
            high = high << 8 | 0xFF
            shift()
        }
        return bit
    }

    /// A number of so many bits, the highest first, each in the context of those before it: 2^bits contexts from `first`.
    mutating func tree(_ first: Int, bits: Int) -> Int {
        var node = 1
        for _ in 0 ..< bits { node = 2 * node + (bit(first + node) ? 1 : 0) }
        return node - (1 << bits)
    }

    private mutating func shift() {
        code = code << 8 | (position < bytes.count ? UInt32(bytes[position]) : 0)
        position += 1
    }
}
