extension Pairs {
    /// A copy of the pairs at `range`, such as what is held out of training.
    public func part(_ range: Range<Int>) throws(DiptychError) -> Pairs {
        guard range.lowerBound >= 0 && range.upperBound <= count && !range.isEmpty else {
            throw DiptychError(.invalidArgument, "pairs \(range.lowerBound) to \(range.upperBound) are asked for, but there are "
                + "\(count)")
        }
        let size = 2 * height * width, first = range.lowerBound
        var part: Buffer<Int32>?
        if let digits { part = try Buffer(copying: digits.pointer + 2 * first, count: 2 * range.count, for: "pairs") }
        return Pairs(count: range.count, height: height, width: width,
                     images: try Buffer(copying: images.pointer + size * first, count: size * range.count, for: "pairs"),
                     targets: try Buffer(copying: targets.pointer + first, count: range.count, for: "pairs"), digits: part)
    }
}
