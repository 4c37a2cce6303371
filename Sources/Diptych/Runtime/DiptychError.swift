/// The one error type of the library: a status for programs and a sentence for people.
public struct DiptychError: Error, Sendable {
    /// The C API's `DIPTYCH_*` values; a test compares them with the header.
    public enum Status: Int32, Sendable, CaseIterable {
        case ok = 0
        case invalidArgument = -1
        case outOfMemory = -2
        case notFound = -3
        case io = -4
        case format = -5
        case corrupt = -6
        case limit = -7
        case blankImage = -8
        case mismatch = -9
        case diverged = -10
        case finished = -11
        case system = -12
        case cancelled = -13
    }

    public let status: Status
    public let message: String

    public init(_ status: Status, _ message: Message) {
        self.status = status
        self.message = message.text
    }

    /// A sentence with values in it. String's own interpolation is inlined wherever it stands, half a kilobyte a value,
    /// which was a quarter of the library; these calls are not.
    public struct Message: ExpressibleByStringInterpolation, Sendable {
        public var text: String

        public init(_ text: String) { self.text = text }
        public init(stringLiteral text: StaticString) { self.text = Self.string(text) }
        public init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

        public static func + (left: Message, right: Message) -> Message { Message(left.text + right.text) }

        @inline(never) private static func string(_ text: StaticString) -> String { "\(text)" }

        public struct Interpolation: StringInterpolationProtocol, Sendable {
            var text = ""

            @inline(never) public init(literalCapacity: Int, interpolationCount: Int) {}
            @inline(never) public mutating func appendLiteral(_ literal: StaticString) { text += Message.string(literal) }
            @inline(never) public mutating func appendInterpolation(_ value: String) { text += value }
            @inline(never) public mutating func appendInterpolation(_ value: StaticString) { text += Message.string(value) }
            @inline(never) public mutating func appendInterpolation(_ value: Int) { text += "\(value)" }
            @inline(never) public mutating func appendInterpolation(_ value: UInt) { text += "\(value)" }
            public mutating func appendInterpolation(_ value: some BinaryInteger) { appendInterpolation(Int(truncatingIfNeeded: value)) }
        }
    }

    static func memory(_ bytes: Int, for what: String) -> DiptychError {
        DiptychError(.outOfMemory, "no memory for \(what) (\(bytes) bytes)")
    }
}

/// Throws `invalidArgument` naming the value and the range unless `value` lies in `range`.
public func require(_ value: Int, in range: ClosedRange<Int>, _ name: String) throws(DiptychError) {
    guard range.contains(value) else {
        throw DiptychError(.invalidArgument, "\(name) is \(value), but must be from \(range.lowerBound) to \(range.upperBound)")
    }
}

/// The same for a real number that lies in `low ... high`; NaN never does.
public func require(_ value: Float, from low: Float, to high: Float, _ name: String) throws(DiptychError) {
    guard value >= low && value <= high else {
        throw DiptychError(.invalidArgument, "\(name) is \(text(value)), but must be from \(text(low)) to \(text(high))")
    }
}
