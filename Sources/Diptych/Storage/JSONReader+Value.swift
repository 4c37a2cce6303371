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
        var digits: [UInt8] = []
        func isPart(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0") ... UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
                 UInt8(ascii: "e"), UInt8(ascii: "E"): true
            default: false
            }
        }
        while let byte = peek(), isPart(byte), digits.count < 64 {
            digits.append(byte)
            position += 1
        }
        let text = String(decoding: digits, as: UTF8.self)
        guard ExactText.decode(text) != nil else { throw error("expected a number") }
        return text
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
