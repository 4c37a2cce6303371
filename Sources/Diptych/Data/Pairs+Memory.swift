extension Pairs {
    /// A copy of the host's pairs: images [count][2][height][width]; targets [count], each 0 or 1; digits [count][2], each
    /// 0 to 999, or nil. Without targets they are made from the digits: 1 where the first <= the second.
    public static func fromMemory(
        images: UnsafePointer<Float>, targets: UnsafePointer<Float>?, digits: UnsafePointer<Int32>?,
        count: Int, height: Int, width: Int
    ) throws(DiptychError) -> Pairs {
        let pixels = try pixels(count: count, height: height, width: width)
        guard targets != nil || digits != nil else {
            throw DiptychError(.invalidArgument, "targets and digits are both missing: one of them must be given")
        }
        // Memory first: a count that is a mistake is refused here, before it is read.
        let copiedImages = try Buffer<Float>(count: pixels, for: "pairs")
        let size = height * width
        if let i = indexOfNotFinite(images, pixels) {
            throw DiptychError(.invalidArgument, "images: pair \(i / (2 * size)), image \(i / size % 2), pixel "
                + "\(i % size) is \(text(images[i])), but must be finite")
        }
        if let digits {
            for i in 0 ..< 2 * count where !(0 ... Dataset.largestLabel).contains(Int(digits[i])) {
                throw DiptychError(.invalidArgument, "digits[\(i / 2)][\(i % 2)] is \(digits[i]), but must be from 0 to "
                    + "\(Dataset.largestLabel)")
            }
        }
        if let targets {
            for i in 0 ..< count where targets[i] != 0 && targets[i] != 1 {
                throw DiptychError(.invalidArgument, "targets[\(i)] is \(text(targets[i])), but must be 0 or 1")
            }
        }

        let copiedTargets = try Buffer<Float>(count: count, for: "pairs")
        for i in 0 ..< count {
            if let targets {
                copiedTargets[i] = targets[i]
            } else if let digits {
                copiedTargets[i] = digits[2 * i] <= digits[2 * i + 1] ? 1 : 0
            }
        }
        var copiedDigits: Buffer<Int32>?
        if let digits { copiedDigits = try Buffer(copying: digits, count: 2 * count, for: "pairs") }
        copiedImages.pointer.copy(from: images, count: pixels)
        return Pairs(count: count, height: height, width: width, images: copiedImages, targets: copiedTargets,
                     digits: copiedDigits)
    }
}
