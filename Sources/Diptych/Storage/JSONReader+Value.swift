// What a reader of any document needs beyond the fixed formats: which kind of value comes, and all kinds of scalars.

extension JSONReader {
    public enum Kind {
        case object, array, string, number, word
    }

    /// What the next value begins like.
    public mutating func kind() throws(DiptychError) -> Kind {
        skipSpace()
        switch peek() ?? 0 {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "-"), UInt8(ascii: "0") ... UInt8(ascii: "9"): return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): return .word
        default: throw error("expected a value")
        }
    }

    /// Any number, as it is written: a whole one may be larger than a Double can hold exactly.
    public mutating func number() throws(DiptychError) -> String {
        skipSpace()
        var written: [UInt8] = []
        takeByte(of: "-", into: &written)
        let whole = written.count
        try takeDigits(into: &written)
        guard written[whole] != UInt8(ascii: "0") || written.count == whole + 1 else { throw error("a number with a leading zero") }
        if takeByte(of: ".", into: &written) { try takeDigits(into: &written) }
        if takeByte(of: "eE", into: &written) {
            takeByte(of: "+-", into: &written)
            try takeDigits(into: &written)
        }
        return String(decoding: written, as: UTF8.self)
    }

    @discardableResult
    private mutating func takeByte(of choice: StaticString, into written: inout [UInt8]) -> Bool {
        guard let byte = peek(), choice.withUTF8Buffer({ $0.contains(byte) }) else { return false }
        written.append(byte)
        position += 1
        return true
    }

    /// At least one.
    private mutating func takeDigits(into written: inout [UInt8]) throws(DiptychError) {
        guard takeByte(of: "0123456789", into: &written) else { throw error("expected a digit") }
        while takeByte(of: "0123456789", into: &written) {}
    }

    /// true, false, or nil for null.
    public mutating func word() throws(DiptychError) -> Bool? {
        skipSpace()
        if takeWord("true") { return true }
        if takeWord("false") { return false }
        if takeWord("null") { return nil }
        throw error("expected a value")
    }

    private mutating func takeWord(_ word: StaticString) -> Bool {
        let found = word.withUTF8Buffer { bytes in
            for i in 0 ..< bytes.count where peek(i) != bytes[i] { return false }
            return true
        }
        if found { position += word.utf8CodeUnitCount }
        return found
    }
}
