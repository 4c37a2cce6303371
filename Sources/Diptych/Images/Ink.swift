import CDiptychPlatform

/// The least contrast, of 255 grey levels, at which ink is told from paper.
let leastContrast: Float = 10

/// The ink of an image alone: 0 where there is paper, higher the more ink, in the image's own contrast. An even paper
/// without noise is taken away exactly, and the ink on it left as it is.
///
/// Throws `blankImage`, naming `name`, where nothing stands out.
func ink(of image: GreyImage<Float>, polarity: ImageOptions.Polarity, name: String) throws(DiptychError) -> GreyImage<Float> {
    let paper = try Paper(of: image, polarity: polarity)
    try paper.takeAway(from: image)
    let contrast = try withLessNoise(image)
    let isDark = switch polarity {
    case .auto: try inkIsDark(contrast, paperIsEven: paper.isEven)
    case .darkInk: true
    case .lightInk: false
    }
    if isDark {
        let shades = contrast.pixels.pointer
        for i in 0 ..< contrast.pixels.count { shades[i] = -shades[i] }
    }
    // Strokes of up to a third of the image are kept whole.
    let ink = paper.isEven ? contrast : try strokes(in: contrast, reach: contrast.shortestSide / 6 + 1)
    return try keepInk(in: ink, paperIsEven: paper.isEven, name: name)
}

/// Averages 2x2 pixels, as long as there is noise and the image is still many times finer than the result.
private func withLessNoise(_ image: GreyImage<Float>) throws(DiptychError) -> GreyImage<Float> {
    var image = image
    while image.shortestSide >= 192 {
        var heights = try Histogram()
        heights.add(image)
        if deviation(heights) <= 2 { break }
        image = try shrink(image, by: 2)
    }
    return image
}

private func keepInk(in image: GreyImage<Float>, paperIsEven: Bool, name: String) throws(DiptychError) -> GreyImage<Float> {
    var heights = try Histogram()
    heights.add(image)
    let (threshold, level) = heights.otsu()
    let noise = paperIsEven ? 0 : deviation(heights)
    let needed = max(leastContrast, 4 * noise)
    guard level >= needed else {
        throw DiptychError(.blankImage, "\(name) shows no ink: its strongest contrast with the paper is \(text(Double(level), digits: 3))"
            + " of 255 grey levels, and \(text(Double(needed), digits: 3)) are needed")
    }
    let floor = min(try floorAway(from: threshold, in: image), 0.6 * level)
    let pixels = image.pixels.pointer
    for i in 0 ..< image.pixels.count { pixels[i] = max(pixels[i] - floor, 0) }
    try keepDigit(in: image, least: 0.03 * level + 0.5 * floor)
    return image
}

/// The standard deviation of noise, from the median of absolute values, which ink hardly moves.
private func deviation(_ heights: Histogram) -> Float { 1.4826 * heights.medianMagnitude }

/// What paper still shows (noise, texture, hard shadows) at places that are not near ink, which is what lies above
/// `threshold`. 0 where there is no such place, or paper is clean.
private func floorAway(from threshold: Float, in image: GreyImage<Float>) throws(DiptychError) -> Float {
    let highestNear = try slidingMaximum(of: image, reach: max(2, image.longestSide / 50))
    var heights = try Histogram()
    for i in 0 ..< image.pixels.count where highestNear.pixels[i] <= threshold { heights.add(image.pixels[i]) }
    guard heights.total > 0, 20 * heights.total >= image.pixels.count else { return 0 }
    return max(3.5 * deviation(heights), 1.25 * heights.quantile(0.98))
}
