import CDiptychPlatform

/// The whole file, up to its end as reading finds it: what the system says of a size is a hint only, so that pipes and
/// /proc work. Throws `notFound`, `io` (also for a folder) or, for more than `limit` bytes, `limit`.
public func readFile(path: String, limit: Int) throws(DiptychError) -> Buffer<UInt8> {
    let file = try FileDescriptor(opening: path)
    var status = stat()
    guard fstat(file.number, &status) == 0 else { throw fileError(path, "cannot be read") }
    guard !isKind(status, S_IFDIR) else { throw DiptychError(.io, "\(path): is a folder, not a file") }
    let expected = isKind(status, S_IFREG) ? Int(status.st_size) : 0
    guard expected <= limit else { throw tooLarge(path, limit) }

    var buffer = try Buffer<UInt8>(unwritten: expected > 0 ? expected : 4096, for: "a file's contents")
    var length = 0
    while true {
        if length < buffer.count {
            let got = try file.read(into: buffer.pointer + length, atMost: buffer.count - length, path)
            if got == 0 { return try copy(of: buffer, length, capacity: length) }
            length += got
            guard length <= limit else { throw tooLarge(path, limit) }
        } else {
            // Full: at the end as a rule, which one more byte tells.
            var next: UInt8 = 0
            if try file.read(into: &next, atMost: 1, path) == 0 { return buffer }
            guard length < limit else { throw tooLarge(path, limit) }
            buffer = try copy(of: buffer, length, capacity: product(length, 2, of: "a file"))
            buffer[length] = next
            length += 1
        }
    }
}

private func copy(of buffer: Buffer<UInt8>, _ length: Int, capacity: Int) throws(DiptychError) -> Buffer<UInt8> {
    let result = try Buffer<UInt8>(unwritten: capacity, for: "a file's contents")
    memcpy(result.pointer, buffer.pointer, length)
    return result
}

private func tooLarge(_ path: String, _ limit: Int) -> DiptychError {
    DiptychError(.limit, "\(path): larger than the \(limit) bytes that are allowed")
}

/// An open file, closed by its last reference.
final class FileDescriptor {
    let number: Int32

    init(opening path: String, flags: Int32 = O_RDONLY, mode: UInt32 = 0) throws(DiptychError) {
        var number: Int32
        repeat { number = dp_open(path, flags, mode) } while number < 0 && dp_errno() == EINTR
        guard number >= 0 else { throw fileError(path, "cannot be opened") }
        self.number = number
    }

    init(adopting number: Int32) { self.number = number }

    /// How many bytes came; 0 at the end.
    func read(into target: UnsafeMutablePointer<UInt8>, atMost count: Int, _ path: String) throws(DiptychError) -> Int {
        while true {
            let got = CDiptychPlatform.read(number, target, min(count, 1 << 30))
            if got >= 0 { return got }
            guard dp_errno() == EINTR else { throw fileError(path, "cannot be read") }
        }
    }

    deinit { close(number) }
}

func isKind(_ status: stat, _ kind: Int32) -> Bool { Int32(status.st_mode) & S_IFMT == kind }

/// `errno` as an error about `path`.
func fileError(_ path: String, _ what: StaticString) -> DiptychError {
    let number = dp_errno()
    if number == ENOENT || number == ENOTDIR {
        return DiptychError(.notFound, path.utf8.isEmpty ? "the path is empty" : "\(path): no such file or folder")
    }
    return DiptychError(.io, "\(path): \(what): \(String(cString: strerror(number)))")
}
