/// A file's metadata, in the order of the calls. Functions of their own, not inlined: each of many keys would be 200 bytes of code.
struct MetadataWriter {
    private(set) var entries: [(key: String, value: String)] = []

    @inline(never) private mutating func append(_ key: StaticString, _ value: String) { entries.append(("\(key)", value)) }

    mutating func add(_ key: StaticString, _ value: StaticString) { append(key, "\(value)") }
    @inline(never) mutating func add(_ key: StaticString, _ value: Int) { append(key, "\(value)") }
    mutating func add(_ key: StaticString, _ value: Bool) { add(key, value ? 1 : 0) }
    mutating func add(_ key: StaticString, _ value: Float) { add(key, Double(value)) }
    @inline(never) mutating func add(_ key: StaticString, _ value: Double) { append(key, ExactText.encode(value)) }
    /// As 16 hexadecimal digits.
    mutating func add(_ key: StaticString, word: UInt64) { append(key, ExactText.encode(word)) }
}
