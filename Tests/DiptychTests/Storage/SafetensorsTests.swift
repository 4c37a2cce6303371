import Foundation
import Testing

@testable import Diptych

@Suite struct SafetensorsTests {
    static let metadata = [(key: "format", value: "pt"), (key: "mean \"é\"", value: "33.3\n")]

    static func example() throws -> [UInt8] {
        func values(_ count: Int, _ scale: Float) -> (UnsafeMutablePointer<Float>) -> Void {
            { target in for i in 0 ..< count { target[i] = Float(i) * scale - 1 } }
        }
        return try SafetensorsFile.encode(tensors: [
            SafetensorsOutput(name: "fc.weight", shape: [2, 3], fill: values(6, 0.1)),
            SafetensorsOutput(name: "none", shape: [0, 4], fill: values(0, 0)),
            SafetensorsOutput(name: "scalar", shape: [], fill: values(1, 7)),
        ], metadata: metadata).array
    }

    /// A file of this header and so many bytes of data.
    static func file(_ header: String, data: Int) -> [UInt8] {
        let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
        return length + Array(header.utf8) + [UInt8](repeating: 0, count: data)
    }

    static func tensor(_ name: String = "t", dtype: String = "F32", shape: String = "[1]", offsets: String = "[0,4]") -> String {
        "\"\(name)\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
    }

    /// Parses and reads everything, so that an unchecked bound would be crossed.
    @discardableResult
    static func readAll(_ bytes: [UInt8]) throws -> [String: [Float]] {
        // A block of its own exact size, so that the address sanitizer sees a byte too far.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { memory.deallocate() }
        memory.copyBytes(from: bytes)
        let file = try SafetensorsFile.parse(bytes: UnsafeRawBufferPointer(memory), name: "FILE")
        _ = file.value(for: "format")
        return Dictionary(uniqueKeysWithValues: file.tensors.map { tensor in (tensor.name, (0 ..< tensor.count).map { tensor.value($0) }) })
    }

