import Foundation
import Testing

@testable import Diptych

/// One line of Fixtures/images/formats.txt.
struct FormatFixture: CustomTestStringConvertible {
    let name: String
    let width, height, background: Int
    let png: [UInt8]
    let grey: [UInt8]

    var testDescription: String { name }

    static let all: [FormatFixture] = fixtureLines("formats.txt").map { fields in
        FormatFixture(name: fields[0], width: Int(fields[1])!, height: Int(fields[2])!, background: Int(fields[3])!,
                      png: bytes(hex: fields[4]), grey: bytes(hex: fields[5]))
    }
}

/// The first twenty test digits of MNIST, [28][28].
let digitFixtures: [(label: Int, pixels: [UInt8])] = fixtureLines("digits.txt").map { (Int($0[0])!, bytes(hex: $0[1])) }

private func fixtureLines(_ name: String) -> [[String]] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let text = try! String(contentsOf: folder.appendingPathComponent("Fixtures/images/\(name)"), encoding: .utf8)
    return text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
}

private func bytes(hex: String) -> [UInt8] {
    let digits = Array(hex.utf8).map { $0 < 58 ? $0 - 48 : $0 - 87 }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] * 16 + digits[$0 + 1] }
}

/// Decodes from memory of exactly the file's size, so that the address sanitizer sees any read beyond it.
func decode(_ png: [UInt8], background: Int = 255, maxSide: Int = 4096) throws(DiptychError) -> [UInt8] {
    let exact = UnsafeMutableRawBufferPointer.allocate(byteCount: png.count, alignment: 1)
    defer { exact.deallocate() }
    exact.copyBytes(from: png)
    var options = ImageOptions()
    options.background = background
    options.maxHeight = maxSide
    options.maxWidth = maxSide
    let image = try decodePNG(UnsafeRawBufferPointer(exact), name: "image", options: options)
    return values(image.pixels)
}

/// A buffer's elements. Its `span` must not outlive it, as it would in `Array(f().span)`.
func values<Element>(_ buffer: Buffer<Element>) -> [Element] { (0 ..< buffer.count).map { buffer[$0] } }

/// The status that `body` throws; nil where it does not.
func status(_ body: () throws(DiptychError) -> Void) -> DiptychError.Status? {
    do throws(DiptychError) {
        try body()
        return nil
    } catch {
        return error.status
    }
}

/// A grey picture to draw on.
struct Picture {
    let height, width: Int
    var shades: [Float]

    init(height: Int, width: Int, shade: Float) {
        self.height = height
        self.width = width
        shades = Array(repeating: shade, count: height * width)
    }

    subscript(row: Int, column: Int) -> Float {
        get { shades[row * width + column] }
        set { shades[row * width + column] = newValue }
    }

    var bytes: [UInt8] { shades.map { UInt8(min(max($0.rounded(), 0), 255)) } }

    /// Mixes `ink` into a rectangle.
    mutating func fill(rows: Range<Int>, columns: Range<Int>, ink: Float) {
        for row in rows { for column in columns { self[row, column] = ink } }
    }

    /// Draws a 28x28 digit, `scale` times as large by bilinear interpolation, its canvas' corner at (top, left).
    mutating func draw(_ digit: [UInt8], scale: Int, top: Int, left: Int, ink: Float) {
        func at(_ y: Int, _ x: Int) -> Float { (0 ..< 28).contains(y) && (0 ..< 28).contains(x) ? Float(digit[y * 28 + x]) : 0 }
        for row in 0 ..< 28 * scale {
            for column in 0 ..< 28 * scale where (0 ..< height).contains(top + row) && (0 ..< width).contains(left + column) {
                let y = (Float(row) + 0.5) / Float(scale) - 0.5, x = (Float(column) + 0.5) / Float(scale) - 0.5
                let y0 = Int(y.rounded(.down)), x0 = Int(x.rounded(.down))
                let fy = y - Float(y0), fx = x - Float(x0)
                let cover = (at(y0, x0) * (1 - fx) + at(y0, x0 + 1) * fx) * (1 - fy)
                    + (at(y0 + 1, x0) * (1 - fx) + at(y0 + 1, x0 + 1) * fx) * fy
                self[top + row, left + column] += (ink - self[top + row, left + column]) * cover / 255
            }
        }
    }
}

/// The 28x28 canvas that digit mode makes of a picture.
func canvas(_ bytes: [UInt8], height: Int, width: Int, polarity: ImageOptions.Polarity = .auto) throws(DiptychError) -> [Float] {
    let image = try GreyImage<UInt8>(height: height, width: width)
    for i in 0 ..< bytes.count { image.pixels[i] = bytes[i] }
    return values(try digitCanvas(image, polarity: polarity, name: "picture").pixels)
}

func canvas(_ picture: Picture, polarity: ImageOptions.Polarity = .auto) throws(DiptychError) -> [Float] {
    try canvas(picture.bytes, height: picture.height, width: picture.width, polarity: polarity)
}

func meanDifference(_ a: [Float], _ b: [Float]) -> Float {
    zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) } / Float(a.count)
}

/// The least mean difference of a canvas from a digit that may be off by one pixel either way: centring rounds to whole
/// pixels, so a centre of mass near a pixel's edge may fall on either side of it.
func differenceUpToAPixel(_ canvas: [Float], _ digit: [UInt8]) -> Float {
    var least = Float.infinity
    for dy in -1 ... 1 {
        for dx in -1 ... 1 {
            let moved = (0 ..< 784).map { i in
                let y = i / 28 + dy, x = i % 28 + dx
                return (0 ..< 28).contains(y) && (0 ..< 28).contains(x) ? Float(digit[y * 28 + x]) : 0
            }
            least = min(least, meanDifference(canvas, moved))
        }
    }
    return least
}

/// A file in a folder of its own, removed afterwards.
func withTemporaryFile<T>(_ bytes: [UInt8]?, _ body: (_ path: String) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("image.png")
    if let bytes { try Data(bytes).write(to: file) }
    return try body(file.path)
}
