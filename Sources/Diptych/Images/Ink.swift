import CDiptychPlatform

/// The least contrast, of 255 grey levels, at which ink is told from paper.
let leastContrast: Float = 10

/// The ink of an image alone: 0 where there is paper, higher the more ink, in the image's own contrast. An even paper
/// without noise is taken away exactly, and the ink on it left as it is.
///
/// Throws `blankImage`, naming `name`, where nothing stands out.
func ink(of image: GreyImage<Float>, polarity: ImageOptions.Polarity, name: String) throws(DiptychError) -> GreyImage<Float> {
    let pixels = image.pixels
    if polarity == .darkInk {
        for i in 0 ..< pixels.count { pixels[i] = 255 - pixels[i] }
    }
    let paper = try Paper(of: image, lightInk: polarity != .auto)
    for row in 0 ..< image.height {
        for column in 0 ..< image.width { pixels[row * image.width + column] -= paper.shade(row: row, column: column) }
    }
    if polarity == .auto, darkerSideIsInk(pixels) {
        for i in 0 ..< pixels.count { pixels[i] = -pixels[i] }
    }

    var distances = try Histogram(), heights = try Histogram()
    for i in 0 ..< pixels.count {
        distances.add(abs(pixels[i]))
        heights.add(pixels[i])
    }
    let (threshold, level) = heights.otsu()
    let noise = deviation(distances)
    let needed = max(leastContrast, 5 * noise)
    guard level >= needed else {
        throw DiptychError(.blankImage, "\(name) shows no ink: its strongest contrast with the paper is \(text(Double(level), digits: 3))"
            + " of 255 grey levels, and \(text(Double(needed), digits: 3)) are needed")
    }
    let floor = min(try floorAway(from: threshold, in: image), 0.6 * level)
    for i in 0 ..< pixels.count { pixels[i] = max(pixels[i] - floor, 0) }
    try keepDigit(in: image, least: 0.03 * level)
    return image
}

/// The standard deviation of noise, from the median of absolute values, which ink hardly moves.
private func deviation(_ distances: Histogram) -> Float { 1.4826 * distances.median }

/// Ink is on the side of the paper where the squares add up to more; paper's own noise is alike on both.
private func darkerSideIsInk(_ pixels: Buffer<Float>) -> Bool {
    var darker = 0.0, lighter = 0.0
    for i in 0 ..< pixels.count {
        let square = Double(pixels[i]) * Double(pixels[i])
        if pixels[i] < 0 { darker += square } else { lighter += square }
    }
    return darker > lighter
}

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
    return max(3.5 * deviation(distances), heights.quantile(0.95))
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
