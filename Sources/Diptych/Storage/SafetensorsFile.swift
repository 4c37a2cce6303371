/// A safetensors file in memory: 8 bytes of header length, a JSON header, then the tensors' bytes.
/// https://huggingface.co/docs/safetensors. `parse` checks the whole file, so that reading a tensor cannot fail.
/// It borrows the bytes: they must outlive it.
public struct SafetensorsFile {
    public let tensors: [SafetensorsTensor]
    private let metadata: [(key: JSONString, value: JSONString)]

    /// The format's own bound on the header.
    static let headerLimit = 100_000_000
    /// The longest metadata value that `value(for:)` returns, in bytes.
    static let valueLimit = 1 << 20

    /// Throws `format` for what is no safetensors file or holds other numbers than floats, `corrupt` for a damaged one;
    /// `name` (a path, say) begins the message.
    public static func parse(bytes: UnsafeRawBufferPointer, name: String) throws(DiptychError) -> SafetensorsFile {
        guard bytes.count > 8, bytes[8] == UInt8(ascii: "{") else {
            throw DiptychError(.format, "\(name): not a safetensors file")
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(headerLimit) else {
            throw DiptychError(.corrupt, "\(name): a header of \(length) bytes, but at most \(headerLimit) are allowed")
        }
        guard Int(length) <= bytes.count - 8 else {
            throw DiptychError(.corrupt, "\(name): cut off within its header of \(length) bytes")
        }
        let header = UnsafeRawBufferPointer(rebasing: bytes[8 ..< 8 + Int(length)])
        let data = UnsafeRawBufferPointer(rebasing: bytes[(8 + Int(length))...])

        var reader = JSONReader(header) { index, what in
            DiptychError(.corrupt, "\(name): damaged header at byte \(8 + index): \(what)")
        }
        var tensors: [SafetensorsTensor] = []
        var metadata: [(key: JSONString, value: JSONString)] = []
        try reader.object { (reader, key) throws(DiptychError) in
            if key.equals("__metadata__") {
                try reader.object { (reader, key) throws(DiptychError) in metadata.append((key, try reader.string())) }
            } else {
                tensors.append(try SafetensorsTensor(key, &reader, data: data, file: name))
            }
        }
        try reader.end()
        try requireContiguous(tensors, dataSize: data.count, file: name)
        return SafetensorsFile(tensors: tensors, metadata: metadata)
    }

    /// The metadata under `key`; nil where there is none, or more than a megabyte.
    public func value(for key: String) -> String? {
        for entry in metadata where entry.key.equals(key) { return entry.value.decoded(limit: Self.valueLimit) }
        return nil
    }

    public func tensor(named name: String) -> SafetensorsTensor? {
        for tensor in tensors where sameBytes(tensor.name, name) { return tensor }
        return nil
    }

    /// The tensors' bytes follow each other from the header's end to the file's, in whatever order.
    private static func requireContiguous(
        _ tensors: [SafetensorsTensor], dataSize: Int, file: String
    ) throws(DiptychError) {
        let sorted = tensors.sorted { ($0.offsets.lowerBound, $0.offsets.upperBound) < ($1.offsets.lowerBound, $1.offsets.upperBound) }
        var end = 0
        for tensor in sorted {
            guard tensor.offsets.lowerBound == end else {
                throw DiptychError(.corrupt, "\(file): tensor \(tensor.name) begins at byte \(tensor.offsets.lowerBound) "
                    + "of the data, but the one before it ends at \(end)")
            }
            end = tensor.offsets.upperBound
        }
        guard end == dataSize else {
            throw DiptychError(.corrupt, "\(file): the tensors end at byte \(end) of the data, but it has \(dataSize)")
        }
    }
}
