/// Whether ink is darker than the paper: the squares of what differs from the paper add up to more on ink's side, while
/// noise is alike on both. `contrast` is what `Paper.takeAway` left, 0 where there is paper.
///
/// On an uneven paper the difference is taken from the median of the half of the image around each pixel, at most
/// 64 pixels a side: a median follows the edge of a shadow and never sees strokes, nor the gaps between them.
func inkIsDark(_ contrast: GreyImage<Float>, paperIsEven: Bool) throws(DiptychError) -> Bool {
    if paperIsEven { return darkerEnergy(contrast) > 0 }
    let factor = max(1, min((contrast.longestSide + 63) / 64, contrast.shortestSide))
    let small = try shrink(contrast, by: factor)
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

/// The window slides along a row: its histogram gains a column on the right and loses one on the left (Huang, 1979).
private func withoutMedian(_ image: GreyImage<Float>) throws(DiptychError) -> GreyImage<Float> {
    let result = try GreyImage<Float>(height: image.height, width: image.width)
    let reachY = image.height / 4, reachX = image.width / 4
    // Contrasts of -256 ... 255 in steps of 2.
    let steps = try GreyImage<UInt8>(height: image.height, width: image.width)
    for i in 0 ..< image.pixels.count { steps.pixels[i] = UInt8(min(max(image.pixels[i] / 2 + 128, 0), 255)) }
    let counts = try Buffer<Int32>(count: 256, for: "a histogram")
    for row in 0 ..< image.height {
        let rows = max(row - reachY, 0) ... min(row + reachY, image.height - 1)
        // `below` counts what lies in steps up to `step`, which is kept at the median.
        var total = 0, step = 0, below = 0
        func count(column: Int, by change: Int32) {
            guard column >= 0, column < image.width else { return }
            for row in rows {
                let place = Int(steps.pixels.pointer[row &* image.width &+ column])
                counts.pointer[place] &+= change
                below &+= place <= step ? Int(change) : 0
            }
            total += Int(change) * rows.count
        }
        for i in 0 ..< counts.count { counts[i] = 0 }
        for column in 0 ..< reachX { count(column: column, by: 1) }
        for column in 0 ..< image.width {
            count(column: column + reachX, by: 1)
            count(column: column - reachX - 1, by: -1)
            while step < 255 && 2 * below < total {
                step += 1
                below += Int(counts[step])
            }
            while step > 0 && 2 * (below - Int(counts[step])) >= total {
                below -= Int(counts[step])
                step -= 1
            }
            let pixel = row * image.width + column
            result.pixels[pixel] = image.pixels[pixel] - Float(2 * step - 255)
        }
    }
    return result
}
