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

private func withoutMedian(_ image: GreyImage<Float>) throws(DiptychError) -> GreyImage<Float> {
    let result = try GreyImage<Float>(height: image.height, width: image.width)
    let reachY = image.height / 4, reachX = image.width / 4
    // Contrasts of -256 ... 255 in steps of 2.
    let counts = try Buffer<Int32>(count: 256, for: "a histogram")
    for row in 0 ..< image.height {
        for column in 0 ..< image.width {
            for i in 0 ..< counts.count { counts[i] = 0 }
            var total = 0
            for y in max(row - reachY, 0) ... min(row + reachY, image.height - 1) {
                for x in max(column - reachX, 0) ... min(column + reachX, image.width - 1) {
                    counts[Int(min(max(image.pixels[y * image.width + x] / 2 + 128, 0), 255))] += 1
                    total += 1
                }
            }
            var below = 0, step = 0
            while step < 255 {
                below += Int(counts[step])
                if 2 * below >= total { break }
                step += 1
            }
            result.pixels[row * image.width + column] = image.pixels[row * image.width + column] - Float(2 * step - 255)
        }
    }
    return result
}
