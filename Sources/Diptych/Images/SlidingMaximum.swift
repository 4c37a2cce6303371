/// Every pixel becomes the highest within `reach` rows and columns; of the negated image where `negated`, which makes the
/// negated minima.
func slidingMaximum(of image: GreyImage<Float>, reach: Int, negated: Bool = false) throws(DiptychError) -> GreyImage<Float> {
    let width = image.width, length = 2 * reach + 1
    let result = try GreyImage<Float>(height: image.height, width: width)
    // A row with `reach` columns more on each side, then the image with as many rows more above and below.
    let line = try Buffer<Float>(count: width + 2 * reach, for: "an image")
    let rows = try GreyImage<Float>(height: image.height + 2 * reach, width: width)
    for i in 0 ..< reach * width {
        rows.pixels[i] = -.infinity
        rows.pixels[rows.pixels.count - 1 - i] = -.infinity
    }
    for row in 0 ..< image.height {
        let source = image.pixels.pointer + row * width, padded = line.pointer + reach
        for i in 0 ..< reach {
            line[i] = -.infinity
            line[line.count - 1 - i] = -.infinity
        }
        for column in 0 ..< width { padded[column] = negated ? -source[column] : source[column] }
        takeMaxima(line.pointer, count: line.count, stride: 1, length: length)
        (rows.pixels.pointer + (row + reach) * width).copy(from: line.pointer, count: width)
    }
    takeMaxima(rows.pixels.pointer, count: rows.pixels.count, stride: width, length: length)
    result.pixels.pointer.copy(from: rows.pixels.pointer, count: result.pixels.count)
    return result
}

/// Element i becomes the highest of i, i + stride, ... of `length` elements; elements that have fewer are left in any state.
///
/// By doubling: maxima of 2 m elements are those of two neighbouring runs of m. That is a pass for each binary digit of
/// `length`, but of nothing except loads and comparisons of neighbours, eight at once.
private func takeMaxima(_ values: UnsafeMutablePointer<Float>, count: Int, stride: Int, length: Int) {
    var covered = 1
    while covered < length {
        let step = min(covered, length - covered)
        raise(values, to: values + step * stride, count: count - (covered + step - 1) * stride)
        covered += step
    }
}

/// values[i] = max(values[i], later[i]), where `later` may be the same memory further on.
private func raise(_ values: UnsafeMutablePointer<Float>, to later: UnsafePointer<Float>, count: Int) {
    var i = 0
    while i + 8 <= count {
        let a = values.vector(i), b = later.vector(i)
        values.store(a.replacing(with: b, where: b .> a), i)
        i += 8
    }
    while i < count {
        values[i] = max(values[i], later[i])
        i += 1
    }
}
