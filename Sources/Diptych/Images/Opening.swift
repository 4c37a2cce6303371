/// The image without all that is wider than a stroke: less its opening by a square of 2 * reach + 1 pixels (the white
/// top-hat; Serra, 1982). Steps and slopes vanish, so the edge of a shadow leaves no trace; what is narrower than the square
/// keeps its height above its surroundings.
func strokes(in image: GreyImage<Float>, reach: Int) throws(DiptychError) -> GreyImage<Float> {
    let opened = try GreyImage<Float>(height: image.height, width: image.width)
    let count = image.pixels.count
    for i in 0 ..< count { opened.pixels[i] = -image.pixels[i] }
    try slideMaximum(over: opened, reach: reach)
    for i in 0 ..< count { opened.pixels[i] = -opened.pixels[i] }
    try slideMaximum(over: opened, reach: reach)
    var heights = try Histogram()
    for i in 0 ..< count {
        opened.pixels[i] = image.pixels[i] - opened.pixels[i]
        heights.add(opened.pixels[i])
    }
    // The opening runs along the lower edge of noise; the middle of what is left is paper.
    let middle = heights.median
    for i in 0 ..< count { opened.pixels[i] -= middle }
    return opened
}

/// Every pixel becomes the highest within `reach` rows and columns.
private func slideMaximum(over image: GreyImage<Float>, reach: Int) throws(DiptychError) {
    let scratch = try Buffer<Float>(count: 3 * (image.longestSide + 2 * reach), for: "an image")
    for row in 0 ..< image.height {
        slideMaximum(image.pixels.pointer + row * image.width, count: image.width, stride: 1, reach: reach, scratch: scratch)
    }
    for column in 0 ..< image.width {
        slideMaximum(image.pixels.pointer + column, count: image.height, stride: image.width, reach: reach, scratch: scratch)
    }
}

/// In three comparisons a pixel, whatever the reach (van Herk, 1992): a window reaches over at most two blocks of its own
/// length, so its maximum is that of one block's end and of the next one's beginning.
private func slideMaximum(_ line: UnsafeMutablePointer<Float>, count: Int, stride: Int, reach: Int, scratch: Buffer<Float>) {
    let length = 2 * reach + 1, padded = count + 2 * reach
    let values = scratch.pointer, fromStart = values + padded, fromEnd = fromStart + padded
    for i in 0 ..< padded {
        let index = i - reach
        values[i] = index < 0 || index >= count ? -.infinity : line[index * stride]
        fromStart[i] = i % length == 0 ? values[i] : max(values[i], fromStart[i - 1])
    }
    for i in (0 ..< padded).reversed() {
        fromEnd[i] = i == padded - 1 || i % length == length - 1 ? values[i] : max(values[i], fromEnd[i + 1])
    }
    for i in 0 ..< count { line[i * stride] = max(fromEnd[i], fromStart[i + 2 * reach]) }
}
