/// A strict reader of JSON (RFC 8259) that builds no tree: the caller asks for what the format says comes next, so depth is
/// the caller's and nothing is allocated by the text's wish. UTF-8 is validated; a key may stand once in an object.
public struct JSONReader {
    private let text: UnsafeRawBufferPointer
    var position = 0
    private let fail: (Int, StaticString) -> DiptychError

    /// The most members that an object may have: keys are compared with each other.
    static let memberLimit = 4096

    /// `fail` makes the error from the byte's index and what is wrong there.
    public init(_ text: UnsafeRawBufferPointer, fail: @escaping (Int, StaticString) -> DiptychError) {
        self.text = text
        self.fail = fail
    }

    public func error(_ what: StaticString) -> DiptychError { fail(position, what) }

    /// Calls `member` for every key, with the reader standing before its value.
    public mutating func object(
        _ member: (inout JSONReader, JSONString) throws(DiptychError) -> Void
    ) throws(DiptychError) {
        try expect("{", "expected an object")
        if take("}") { return }
        var keys: [(hash: UInt64, key: JSONString)] = []
        repeat {
            let key = try string()
            let hash = key.hash
            for other in keys where other.hash == hash && other.key.elementsEqual(key) {
                throw error("the same key twice")
            }
            guard keys.count < Self.memberLimit else { throw error("an object of more than 4096 members") }
            keys.append((hash, key))
            try expect(":", "expected a colon")
            try member(&self, key)
        } while take(",")
        try expect("}", "expected a comma or the object's end")
    }

    /// Calls `element` with the reader standing before each.
    public mutating func array(_ element: (inout JSONReader) throws(DiptychError) -> Void) throws(DiptychError) {
        try expect("[", "expected an array")
        if take("]") { return }
        repeat { try element(&self) } while take(",")
        try expect("]", "expected a comma or the array's end")
    }

    /// A number without sign, fraction or exponent that fits an Int.
    mutating func natural() throws(DiptychError) -> Int {
        skipSpace()
        let start = position
        var value = 0
        while let byte = peek(), byte >= 48, byte <= 57 {
            let (times, overflow1) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = times.addingReportingOverflow(Int(byte - 48))
            guard !overflow1, !overflow2 else { throw error("a number too large") }
            value = sum
            position += 1
        }
        guard position > start else { throw error("expected a whole number from 0 up") }
        guard text[start] != 48 || position == start + 1 else { throw error("a number with a leading zero") }
        if let byte = peek(), byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e") {
            throw error("expected a whole number")
        }
        return value
    }

    public mutating func string() throws(DiptychError) -> JSONString {
        try expect("\"", "expected a string")
        let start = position
        while let byte = peek() {
            if byte == UInt8(ascii: "\"") {
                position += 1
                return JSONString(raw: UnsafeRawBufferPointer(rebasing: text[start ..< position - 1]))
            }
            if byte == UInt8(ascii: "\\") {
                try escape()
            } else if byte < 0x20 {
                throw error("a control character in a string")
            } else if byte < 0x80 {
                position += 1
            } else {
                try multibyte(byte)
            }
        }
        throw error("a string without end")
    }

    /// Nothing but white space follows.
    public mutating func end() throws(DiptychError) {
        skipSpace()
        guard position == text.count else { throw error("something after the end") }
    }

    func peek(_ ahead: Int = 0) -> UInt8? { position + ahead < text.count ? text[position + ahead] : nil }

    mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ mark: Unicode.Scalar) -> Bool {
        skipSpace()
        guard peek() == UInt8(ascii: mark) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ mark: Unicode.Scalar, _ what: StaticString) throws(DiptychError) {
        guard take(mark) else { throw error(what) }
    }

    private mutating func escape() throws(DiptychError) {
        switch peek(1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
             UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            let unit = try hexUnit()
            guard unit & 0xFC00 != 0xDC00 else { throw error("half a surrogate pair") }
            if unit & 0xFC00 == 0xD800 {
                guard peek() == UInt8(ascii: "\\"), peek(1) == UInt8(ascii: "u"), try hexUnit() & 0xFC00 == 0xDC00 else {
                    throw error("half a surrogate pair")
                }
            }
        default: throw error("an unknown escape in a string")
        }
    }

    /// The four digits of a \u escape.
    private mutating func hexUnit() throws(DiptychError) -> UInt32 {
        guard position + 6 <= text.count, let unit = JSONString.hexUnit(text, at: position + 2) else {
            throw error("an unknown escape in a string")
        }
        position += 6
        return unit
    }

    /// One character of two to four bytes: neither overlong, nor a surrogate, nor beyond U+10FFFF.
    private mutating func multibyte(_ first: UInt8) throws(DiptychError) {
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, first <= 0xF4, position + length <= text.count else { throw error("text that is no UTF-8") }
        var scalar = UInt32(first) & (0x7F >> UInt32(length))
        for i in 1 ..< length {
            let byte = text[position + i]
            guard byte & 0xC0 == 0x80 else { throw error("text that is no UTF-8") }
            scalar = scalar << 6 | UInt32(byte & 0x3F)
        }
        guard length == 2 || scalar >= (length == 3 ? 0x800 : 0x10000), Unicode.Scalar(scalar) != nil else {
            throw error("text that is no UTF-8")
        }
        position += length
    }
}
