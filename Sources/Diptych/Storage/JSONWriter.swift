/// Writes one JSON document, compactly, in the order of the calls. The caller nests correctly: every value in an object
/// has a key.
///
///     var json = JSONWriter()
///     json.object {
///         $0.member("name", "fc1")
///         $0.member("shape", [64, 1568])
///     }
///     json.text   // {"name":"fc1","shape":[64,1568]}
public struct JSONWriter {
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    public init() {}

    public var text: String { String(decoding: bytes, as: UTF8.self) }

    public mutating func object(_ body: (inout JSONWriter) -> Void) { nest("{", "}", body) }
    public mutating func array(_ body: (inout JSONWriter) -> Void) { nest("[", "]", body) }

    public mutating func key(_ name: String) {
        separate()
        quote(name)
        append(":")
        needsComma = false
    }

    public mutating func value(_ value: String) { separate(); quote(value) }
    public mutating func value(_ value: Int) { separate(); append("\(value)") }
    public mutating func value(_ value: UInt64) { separate(); append("\(value)") }
    public mutating func value(_ value: Bool) { separate(); append(value ? "true" : "false") }
    /// What is not finite becomes null: JSON has no word for it.
    public mutating func value(_ value: Double) {
        separate()
        append(value.isFinite ? ExactText.encode(value) : "null")
    }
    public mutating func value(_ values: [Int]) {
        array { for value in values { $0.value(value) } }
    }

    public mutating func member(_ name: String, _ value: String) { key(name); self.value(value) }
    public mutating func member(_ name: String, _ value: Int) { key(name); self.value(value) }
    public mutating func member(_ name: String, _ value: UInt64) { key(name); self.value(value) }
    public mutating func member(_ name: String, _ value: Bool) { key(name); self.value(value) }
    public mutating func member(_ name: String, _ value: Double) { key(name); self.value(value) }
    public mutating func member(_ name: String, _ values: [Int]) { key(name); value(values) }
    public mutating func object(_ name: String, _ body: (inout JSONWriter) -> Void) { key(name); object(body) }
    public mutating func array(_ name: String, _ body: (inout JSONWriter) -> Void) { key(name); array(body) }

    private mutating func nest(_ open: String, _ close: String, _ body: (inout JSONWriter) -> Void) {
        separate()
        append(open)
        needsComma = false
        body(&self)
        append(close)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { append(",") }
        needsComma = true
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func quote(_ text: String) {
        append("\"")
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case 0x0A: append("\\n")
            case 0x09: append("\\t")
            case 0x0D: append("\\r")
            case 0 ..< 0x20:
                let digit = byte & 15
                append(byte < 16 ? "\\u000" : "\\u001")
                bytes.append(digit < 10 ? 48 + digit : 87 + digit)
            default: bytes.append(byte)
            }
        }
        append("\"")
    }
}
