extension Dataset {
    /// What height and width of an image may be.
    public static let sizes = 1 ... 256
    /// The most bytes of pixels: 4 GiB.
    public static let pixelLimit = 1 << 32

    /// A copy of images [count][height][width] and labels [count], each 0 to 999, or nil.
    public static func fromMemory(
        images: UnsafePointer<UInt8>, labels: UnsafePointer<Int32>?, count: Int, height: Int, width: Int
    ) throws(DiptychError) -> Dataset {
        try require(height, in: sizes, "height")
        try require(width, in: sizes, "width")
        guard count > 0 else { throw DiptychError(.invalidArgument, "count is \(count), but must be at least 1") }
        let size = try product(count, height, width, of: "a dataset")
        guard size <= pixelLimit else {
            throw DiptychError(.limit, "count is \(count): \(size) pixels, but at most \(pixelLimit) are allowed")
        }
        var copiedLabels: Buffer<Int32>?
        if let labels {
            for i in 0 ..< count where !(0 ... largestLabel).contains(Int(labels[i])) {
                throw DiptychError(.invalidArgument, "labels[\(i)] is \(labels[i]), but must be from 0 to \(largestLabel)")
            }
            copiedLabels = try Buffer(copying: labels, count: count, for: "labels")
        }
        return Dataset(count: count, height: height, width: width,
                       images: try Buffer(copying: images, count: size, for: "images"), labels: copiedLabels)
    }
}

extension Buffer {
    convenience init(copying source: UnsafePointer<Element>, count: Int, for what: StaticString) throws(DiptychError) {
        try self.init(count: count, for: what)
        pointer.copy(from: source, count: count)
    }
}