    @Test func roundTrip() throws {
        let bytes = try Self.example()
        try bytes.withUnsafeBytes { bytes in
            let file = try SafetensorsFile.parse(bytes: bytes, name: "FILE")
            #expect(file.tensors.map(\.name) == ["fc.weight", "none", "scalar"])
            #expect(file.tensors.map(\.shape) == [[2, 3], [0, 4], []])
            for (key, value) in Self.metadata { #expect(file.value(for: key) == value) }
            #expect(file.value(for: "for") == nil)
            #expect(file.tensor(named: "scalar")?.count == 1)
            #expect(file.tensor(named: "fc.weigh") == nil)
        }
        #expect(try Self.readAll(bytes) == ["fc.weight": (0 ..< 6).map { Float($0) * 0.1 - 1 }, "none": [], "scalar": [-1]])
        #expect(bytes.prefix(8).reduce(0) { $0 + Int($1) } > 0)
        // The data begin at a multiple of 8: 28 bytes from the end.
        #expect((bytes.count - 28) % 8 == 0)
        #expect(try Self.example() == bytes)
    }

    @Test func writesTheDocumentedBytes() throws {
        let bytes = try SafetensorsFile.encode(tensors: [SafetensorsOutput(name: "a", shape: [1]) { $0[0] = 1 }], metadata: [])
        let header = #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"# + "  "
        #expect(bytes.array == [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8) + [0, 0, 0x80, 0x3F])
    }

    @Test func refusesSizesThatDoNotFit() {
        expectError(.limit) { _ = try SafetensorsFile.encode(tensors: [.init(name: "a", shape: [1 << 40, 1 << 40]) { _ in }], metadata: []) }
        expectError(.outOfMemory) { _ = try SafetensorsFile.encode(tensors: [.init(name: "a", shape: [1 << 60]) { _ in }], metadata: []) }
    }

    @Test func refusesWhatIsNotFinite() throws {
        func encode(_ value: Float, _ precision: StoragePrecision = .single) throws {
            _ = try SafetensorsFile.encode(tensors: [.init(name: "a", shape: [2]) { ($0[0], $0[1]) = (1, value) }], metadata: [],
                                           precision: precision)
        }
        for value in [Float.infinity, -.infinity, .nan] {
            expectError(.diverged, "value 1 of tensor 'a'", "finite") { try encode(value) }
            expectError(.diverged, "value 1 of tensor 'a'", "finite") { try encode(value, .half) }
        }
        try encode(-.greatestFiniteMagnitude)
        try encode(Float(65520).nextDown, .half)
        expectError(.diverged, "-65520", "half precision") { try encode(-65520, .half) }
    }

    @Test func cutAtEveryByte() throws {
        let bytes = try Self.example()
        for length in 0 ..< bytes.count {
            // Up to the header's first letter nothing says that it is a safetensors file.
            expectError(length < 9 ? .format : .corrupt, "FILE") { try Self.readAll(Array(bytes[..<length])) }
        }
        expectError(.corrupt) { try Self.readAll(bytes + [0]) }
    }

    @Test func everyByteOfTheHeaderDamaged() throws {
        let bytes = try Self.example()
        var refused = 0
        for index in 0 ..< bytes.count - 28 {
            for damage: UInt8 in [0x01, 0x02, 0x08, 0x20, 0x80, 0xFF] {
                var damaged = bytes
                damaged[index] ^= damage
                do {
                    try Self.readAll(damaged)
                } catch let error as DiptychError {
                    refused += 1
                    #expect(error.status == .format || error.status == .corrupt, "\(error.message)")
                }
            }
        }
        // A letter of a name or a value may become another: half of it all and more is structure.
        #expect(refused > (bytes.count - 28) * 6 / 2)
    }

    @Test func sizesBeyondTheFile() throws {
        let bytes = try Self.example()
        for length: UInt64 in [0, 1, 100_000_000, 100_000_001, 1 << 63, .max, .max - 7] {
            let damaged = withUnsafeBytes(of: length.littleEndian) { Array($0) } + bytes[8...]
            expectError(.corrupt, "FILE") { try Self.readAll(damaged) }
        }
        expectError(.format, "not a safetensors file") { try Self.readAll(Array("PK\u{3}\u{4} some zip".utf8)) }
        expectError(.format, "not a safetensors file") { try Self.readAll([]) }
    }

    @Test(arguments: [
        "{" + tensor(offsets: "[0,8]") + "}",                                                     // not its shape's size
        "{" + tensor(offsets: "[4,0]") + "}",
        "{" + tensor(shape: "[2]", offsets: "[0,8]") + "}",                                       // beyond the end
        "{" + tensor(shape: "[0]", offsets: "[0,0]") + "}",                                       // data left over
        "{" + tensor(shape: "[]", offsets: "[0,9223372036854775807]") + "}",
        "{" + tensor(shape: "[4611686018427387904,4]") + "}",                                     // product overflows to 0
        "{" + tensor(shape: "[4611686018427387905]") + "}",                                       // times 4 overflows to 4
        "{" + tensor(shape: "[3037000500,3037000500,0]") + "}",
        "{" + tensor(shape: "[-1]") + "}",
        "{" + tensor(shape: "[1.0]") + "}",
        "{" + tensor(shape: "1") + "}",
        "{" + tensor(shape: "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]") + "}",                          // rank 17
        "{" + tensor(offsets: "[0]") + "}",
        "{" + tensor(offsets: "[0,4,4]") + "}",
        "{" + tensor() + "," + tensor() + "}",                                                    // the same name twice
        "{" + tensor() + "," + tensor("\\u0074") + "}",
        "{" + tensor() + "," + tensor("u") + "}",                                                 // overlap
        "{" + tensor("u", dtype: "F16", offsets: "[0,2]") + "," + tensor(dtype: "F16", offsets: "[1,3]") + "}",
        "{" + tensor(dtype: "F16", offsets: "[2,4]") + "}",                                       // gap at the start
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[1]}}",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":\"\"}}",
        "{\"t\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
        "{\"t\":[]}",
        "{\"__metadata__\":{\"a\":1}," + tensor() + "}",
        "{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}," + tensor() + "}",
        "{\"__metadata__\":{},\"__metadata__\":{}," + tensor() + "}",
        "{\"__metadata__\":null," + tensor() + "}",
        "{" + tensor() + "}{}",
        "{" + tensor() + "}\0",
        "{" + tensor() + ",}",
        "{" + tensor(String(repeating: "n", count: 1025)) + "}",
    ])
    func malformedHeader(header: String) {
        expectError(.corrupt, "FILE") { try Self.readAll(Self.file(header, data: 4)) }
    }

    @Test func wellFormedHeaders() throws {
        #expect(try Self.readAll(Self.file("{}", data: 0)) == [:])
        #expect(try Self.readAll(Self.file("{\(Self.tensor())}  \n", data: 4)) == ["t": [0]])
        // Data in another order than the header's, and an empty tensor between.
        #expect(try Self.readAll(Self.file("{" + Self.tensor("b", offsets: "[4,8]") + "," + Self.tensor("e", shape: "[5,0]", offsets: "[4,4]")
            + "," + Self.tensor("a") + "}", data: 8)) == ["a": [0], "b": [0], "e": []])
    }

    @Test(arguments: ["I64", "U64", "I32", "U8", "BOOL", "F8_E4M3", "f32", ""])
    func otherTypes(dtype: String) {
        expectError(.format, "FILE", "tensor ids", "dtype \(dtype)", "F32") {
            try Self.readAll(Self.file("{" + Self.tensor("ids", dtype: dtype) + "}", data: 4))
        }
    }

    @Test func convertsOtherFloats() throws {
        let header = "{" + Self.tensor("d", dtype: "F64", shape: "[2]", offsets: "[0,16]") + ","
            + Self.tensor("b", dtype: "BF16", shape: "[2]", offsets: "[16,20]") + "," + Self.tensor("h", dtype: "F16", shape: "[6]", offsets: "[20,32]") + "}"
        let doubles = [0.1, -1e300].flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
        let words: [UInt16] = [0x3F80, 0xC049, 0x3C00, 0xC000, 0x0001, 0x7BFF, 0x8000, 0xFC00]
        let halves = words.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
        let tensors = try Self.readAll(Self.file(header, data: 0) + doubles + halves)
        #expect(tensors["d"] == [Float(0.1), -.infinity])
        #expect(tensors["b"] == [1, -3.140625])
        #expect(tensors["h"] == [1, -2, 0x1p-24, 65504, -0.0, -.infinity])
        #expect(tensors["h"]?[4].sign == .minus)
    }

    /// Every half there is, against the compiler's own conversion.
    @Test func everyHalf() {
        #if !(os(macOS) && arch(x86_64))
        for bits in 0 ... UInt16.max {
            let ours = SafetensorsTensor.float(half: bits), theirs = Float(Float16(bitPattern: bits))
            #expect(ours.bitPattern == theirs.bitPattern || ours.isNaN && theirs.isNaN)
        }
        #endif
    }

    @Test func longMetadataIsNotReturned() throws {
        let text = String(repeating: "x", count: SafetensorsFile.valueLimit)
        for (value, found) in [(text, true), (text + "x", false)] {
            let bytes = try SafetensorsFile.encode(tensors: [], metadata: [("k", value)])
            let file = try SafetensorsFile.parse(bytes: UnsafeRawBufferPointer(bytes.span), name: "FILE")
            #expect((file.value(for: "k") != nil) == found)
        }
    }
}

@Suite struct EncodedSizeTests {
    @Test func isTheEncodedFiles() throws {
        var description = NetworkDescription(.rws)
        description.classes = 7
        let model = try Model(description, seed: 3)
        #expect(try model.encodedSize() == model.encoded().count)
    }
}
