import CDiptychPlatform

/// Bytes of a file in order, decompressed on the way where the file is gzip's (RFC 1952), which its first bytes tell.
final class Inflater {
    private let file: Buffer<UInt8>
    private let name: String
    private var position = 0
    /// At an address of its own, which zlib remembers; nil for a plain file.
    private var stream: UnsafeMutablePointer<z_stream>?
    private var finished = false

    init(_ file: Buffer<UInt8>, name: String) throws(DiptychError) {
        self.file = file
        self.name = name
        guard file.count >= 2, file[0] == 0x1F, file[1] == 0x8B else { return }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window, as gzip uses, and 16 for gzip's own header and check sum.
        guard inflateInit2_(stream, 15 + 16, zlibVersion(), Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            throw DiptychError(.outOfMemory, "no memory to decompress \(name)")
        }
        self.stream = stream
    }

    deinit {
        if let stream {
            inflateEnd(stream)
            stream.deallocate()
        }
    }

    /// The most bytes that may still come: deflate makes at most 1032 of one.
    var mostLeft: Int {
        guard stream != nil else { return file.count - position }
        let (bytes, overflow) = file.count.multipliedReportingOverflow(by: 1032)
        return overflow ? Int.max : bytes
    }

    /// Fills `target` as far as the file reaches, and returns how far.
    func read(into target: UnsafeMutablePointer<UInt8>, count: Int) throws(DiptychError) -> Int {
        guard let stream else {
            let length = min(count, file.count - position)
            memcpy(target, file.pointer + position, length)
            position += length
            return length
        }
        var filled = 0
        while filled < count && !finished {
            // zlib counts in 32 bits.
            let input = min(file.count - position, 1 << 30), output = min(count - filled, 1 << 30)
            stream.pointee.next_in = file.pointer + position
            stream.pointee.avail_in = UInt32(input)
            stream.pointee.next_out = target + filled
            stream.pointee.avail_out = UInt32(output)
            let status = inflate(stream, Z_NO_FLUSH)
            position += input - Int(stream.pointee.avail_in)
            filled += output - Int(stream.pointee.avail_out)
            switch status {
            case Z_OK: break
            case Z_STREAM_END: try endMember(stream)
            case Z_BUF_ERROR: throw DiptychError(.corrupt, "\(name): the compressed data are cut off")
            case Z_MEM_ERROR: throw DiptychError(.outOfMemory, "no memory to decompress \(name)")
            default: throw DiptychError(.corrupt, "\(name): the compressed data are damaged")
            }
        }
        return filled
    }

    /// A gzip file may be several, one after the other; anything else does not belong there.
    private func endMember(_ stream: UnsafeMutablePointer<z_stream>) throws(DiptychError) {
        if position == file.count {
            finished = true
        } else if file[position] != 0x1F || inflateReset(stream) != Z_OK {
            throw DiptychError(.corrupt, "\(name): something follows the compressed data")
        }
    }
}
