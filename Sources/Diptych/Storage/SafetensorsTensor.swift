/// One tensor of a safetensors file, read as floats.
public struct SafetensorsTensor {
    public let name: String
    public let shape: [Int]
    /// The product of the shape: 1 for none.
    public let count: Int
    let offsets: Range<Int>
    private let type: ElementType
    private let bytes: UnsafeRawBufferPointer

    static let nameLimit = 1024
    static let rankLimit = 16

    enum ElementType {
        case float64, float32, float16, bfloat16
        var width: Int {
            switch self {
            case .float64: 8
            case .float32: 4
            case .float16, .bfloat16: 2
            }
        }
    }

    /// Reads {"dtype": ..., "shape": [...], "data_offsets": [begin, end]}.
    init(_ key: JSONString, _ reader: inout JSONReader, data: UnsafeRawBufferPointer, file: String) throws(DiptychError) {
        guard let name = key.decoded(limit: Self.nameLimit) else { throw reader.error("a tensor name of over 1024 bytes") }
        var typeName: JSONString?
        var shape: [Int]?
        var ends: [Int]?
        try reader.object { (reader, member) throws(DiptychError) in
            if member.equals("dtype") {
                typeName = try reader.string()
            } else if member.equals("shape") {
                shape = try numbers(&reader, atMost: Self.rankLimit)
            } else if member.equals("data_offsets") {
                ends = try numbers(&reader, atMost: 2)
            } else {
                throw reader.error("a tensor with something else than dtype, shape and data_offsets")
            }
        }
        guard let typeName, let shape, let ends, ends.count == 2 else {
            throw reader.error("a tensor without dtype, shape or data_offsets")
        }
        guard let type = Self.elementType(typeName) else {
            throw DiptychError(.format, "\(file): tensor \(name) has dtype \(typeName.decoded(limit: 32) ?? "?"), "
                + "but only F32, F64, F16 and BF16 can be read")
        }
        guard ends[0] <= ends[1], ends[1] <= data.count else {
            throw DiptychError(.corrupt, "\(file): tensor \(name) lies at bytes \(ends[0]) to \(ends[1]) of the data, "
                + "which has \(data.count)")
        }
        var count = 1
        var overflow = false
        for extent in shape where !overflow { (count, overflow) = count.multipliedReportingOverflow(by: extent) }
        let (size, tooLarge) = count.multipliedReportingOverflow(by: type.width)
        guard !overflow, !tooLarge, size == ends[1] - ends[0] else {
            throw DiptychError(.corrupt, "\(file): tensor \(name) has \(ends[1] - ends[0]) bytes, "
                + "which do not fit its shape")
        }
        self.name = name
        self.shape = shape
        self.count = count
        self.type = type
        offsets = ends[0] ..< ends[1]
        bytes = UnsafeRawBufferPointer(rebasing: data[offsets])
    }

    /// Value `index` in the file's order (the last dimension varies fastest). F64 values are rounded to Float.
    @inline(__always)
    func value(_ index: Int) -> Float {
        switch type {
        case .float32: Float(bitPattern: UInt32(littleEndian: load(index)))
        case .float64: Float(Double(bitPattern: UInt64(littleEndian: load(index))))
        case .bfloat16: Float(bitPattern: UInt32(UInt16(littleEndian: load(index))) << 16)
        case .float16: Self.float(half: UInt16(littleEndian: load(index)))
        }
    }

    private func load<T: BitwiseCopyable>(_ index: Int) -> T {
        bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: T.self)
    }

    private static func elementType(_ name: JSONString) -> ElementType? {
        if name.equals("F32") { return .float32 }
        if name.equals("F64") { return .float64 }
        if name.equals("F16") { return .float16 }
        if name.equals("BF16") { return .bfloat16 }
        return nil
    }

    /// IEEE half precision: 1 sign, 5 exponent and 10 fraction bits. By hand, as Float16 needs a runtime on some CPUs.
    static func float(half: UInt16) -> Float {
        let sign = UInt32(half & 0x8000) << 16
        let exponent = UInt32(half >> 10 & 31), fraction = UInt32(half & 0x3FF)
        if exponent == 0 {
            let magnitude = Float(fraction) * 0x1p-24
            return Float(bitPattern: magnitude.bitPattern | sign)
        }
        return Float(bitPattern: sign | (exponent == 31 ? 0xFF : exponent + 112) << 23 | fraction << 13)
    }
}

private func numbers(_ reader: inout JSONReader, atMost limit: Int) throws(DiptychError) -> [Int] {
    var result: [Int] = []
    try reader.array { (reader) throws(DiptychError) in
        guard result.count < limit else { throw reader.error("too many numbers in an array") }
        result.append(try reader.natural())
    }
    return result
}
