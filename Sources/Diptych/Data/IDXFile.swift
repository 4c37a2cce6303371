import CDiptychPlatform

/// An array of unsigned bytes in MNIST's format: two zero bytes, type 8, the rank, that many big-endian extents, the bytes.
struct IDXFile {
    let shape: [Int]
    let bytes: Buffer<UInt8>

    /// The most bytes of an array, 4 GiB, and of the file around it.
    static let dataLimit = 1 << 32

    /// `content` says in errors what the file should hold.
    static func read(path: String, rank: Int, content: StaticString) throws(DiptychError) -> IDXFile {
        let file = try readFile(path: path, limit: dataLimit + 1024)
        let source = try Inflater(file, name: path)

        var head: [UInt8] = [0, 0, 0, 0]
        guard try fill(&head, from: source), head[0] == 0, head[1] == 0 else {
            throw DiptychError(.format, "\(path): not an IDX file")
        }
        guard head[2] == 8 else {
            throw DiptychError(.format, "\(path): an IDX file of type \(head[2]), but \(content) are unsigned bytes, type 8")
        }
        guard head[3] == rank else {
            throw DiptychError(.format, "\(path): an IDX file of rank \(head[3]), but \(content) have rank \(rank)")
        }

        var shape: [Int] = []
        var count = 1
        for _ in 0 ..< rank {
            var bytes: [UInt8] = [0, 0, 0, 0]
            guard try fill(&bytes, from: source) else { throw cutOff(path) }
            let extent = bytes.reduce(0) { $0 << 8 | Int($1) }
            let (size, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow, size <= dataLimit else {
                throw DiptychError(.limit, "\(path): declares more than the \(dataLimit) bytes of \(content) that are allowed")
            }
            shape.append(extent)
            count = size
        }
        guard count <= source.mostLeft else { throw cutOff(path) }

        let bytes = try Buffer<UInt8>(count: count, for: content)
        guard try source.read(into: bytes.pointer, count: count) == count else { throw cutOff(path) }
        var next: UInt8 = 0
        guard try source.read(into: &next, count: 1) == 0 else {
            throw DiptychError(.corrupt, "\(path): longer than the \(count) bytes of \(content) that it declares")
        }
        return IDXFile(shape: shape, bytes: bytes)
    }

    private static func fill(_ array: inout [UInt8], from source: Inflater) throws(DiptychError) -> Bool {
        for i in array.indices {
            var byte: UInt8 = 0
            guard try source.read(into: &byte, count: 1) == 1 else { return false }
            array[i] = byte
        }
        return true
    }

    private static func cutOff(_ path: String) -> DiptychError {
        DiptychError(.corrupt, "\(path): cut off: shorter than its header says")
    }
}
