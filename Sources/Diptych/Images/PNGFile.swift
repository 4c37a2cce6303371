import CDiptychPNG
import CDiptychPlatform

/// A PNG file larger than this is refused unread.
let largestPNGFile = 256 << 20

/// Decodes a PNG to grey bytes; `name` is what messages call it. Throws `format`, `corrupt`, `limit` (before decoding)
/// and `outOfMemory`.
func decodePNG(_ bytes: UnsafeRawBufferPointer, name: String, options: ImageOptions) throws(DiptychError) -> GreyImage<UInt8> {
    var width: UInt32 = 0, height: UInt32 = 0
    var message = dp_png_message()
    guard let data = bytes.baseAddress, bytes.count > 0 else {
        throw DiptychError(.format, "\(name) is empty, not a PNG image")
    }
    guard bytes.count <= largestPNGFile else { throw fileTooLarge(name) }
    try check(dp_png_measure(data, bytes.count, &width, &height, &message), message, name)
    guard Int(width) <= options.maxWidth, Int(height) <= options.maxHeight else {
        throw DiptychError(.limit, "\(name) is \(width) x \(height) pixels (width x height), but at most "
            + "\(options.maxWidth) x \(options.maxHeight) are allowed")
    }
    let image = try GreyImage<UInt8>(height: Int(height), width: Int(width))
    let background = UInt8(clamping: options.background)
    try check(dp_png_decode(data, bytes.count, width, height, background, image.pixels.pointer, &message), message, name)
    return image
}

/// Writes `height` x `width` bytes as an 8-bit greyscale PNG. Throws `invalidArgument`, `outOfMemory`, `notFound` and `io`.
public func writePNG(_ grey: UnsafePointer<UInt8>, height: Int, width: Int, path: String) throws(DiptychError) {
    try require(height, in: 1 ... 32768, "height")
    try require(width, in: 1 ... 32768, "width")
    var data: UnsafeMutablePointer<UInt8>?
    var size = 0
    var message = dp_png_message()
    try check(dp_png_encode(grey, UInt32(width), UInt32(height), &data, &size, &message), message, path)
    defer { free(data) }
    guard let data else { throw DiptychError.memory(size, for: path) }
    try writeFile(path, UnsafeRawBufferPointer(start: data, count: size))
}

private func check(_ status: dp_png_status, _ message: dp_png_message, _ name: String) throws(DiptychError) {
    switch status {
    case DP_PNG_OK: return
    case DP_PNG_NOT_PNG: throw DiptychError(.format, "\(name) is not a PNG image")
    case DP_PNG_NO_MEMORY: throw DiptychError(.outOfMemory, "no memory for the PNG image \(name)")
    default: throw DiptychError(.corrupt, "\(name) is a damaged or cut off PNG image: \(text(message))")
    }
}

private func text(_ message: dp_png_message) -> String {
    withUnsafeBytes(of: message) { bytes in
        bytes.withMemoryRebound(to: CChar.self) { text in
            // The shim always ends its messages with a zero.
            text.baseAddress.map { String(cString: $0) } ?? ""
        }
    }
}

private func fileTooLarge(_ name: String) -> DiptychError {
    DiptychError(.limit, "\(name) is larger than \(largestPNGFile >> 20) MiB, the most that a PNG file may have")
}

/// The whole file. Throws `notFound`, `io`, `limit` and `outOfMemory`.
func readPNGFile(_ path: String) throws(DiptychError) -> (bytes: Buffer<UInt8>, count: Int) {
    let file = dp_open(path, O_RDONLY, 0)
    guard file >= 0 else { throw systemError(path, "opened") }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw systemError(path, "read") }
    guard Int32(status.st_mode) & Int32(S_IFMT) != Int32(S_IFDIR) else { throw DiptychError(.io, "\(path) is a folder, not a PNG file") }
    guard status.st_size <= largestPNGFile else { throw fileTooLarge(path) }

    // A pipe states no size: read until the end, in memory that doubles. One byte more than stated finds the end.
    var bytes = try Buffer<UInt8>(count: max(Int(status.st_size) + 1, 1 << 16), for: "a PNG file")
    var count = 0
    while true {
        let got = read(file, bytes.pointer + count, bytes.count - count)
        if got < 0 && dp_errno() == EINTR { continue }
        guard got >= 0 else { throw systemError(path, "read") }
        if got == 0 { return (bytes, count) }
        count += got
        guard count <= largestPNGFile else { throw fileTooLarge(path) }
        if count == bytes.count {
            let larger = try Buffer<UInt8>(count: 2 * count, for: "a PNG file")
            memcpy(larger.pointer, bytes.pointer, count)
            bytes = larger
        }
    }
}

private func writeFile(_ path: String, _ bytes: UnsafeRawBufferPointer) throws(DiptychError) {
    let file = dp_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
    guard file >= 0 else { throw systemError(path, "written") }
    var done = 0
    while done < bytes.count {
        let wrote = write(file, bytes.baseAddress.map { $0 + done }, bytes.count - done)
        if wrote < 0 && dp_errno() == EINTR { continue }
        guard wrote > 0 else {
            let error = systemError(path, "written")
            close(file)
            throw error
        }
        done += wrote
    }
    guard close(file) == 0 else { throw systemError(path, "written") }
}

/// What errno says about `path`.
private func systemError(_ path: String, _ verb: StaticString) -> DiptychError {
    let code = dp_errno()
    if code == ENOENT || code == ENOTDIR { return DiptychError(.notFound, "\(path) does not exist") }
    let reason = strerror(code).map { String(cString: $0) } ?? "error \(code)"
    return DiptychError(.io, "\(path) cannot be \(verb): \(reason)")
}
