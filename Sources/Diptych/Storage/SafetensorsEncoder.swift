import CDiptychPlatform

/// A tensor to be written: `fill` writes the product of `shape` values, the last dimension varying fastest.
public struct SafetensorsOutput {
    public let name: String
    public let shape: [Int]
    public let fill: (UnsafeMutablePointer<Float>) -> Void

    public init(name: String, shape: [Int], fill: @escaping (UnsafeMutablePointer<Float>) -> Void) {
        self.name = name
        self.shape = shape
        self.fill = fill
    }
}

/// How a file stores its numbers.
public enum StoragePrecision: Sendable {
    /// F32, exact.
    case single
    /// F16, rounded to 11 significant bits: half the size, for models that only predict.
    case half

    var bytes: Int { self == .single ? 4 : 2 }
    var name: String { self == .single ? "F32" : "F16" }
    /// What rounds to infinity, from there on.
    var limit: Float { self == .single ? .infinity : 65520 }
}

extension SafetensorsFile {
    /// The bytes of a file with these tensors and metadata, in the order given; names and keys differ among each other.
    /// The same input gives the same bytes. Throws `diverged` where a value is not finite, as no reader would take it.
    public static func encode(
        tensors: [SafetensorsOutput], metadata: [(key: String, value: String)], precision: StoragePrecision = .single
    ) throws(DiptychError) -> Buffer<UInt8> {
        let (header, ends) = try layout(tensors, metadata, precision)
        let end = ends.last ?? 0

        // Spaces after the JSON put the data, like the header's own 8 bytes, at a multiple of 8.
        let headerSize = (header.count + 7) & ~7
        let file = try Buffer<UInt8>(count: sum(8 + headerSize, end), for: "a safetensors file")
        let memory = UnsafeMutableRawPointer(file.pointer)
        memory.storeBytes(of: UInt64(headerSize).littleEndian, as: UInt64.self)
        memset(memory + 8, Int32(UInt8(ascii: " ")), headerSize)
        for i in 0 ..< header.count { file[8 + i] = header[i] }

        let data = memory + 8 + headerSize
        var begin = 0
        for (tensor, end) in zip(tensors, ends) {
            switch precision {
            case .single:
                let values = (data + begin).bindMemory(to: Float.self, capacity: (end - begin) / 4)
                tensor.fill(values)
                try checkFinite(tensor, UnsafeBufferPointer(start: values, count: (end - begin) / 4), precision)
            case .half:
                let values = try Buffer<Float>(count: (end - begin) / 2, for: "a tensor")
                tensor.fill(values.pointer)
                try checkFinite(tensor, UnsafeBufferPointer(start: values.pointer, count: values.count), precision)
                for i in 0 ..< values.count {
                    (data + begin).storeBytes(of: halfBits(values[i]).littleEndian, toByteOffset: 2 * i, as: UInt16.self)
                }
            }
            begin = end
        }
        return file
    }

    private static func checkFinite(
        _ tensor: SafetensorsOutput, _ values: UnsafeBufferPointer<Float>, _ precision: StoragePrecision
    ) throws(DiptychError) {
        for (index, value) in values.enumerated() where !(abs(value) < precision.limit) {
            throw DiptychError(.diverged, "value \(index) of tensor '\(tensor.name)' is \(text(value)), which cannot be saved: it must be finite"
                + (value.isFinite ? " in half precision, below 65520" : ""))
        }
    }

    /// How many bytes `encode` would give.
    public static func encodedSize(
        tensors: [SafetensorsOutput], metadata: [(key: String, value: String)], precision: StoragePrecision = .single
    ) throws(DiptychError) -> Int {
        let (header, ends) = try layout(tensors, metadata, precision)
        return try sum(8 + ((header.count + 7) & ~7), ends.last ?? 0)
    }

    /// The header's JSON, and where each tensor ends in the data.
    private static func layout(
        _ tensors: [SafetensorsOutput], _ metadata: [(key: String, value: String)], _ precision: StoragePrecision
    ) throws(DiptychError) -> (header: [UInt8], ends: [Int]) {
        var ends: [Int] = []
        var end = 0
        for tensor in tensors {
            var bytes = precision.bytes
            for extent in tensor.shape { bytes = try product(bytes, extent, of: "a tensor") }
            end = try sum(end, bytes)
            ends.append(end)
        }
        return (headerBytes(tensors, ends: ends, metadata, precision), ends)
    }

    private static func headerBytes(
        _ tensors: [SafetensorsOutput], ends: [Int], _ metadata: [(key: String, value: String)], _ precision: StoragePrecision
    ) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            if !metadata.isEmpty {
                json.object("__metadata__") { json in
                    for (key, value) in metadata { json.member(key, value) }
                }
            }
            var begin = 0
            for (tensor, end) in zip(tensors, ends) {
                json.object(tensor.name) { json in
                    json.member("dtype", precision.name)
                    json.member("shape", tensor.shape)
                    json.member("data_offsets", [begin, end])
                }
                begin = end
            }
        }
        return json.bytes
    }

    private static func sum(_ a: Int, _ b: Int) throws(DiptychError) -> Int {
        let (result, overflow) = a.addingReportingOverflow(b)
        guard !overflow else { throw DiptychError(.limit, "a safetensors file is too large to count") }
        return result
    }
}

/// IEEE half precision, rounded to nearest, ties to even. By hand, as Float16 needs a runtime on some CPUs.
func halfBits(_ value: Float) -> UInt16 {
    let sign = UInt16(value.bitPattern >> 16 & 0x8000), magnitude = abs(value)
    guard magnitude < 65520 else { return sign | (value.isNaN ? 0x7E00 : 0x7C00) }
    // Below the smallest normal number the steps are 2^-24 wide.
    guard magnitude >= 0x1p-14 else { return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven)) }
    let bits = magnitude.bitPattern
    let rounded = bits &+ 0xFFF &+ (bits >> 13 & 1)
    return sign | UInt16(truncatingIfNeeded: (rounded >> 13) &- (112 << 10))
}
