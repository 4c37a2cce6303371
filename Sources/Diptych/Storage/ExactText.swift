import CDiptychPlatform

/// Numbers as text that reads back as the same bits: what a file's metadata holds.
public enum ExactText {
    /// The shortest of 15 to 17 significant digits that reads back as `value`, which is finite.
    public static func encode(_ value: Double) -> String {
        for digits in 15 ... 16 {
            let candidate = text(value, digits: digits)
            if decode(candidate)?.bitPattern == value.bitPattern { return candidate }
        }
        return text(value, digits: 17)
    }

    /// 16 hexadecimal digits.
    public static func encode(_ value: UInt64) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16) { digits in
            for i in 0 ..< 16 {
                let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * i)) & 15
                digits[i] = digit < 10 ? 48 + digit : 87 + digit
            }
            return String(decoding: digits, as: UTF8.self)
        }
    }

    /// nil unless all of `text` is one finite number.
    public static func decode(_ text: String) -> Double? {
        var value = 0.0
        return dp_parse_double(text, &value) ? value : nil
    }

    /// nil unless `text` is exactly 16 hexadecimal digits.
    public static func decodeHex(_ text: String) -> UInt64? {
        var value: UInt64 = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0") ... UInt8(ascii: "9"): value = value << 4 | UInt64(byte - 48)
            case UInt8(ascii: "a") ... UInt8(ascii: "f"): value = value << 4 | UInt64(byte - 87)
            default: return nil
            }
        }
        return text.utf8.count == 16 ? value : nil
    }
}

/// Whether two texts are the same bytes; Embedded Swift's `==` would need Unicode's tables.
func sameBytes(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }
