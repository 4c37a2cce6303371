import CDiptychPlatform

/// Reads the bundled sample; scripts/make_sample.py writes it and describes its format. A pixel's shade is coded in the
/// context of six neighbours that came before it.
struct SampleDecoder {
    let trainCount: Int
    let testCount: Int
    private let bytes: UnsafeRawBufferPointer
    private let shades: Int
    private let height: Int
    private let width: Int

    private static let headerSize = 12
    private static let labelBits = 4

    init(_ bytes: UnsafeRawBufferPointer) throws(DiptychError) {
        guard bytes.count > Self.headerSize, memcmp(bytes.baseAddress!, "DPS1", 4) == 0, (3 ... 16).contains(bytes[4]),
              bytes[5] > 0, bytes[6] > 0 else {
            throw DiptychError(.corrupt, "the bundled sample is damaged")
        }
        self.bytes = bytes
        shades = Int(bytes[4])
        height = Int(bytes[5])
        width = Int(bytes[6])
        trainCount = Int(bytes[8]) | Int(bytes[9]) << 8
        testCount = Int(bytes[10]) | Int(bytes[11]) << 8
    }

    /// `count` digits after the first `skipped`, which are decoded too, since the code learns from them.
    func decode(skipping skipped: Int, count: Int) throws(DiptychError) -> Dataset {
        let top = shades - 1
        let bits = Int.bitWidth - top.leadingZeroBitCount
        let nodes = 2 + (1 << bits)
        let labelContext = shades * shades * 256 * nodes
        var decoder = try BinaryDecoder(bytes, from: Self.headerSize, contexts: labelContext + (1 << Self.labelBits))

        let size = height * width
        let images = try Buffer<UInt8>(count: count * size, for: "the bundled sample")
        let labels = try Buffer<Int32>(count: count, for: "the bundled sample")
        // Two blank rows above the image, two blank columns on its left and one on its right: every pixel has neighbours.
        let stride = width + 3
        let canvas = try Buffer<UInt8>(count: (height + 2) * stride, for: "the bundled sample")
        let quarter = try Buffer<UInt8>(count: shades, for: "the bundled sample")
        for shade in 1 ..< shades { quarter[shade] = shade == top ? 3 : 2 * shade < shades ? 1 : 2 }

        let back = SIMD4(stride + 1, stride - 1, 2, 2 * stride) // to the neighbours at the upper left, upper right, ...

        for i in 0 ..< skipped + count {
            let label = decoder.tree(labelContext, bits: Self.labelBits)
            for y in 0 ..< height {
                for x in 0 ..< width {
                    let at = (y + 2) * stride + x + 2
                    var context = Int(canvas[at - 1]) * shades + Int(canvas[at - stride])
                    for i in 0 ..< 4 { context = context * 4 + Int(quarter[Int(canvas[at - back[i]])]) }
                    context *= nodes
                    if decoder.bit(context) {
                        canvas[at] = 0
                    } else if decoder.bit(context + 1) {
                        canvas[at] = UInt8(top)
                    } else {
                        canvas[at] = UInt8(min(decoder.tree(context + 2, bits: bits), top))
                    }
                }
            }
            guard i >= skipped else { continue }
            labels[i - skipped] = Int32(label)
            for y in 0 ..< height {
                for x in 0 ..< width {
                    let shade = Int(canvas[(y + 2) * stride + x + 2])
                    images[(i - skipped) * size + y * width + x] = UInt8((shade * 255 + top / 2) / top)
                }
            }
        }
        return Dataset(count: count, height: height, width: width, images: images, labels: labels)
    }
}
