/// Whether ink is darker than the paper: the squares of what differs from the paper add up to more on ink's side, while
/// noise is alike on both. `contrast` is what `Paper.contrast` gave, 0 where there is paper.
///
/// On an uneven paper the difference is taken from the median of the half of the image around each pixel, at 64 x 64: a
/// median follows the edge of a shadow and never sees strokes, nor the gaps between them.
func inkIsDark(_ contrast: GreyImage<Float>, paperIsEven: Bool) throws(DiptychError) -> Bool {
    if paperIsEven { return darkerEnergy(contrast) > 0 }
    let side = 64
    let small = try GreyImage<Float>(height: min(side, contrast.height), width: min(side, contrast.width))
    resampleByArea(contrast.pixels.pointer, height: contrast.height, width: contrast.width, into: small.pixels.pointer,
                   height: small.height, width: small.width)
    return darkerEnergy(try withoutMedian(small)) > 0
}

/// The sum of squares below 0 less the sum of those above.
private func darkerEnergy(_ image: GreyImage<Float>) -> Double {
    var sum = 0.0
    for i in 0 ..< image.pixels.count {
        let height = Double(image.pixels[i])
        sum += height < 0 ? height * height : -height * height
    }
    return sum
}

/// The window slides along a row: its histogram gains a column on the right and loses one on the left.
private func withoutMedian(_ image: GreyImage<Float>) throws(DiptychError) -> GreyImage<Float> {
    let result = try GreyImage<Float>(height: image.height, width: image.width)
    let reachY = image.height / 4, reachX = image.width / 4
    // Contrasts of -256 ... 255 in steps of 2.
    let counts = try Buffer<Int>(count: 256, for: "a histogram")
    for row in 0 ..< image.height {
        let rows = max(row - reachY, 0) ... min(row + reachY, image.height - 1)
        var total = 0
        func count(column: Int, by change: Int) {
            guard column >= 0, column < image.width else { return }
            for y in rows { counts[Int(min(max(image.pixels[y * image.width + column] / 2 + 128, 0), 255))] += change }
            total += change * rows.count
        }
        for i in 0 ..< counts.count { counts[i] = 0 }
        for column in 0 ..< reachX { count(column: column, by: 1) }
        for column in 0 ..< image.width {
            count(column: column + reachX, by: 1)
            count(column: column - reachX - 1, by: -1)
            var step = 0, below = counts[0]
            while step < 255 && 2 * below < total {
                step += 1
                below += counts[step]
            }
            let pixel = row * image.width + column
            result.pixels[pixel] = image.pixels[pixel] - Float(2 * step - 255)
        }
    }
    return result
}
