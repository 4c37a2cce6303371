import Diptych

/// A JSON document as a tree.
enum JSONValue: Equatable {
    case object([String: JSONValue])
    case array([JSONValue])
    case string(String)
    /// As it was written.
    case number(String)
    case bool(Bool)
    case null

    /// Throws `format`, naming `path`, where `text` is no JSON document.
    init(_ text: UnsafeRawBufferPointer, path: String) throws(DiptychError) {
        var reader = JSONReader(text) { position, what in DiptychError(.format, "\(path): byte \(position): \(what)") }
        self = try Self.read(&reader, depth: 0)
        try reader.end()
    }

    init(_ text: [UInt8], path: String) throws(DiptychError) {
        self = try text.withBytes { (bytes) throws(DiptychError) in try JSONValue(bytes, path: path) }
    }

    /// Deeper than any document of ours, and harmless to the stack.
    private static let deepest = 32

    private static func read(_ reader: inout JSONReader, depth: Int) throws(DiptychError) -> JSONValue {
        guard depth < deepest else { throw reader.error("nested too deeply") }
        switch try reader.kind() {
        case .object:
            var members: [String: JSONValue] = [:]
            try reader.object { (reader, key) throws(DiptychError) in
                let name = String(decoding: Array(key), as: UTF8.self)
                members[name] = try read(&reader, depth: depth + 1)
            }
            return .object(members)
        case .array:
            var elements: [JSONValue] = []
            try reader.array { (reader) throws(DiptychError) in elements.append(try read(&reader, depth: depth + 1)) }
            return .array(elements)
        case .string: return .string(String(decoding: Array(try reader.string()), as: UTF8.self))
        case .number: return .number(try reader.number())
        case .word: return try reader.word().map { .bool($0) } ?? .null
        }
    }

    subscript(name: String) -> JSONValue? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    /// The members of an object that are no objects, and those of its objects, by their names.
    var leaves: [String: JSONValue] {
        guard case .object(let members) = self else { return [:] }
        var leaves: [String: JSONValue] = [:]
        for (name, value) in members {
            if case .object = value { leaves.merge(value.leaves) { $1 } } else { leaves[name] = value }
        }
        return leaves
    }

    var elements: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var integer: Int? {
        if case .number(let text) = self { Int(text) } else { nil }
    }

    /// NaN for null, as `JSONWriter` writes it.
    var double: Double? {
        switch self {
        case .number(let text): ExactText.decode(text)
        case .null: .nan
        default: nil
        }
    }

    /// For messages: a scalar as it stands in the document.
    var plain: String {
        switch self {
        case .string(let text), .number(let text): text
        case .bool(let value): "\(value)"
        case .null: "nothing"
        case .object, .array: "something else"
        }
    }
}

extension JSONWriter {
    /// Objects by the names of their members.
    mutating func value(_ value: JSONValue) {
        switch value {
        case .object(let members):
            object { json in
                for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                    json.key(name)
                    json.value(value)
                }
            }
        case .array(let elements): array { json in elements.forEach { json.value($0) } }
        case .string(let text): self.value(text)
        case .number(let text): if let whole = UInt64(text) { self.value(whole) } else { self.value(ExactText.decode(text) ?? .nan) }
        case .bool(let flag): self.value(flag)
        case .null: self.value(Double.nan)
        }
    }
}

extension [UInt8] {
    /// `withUnsafeBytes`, whose errors have a type.
    func withBytes<Value>(_ body: (UnsafeRawBufferPointer) throws(DiptychError) -> Value) throws(DiptychError) -> Value {
        try withUnsafeBytes { bytes in
            Result { () throws(DiptychError) in try body(bytes) }
        }.get()
    }
}
