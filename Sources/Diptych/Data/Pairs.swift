/// Pairs of images to train on or to test with. Immutable, so any thread may read it.
public final class Pairs: @unchecked Sendable {
    public let count: Int
    public let height: Int
    public let width: Int
    /// [count][2][height][width], in pixels' own unit (0 background, 255 ink), not standardised.
    public let images: Buffer<Float>
    /// [count], each 0 or 1.
    public let targets: Buffer<Float>
    /// [count][2] classes, 0 to 999; nil where they are not known.
    public let digits: Buffer<Int32>?
    /// Over all pixels of all images.
    public let mean: Double
    /// Likewise, of a sample (n - 1), as PyTorch's `std`; 0 where all pixels are the same.
    public let standardDeviation: Double

    init(count: Int, height: Int, width: Int, images: Buffer<Float>, targets: Buffer<Float>, digits: Buffer<Int32>?) {
        self.count = count
        self.height = height
        self.width = width
        self.images = images
        self.targets = targets
        self.digits = digits
        (mean, standardDeviation) = statistics(images.span)
    }

    /// What height and width of a pair's images may be: the networks pool by two, twice a side of 4.
    public static let sizes = 4 ... 256

    /// Checks the sizes and returns the number of pixels in `count` pairs.
    static func pixels(count: Int, height: Int, width: Int) throws(DiptychError) -> Int {
        try require(height, in: sizes, "height")
        try require(width, in: sizes, "width")
        guard count > 0 else { throw DiptychError(.invalidArgument, "count is \(count), but must be at least 1") }
        return try product(count, 2, height, width, of: "pairs")
    }

    /// Throws `mismatch` unless every target is 1 where the first digit <= the second, and 0 elsewhere: what the target of
    /// a new pair is then known to be.
    func checkOrderTargets() throws(DiptychError) {
        guard let digits else {
            throw DiptychError(.mismatch, "redraw makes new pairs, whose targets follow from their digits, but the pairs have no digits")
        }
        for i in 0 ..< count where (digits[2 * i] <= digits[2 * i + 1]) != (targets[i] == 1) {
            throw DiptychError(.mismatch, "redraw makes new pairs, whose target is 1 where first digit <= second, but pair \(i) has the digits \(digits[2 * i]) and \(digits[2 * i + 1]) and the target \(text(targets[i]))")
        }
    }

    /// A hash of all that the pairs hold, to tell whether a checkpoint's pairs have come back (FNV-1a over 32-bit words).
    public var fingerprint: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ word: UInt32) { hash = (hash ^ UInt64(word)) &* 0x100_0000_01B3 }
        add(UInt32(truncatingIfNeeded: count))
        add(UInt32(truncatingIfNeeded: height))
        add(UInt32(truncatingIfNeeded: width))
        for i in 0 ..< images.count { add(images[i].bitPattern) }
        for i in 0 ..< targets.count { add(targets[i].bitPattern) }
        if let digits {
            for i in 0 ..< digits.count { add(UInt32(bitPattern: digits[i])) }
        }
        return hash
    }
}

/// Mean and standard deviation in double precision, summed in order: first the mean, then the squares around it.
private func statistics(_ values: UnsafeBufferPointer<Float>) -> (mean: Double, deviation: Double) {
    guard values.count > 1 else { return (0, 0) }
    var sum = 0.0
    for value in values { sum += Double(value) }
    let mean = sum / Double(values.count)
    var squares = 0.0
    for value in values { squares += (Double(value) - mean) * (Double(value) - mean) }
    return (mean, (squares / Double(values.count - 1)).squareRoot())
}
