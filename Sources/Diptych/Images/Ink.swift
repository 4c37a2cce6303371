import CDiptychPlatform

/// The least contrast, of 255 grey levels, at which ink is told from paper.
let leastContrast: Float = 10

/// The ink of an image alone: 0 where there is paper, higher the more ink, in the image's own contrast. An even paper
/// without noise is taken away exactly, and the ink on it left as it is.
///
/// Throws `blankImage`, naming `name`, where nothing stands out.
func ink(of image: GreyImage<Float>, polarity: ImageOptions.Polarity, name: String) throws(DiptychError) -> GreyImage<Float> {
    let paper = try Paper(of: image, polarity: polarity)
    for row in 0 ..< image.height {
        for column in 0 ..< image.width {
            let pixel = row * image.width + column
            image.pixels[pixel] = paper.contrast(image.pixels[pixel], row: row, column: column)
        }
    }
    let contrast = try withLessNoise(image)
    let isDark = switch polarity {
    case .auto: try inkIsDark(contrast, paperIsEven: paper.isEven)
    case .darkInk: true
    case .lightInk: false
    }
    if isDark {
        for i in 0 ..< contrast.pixels.count { contrast.pixels[i] = -contrast.pixels[i] }
    }
    // Strokes of up to a third of the image are kept whole.
    let ink = paper.isEven ? contrast : try strokes(in: contrast, reach: contrast.shortestSide / 6 + 1)
    return try keepInk(in: ink, paperIsEven: paper.isEven, name: name)
}

/// Averages 2x2 pixels, as long as there is noise and the image is still many times finer than the result.
private func withLessNoise(_ image: GreyImage<Float>) throws(DiptychError) -> GreyImage<Float> {
    var image = image
    while image.shortestSide >= 192 {
        var distances = try Histogram()
        for i in 0 ..< image.pixels.count { distances.add(abs(image.pixels[i])) }
        if deviation(distances) <= 2 { break }
        let half = try GreyImage<Float>(height: image.height / 2, width: image.width / 2)
        resampleByArea(image.pixels.pointer, height: image.height, width: image.width, into: half.pixels.pointer,
                       height: half.height, width: half.width)
        image = half
    }
    return image
}

private func keepInk(in image: GreyImage<Float>, paperIsEven: Bool, name: String) throws(DiptychError) -> GreyImage<Float> {
    let pixels = image.pixels
    var distances = try Histogram(), heights = try Histogram()
    for i in 0 ..< pixels.count {
        distances.add(abs(pixels[i]))
        heights.add(pixels[i])
    }
    let (threshold, level) = heights.otsu()
    let noise = paperIsEven ? 0 : deviation(distances)
    let needed = max(leastContrast, 4 * noise)
    guard level >= needed else {
        throw DiptychError(.blankImage, "\(name) shows no ink: its strongest contrast with the paper is \(text(Double(level), digits: 3))"
            + " of 255 grey levels, and \(text(Double(needed), digits: 3)) are needed")
    }
    let floor = min(try floorAway(from: threshold, in: image), 0.6 * level)
    for i in 0 ..< pixels.count { pixels[i] = max(pixels[i] - floor, 0) }
    try keepDigit(in: image, least: 0.03 * level + 0.5 * floor)
    return image
}

/// The standard deviation of noise, from the median of absolute values, which ink hardly moves.
private func deviation(_ distances: Histogram) -> Float { 1.4826 * distances.median }

/// What paper still shows (noise, texture, hard shadows) at places that are not near ink, which is what lies above
/// `threshold`. 0 where there is no such place, or paper is clean.
private func floorAway(from threshold: Float, in image: GreyImage<Float>) throws(DiptychError) -> Float {
    let reach = max(2, image.longestSide / 50)
    let near = try GreyImage<UInt8>(height: image.height, width: image.width)
    for i in 0 ..< image.pixels.count where image.pixels[i] > threshold { near.pixels[i] = 1 }
    for row in 0 ..< image.height {
        spread(near.pixels.pointer + row * image.width, count: image.width, stride: 1, reach: reach)
    }
    for column in 0 ..< image.width {
        spread(near.pixels.pointer + column, count: image.height, stride: image.width, reach: reach)
    }
    var distances = try Histogram(), heights = try Histogram()
    for i in 0 ..< image.pixels.count where near.pixels[i] == 0 {
        distances.add(abs(image.pixels[i]))
        heights.add(image.pixels[i])
    }
    guard heights.total > 0, 20 * heights.total >= image.pixels.count else { return 0 }
    return max(3.5 * deviation(distances), 1.25 * heights.quantile(0.98))
}

/// Marks every element of a line that is within `reach` of a marked one.
private func spread(_ line: UnsafeMutablePointer<UInt8>, count: Int, stride: Int, reach: Int) {
    var left = 0
    // Bit 0 is an own mark; bit 1 is set by marks before it, and read by neither pass.
    for i in 0 ..< count {
        if line[i * stride] & 1 == 1 { left = reach } else if left > 0 {
            left -= 1
            line[i * stride] |= 2
        }
    }
    left = 0
    for i in (0 ..< count).reversed() {
        if line[i * stride] & 1 == 1 { left = reach } else if left > 0 {
            left -= 1
            line[i * stride] |= 2
        }
    }
    for i in 0 ..< count where line[i * stride] != 0 { line[i * stride] = 1 }
}
