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
        throw DiptychError(.format, "\(name): is empty, not a PNG image")
    }
    guard bytes.count <= largestPNGFile else { throw fileTooLarge(name) }
    try check(dp_png_measure(data, bytes.count, &width, &height, &message), message, name)
    guard Int(width) <= options.maxWidth, Int(height) <= options.maxHeight else {
        throw DiptychError(.limit, "\(name): is \(width) x \(height) pixels (width x height), but at most "
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
    try writeFileAtomically(path: path, bytes: UnsafeRawBufferPointer(start: data, count: size))
}

private func check(_ status: dp_png_status, _ message: dp_png_message, _ name: String) throws(DiptychError) {
    switch status {
    case DP_PNG_OK: return
    case DP_PNG_NOT_PNG: throw DiptychError(.format, "\(name): is not a PNG image")
    case DP_PNG_NO_MEMORY: throw DiptychError(.outOfMemory, "no memory for the PNG image \(name)")
    default: throw DiptychError(.corrupt, "\(name): is a damaged or cut off PNG image: \(text(message))")
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
    DiptychError(.limit, "\(name): is larger than \(largestPNGFile >> 20) MiB, the most that a PNG file may have")
}
