/// MNIST's recipe: a 28x28 canvas with one digit, ink high.
///
/// The paper is taken away and the digit kept (`ink`), cropped, fitted into 20x20 with its aspect kept (area resampling),
/// and moved by whole pixels so that its centre of mass lies in the pixel right and below of the canvas's middle, where
/// MNIST has it. A digit of MNIST passes unchanged, but that its strokes are brought to 255.
///
/// Throws `blankImage`, naming `name`, and `outOfMemory`.
func digitCanvas(_ image: GreyImage<UInt8>, polarity: ImageOptions.Polarity, name: String) throws(DiptychError) -> GreyImage<Float> {
    let (ink, box) = try findInk(in: image, polarity: polarity, name: name)
    let longest = max(box.height, box.width)
    // Cells of longest / boxSide pixels; the last one of the shorter side may reach over the box's edge.
    let rows = Grid(count: (box.height * boxSide + longest - 1) / longest, origin: box.top, numerator: longest, denominator: boxSide)
    let columns = Grid(count: (box.width * boxSide + longest - 1) / longest, origin: box.left, numerator: longest, denominator: boxSide)
    let digit = try GreyImage<Float>(height: rows.count, width: columns.count)
    resample(ink.pixels.pointer, height: ink.height, width: ink.width, into: digit.pixels.pointer, rows: rows, columns: columns)
    try raiseToFull(digit)

    let centre = centreOfMass(digit)
    let top = min(max(canvasSide / 2 - Int(centre.y), 0), canvasSide - digit.height)
    let left = min(max(canvasSide / 2 - Int(centre.x), 0), canvasSide - digit.width)
    let canvas = try GreyImage<Float>(height: canvasSide, width: canvasSide)
    for row in 0 ..< digit.height {
        for column in 0 ..< digit.width {
            canvas.pixels[(top + row) * canvasSide + left + column] = digit.pixels[row * digit.width + column]
        }
    }
    return canvas
}

private let canvasSide = 28
private let boxSide = 20

/// Beyond this side an image only costs time: it is averaged down first.
private let largestWorkingSide = 1024
/// And to this side or less, as long as the digit that is found stays twice as large as its place on the canvas.
private let quickWorkingSide = 256

private func findInk(in image: GreyImage<UInt8>, polarity: ImageOptions.Polarity,
                     name: String) throws(DiptychError) -> (ink: GreyImage<Float>, box: Box) {
    let factor = (image.longestSide + quickWorkingSide - 1) / quickWorkingSide
    // A strip, or a digit that is too small or too faint to be seen from afar, is looked at closely.
    if factor > 1 && image.shortestSide >= 64 * factor {
        do throws(DiptychError) {
            let ink = try ink(of: shrink(image, by: factor), polarity: polarity, name: name)
            let box = inkBox(ink)
            if max(box.height, box.width) >= 2 * boxSide { return (ink, box) }
        } catch {
            guard error.status == .blankImage else { throw error }
        }
    }
    let ink = try ink(of: workingImage(image), polarity: polarity, name: name)
    return (ink, inkBox(ink))
}

private func workingImage(_ image: GreyImage<UInt8>) throws(DiptychError) -> GreyImage<Float> {
    let longest = image.longestSide
    if longest <= largestWorkingSide { return try shrink(image, by: 1) }
    let working = try GreyImage<Float>(height: max(1, image.height * largestWorkingSide / longest),
                                       width: max(1, image.width * largestWorkingSide / longest))
    resampleByArea(image.pixels.pointer, height: image.height, width: image.width, into: working.pixels.pointer,
                   height: working.height, width: working.width)
    return working
}

private typealias Box = (top: Int, left: Int, height: Int, width: Int)

/// The smallest box that holds all ink; the whole image where there is none.
private func inkBox(_ ink: GreyImage<Float>) -> Box {
    var top = ink.height, bottom = -1, left = ink.width, right = -1
    for row in 0 ..< ink.height {
        for column in 0 ..< ink.width where ink.pixels[row * ink.width + column] > 0 {
            top = min(top, row)
            bottom = row
            left = min(left, column)
            right = max(right, column)
        }
    }
    return bottom < 0 ? (0, 0, ink.height, ink.width) : (top, left, bottom - top + 1, right - left + 1)
}

/// In pixels from the top left corner; the middle where there is no ink.
private func centreOfMass(_ digit: GreyImage<Float>) -> (y: Double, x: Double) {
    var mass = 0.0, momentY = 0.0, momentX = 0.0
    for row in 0 ..< digit.height {
        for column in 0 ..< digit.width {
            let shade = Double(digit.pixels[row * digit.width + column])
            mass += shade
            momentY += shade * (Double(row) + 0.5)
            momentX += shade * (Double(column) + 0.5)
        }
    }
    guard mass > 0 else { return (Double(digit.height) / 2, Double(digit.width) / 2) }
    return (momentY / mass, momentX / mass)
}

/// Scales shades so that the strokes' cores are full ink, 255, as MNIST's are: the nine tenths quantile of all that is
/// over half of the highest shade.
private func raiseToFull(_ digit: GreyImage<Float>) throws(DiptychError) {
    var highest: Float = 0
    for i in 0 ..< digit.pixels.count { highest = max(highest, digit.pixels[i]) }
    var strokes = try Histogram()
    for i in 0 ..< digit.pixels.count where digit.pixels[i] > highest / 2 { strokes.add(digit.pixels[i]) }
    let core = max(strokes.quantile(0.9), highest / 2)
    guard core > 0 else { return }
    for i in 0 ..< digit.pixels.count { digit.pixels[i] = min(digit.pixels[i] / core * 255, 255) }
}
