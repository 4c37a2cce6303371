extension Pairs {
    /// Draws without replacement: 2 * count different images in the random order of `seed`, taken two by two and averaged by
    /// area to height x width (28x28 to 14x14 is a 2x2 mean). The target is 1 where the first label <= the second.
    public static func draw(
        from dataset: Dataset, count: Int, height: Int, width: Int, seed: UInt64
    ) throws(DiptychError) -> Pairs {
        let pixels = try pixels(count: count, height: height, width: width)
        guard let labels = dataset.labels else {
            throw DiptychError(.mismatch, "the dataset has no labels, which drawing pairs needs")
        }
        guard count <= dataset.count / 2 else {
            throw DiptychError(.invalidArgument, "count is \(count), but the dataset's \(dataset.count) images make at most "
                + "\(dataset.count / 2) pairs")
        }

        let order = try Buffer<Int>(count: 2 * count, for: "the order of pairs")
        try Random(seed: seed, purpose: .pairs).permutation(
            of: dataset.count, step: 0, into: UnsafeMutableBufferPointer(start: order.pointer, count: 2 * count))

        let images = try Buffer<Float>(count: pixels, for: "pairs")
        let targets = try Buffer<Float>(count: count, for: "pairs")
        let digits = try Buffer<Int32>(count: 2 * count, for: "pairs")
        for i in 0 ..< 2 * count {
            resampleByArea(UnsafePointer(dataset.images.pointer + order[i] * dataset.height * dataset.width),
                           height: dataset.height, width: dataset.width,
                           into: images.pointer + i * height * width, height: height, width: width)
            digits[i] = labels[order[i]]
        }
        for i in 0 ..< count { targets[i] = digits[2 * i] <= digits[2 * i + 1] ? 1 : 0 }
        return Pairs(count: count, height: height, width: width, images: images, targets: targets, digits: digits)
    }
}
