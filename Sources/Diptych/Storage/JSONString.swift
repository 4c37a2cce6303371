/// A string inside a JSON text that `JSONReader` has validated: its bytes, with escapes resolved, as they are asked for.
public struct JSONString: Sequence {
    let raw: UnsafeRawBufferPointer

    public func makeIterator() -> Iterator { Iterator(raw: raw) }

    public func equals(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { elementsEqual($0) }
    }

    public func equals(_ text: String) -> Bool { elementsEqual(text.utf8) }

    /// nil where it has more than `limit` bytes.
    public func decoded(limit: Int) -> String? {
        guard raw.count <= 6 * limit else { return nil }
        var bytes: [UInt8] = []
        for byte in self { bytes.append(byte) }
        return bytes.count <= limit ? String(decoding: bytes, as: UTF8.self) : nil
    }

    /// FNV-1a.
    var hash: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in self { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash
    }

    /// The number in the four hexadecimal digits at `index`, which lie within `text`.
    static func hexUnit(_ text: UnsafeRawBufferPointer, at index: Int) -> UInt32? {
        var unit: UInt32 = 0
        for i in index ..< index + 4 {
            switch text[i] {
            case UInt8(ascii: "0") ... UInt8(ascii: "9"): unit = unit << 4 | UInt32(text[i] - 48)
            case UInt8(ascii: "a") ... UInt8(ascii: "f"): unit = unit << 4 | UInt32(text[i] - 87)
            case UInt8(ascii: "A") ... UInt8(ascii: "F"): unit = unit << 4 | UInt32(text[i] - 55)
            default: return nil
            }
        }
        return unit
    }

    public struct Iterator: IteratorProtocol {
        let raw: UnsafeRawBufferPointer
        var position = 0
        /// The rest of an escaped character's bytes, the next one lowest.
        var pending: UInt32 = 0

        init(raw: UnsafeRawBufferPointer) { self.raw = raw }

        public mutating func next() -> UInt8? {
            if pending != 0 {
                defer { pending >>= 8 }
                return UInt8(truncatingIfNeeded: pending)
            }
            guard position < raw.count else { return nil }
            let byte = raw[position]
            position += 1
            guard byte == UInt8(ascii: "\\"), position < raw.count else { return byte }
            let kind = raw[position]
            position += 1
            switch kind {
            case UInt8(ascii: "b"): return 0x08
            case UInt8(ascii: "f"): return 0x0C
            case UInt8(ascii: "n"): return 0x0A
            case UInt8(ascii: "r"): return 0x0D
            case UInt8(ascii: "t"): return 0x09
            case UInt8(ascii: "u"): return unicode()
            default: return kind
            }
        }

        /// After "\u": the first byte of the character; the others become pending.
        private mutating func unicode() -> UInt8? {
            guard var scalar = unit() else { return nil }
            if scalar & 0xFC00 == 0xD800 {
                position += 2
                guard let low = unit() else { return nil }
                scalar = 0x10000 + (scalar & 0x3FF) << 10 + low & 0x3FF
            }
            func tail(_ shift: UInt32) -> UInt32 { 0x80 | scalar >> shift & 0x3F }
            if scalar < 0x80 { return UInt8(scalar) }
            if scalar < 0x800 {
                pending = tail(0)
                return UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6)
            }
            if scalar < 0x10000 {
                pending = tail(6) | tail(0) << 8
                return UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12)
            }
            pending = tail(12) | tail(6) << 8 | tail(0) << 16
            return UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18)
        }

        private mutating func unit() -> UInt32? {
            guard position + 4 <= raw.count, let unit = JSONString.hexUnit(raw, at: position) else { return nil }
            position += 4
            return unit
        }
    }
}
