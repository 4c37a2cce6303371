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

// Texts as bytes: Embedded Swift's own operators would need Unicode's tables, and its collections' are a kilobyte for each use.

/// Whether two texts are the same bytes.
func sameBytes(_ a: String, _ b: String) -> Bool { a.utf8.count == b.utf8.count && compareBytes(a, b) == 0 }

/// Whether a text begins with the bytes of another.
func beginsWith(_ text: String, _ prefix: String) -> Bool { text.utf8.count >= prefix.utf8.count && compareBytes(text, prefix) == 0 }

/// Whether a comes before b in the order of bytes.
@inline(never)
func precedes(_ a: String, _ b: String) -> Bool {
    let order = compareBytes(a, b)
    return order == 0 ? a.utf8.count < b.utf8.count : order < 0
}

/// As memcmp, over the length of the shorter one.
@inline(never)
private func compareBytes(_ a: String, _ b: String) -> Int32 {
    let count = min(a.utf8.count, b.utf8.count)
    return a.withCString { a in b.withCString { b in memcmp(a, b, count) } }
}
