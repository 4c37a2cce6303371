/// Erases what is not the digit: specks, and lines along the image's border. Parts are 8-connected pixels above `least`;
/// fainter pixels stay where they touch a part that is kept.
///
/// A part is a speck when it has less than 3 % of the largest part's ink. A part that touches the border is a line (a
/// frame, a ruled line, the edge of a table) when it is thin or most of it hugs the border, and when the ink that remains
/// without such parts is at least a tenth of all and keeps clear of the border.
func keepDigit(in image: GreyImage<Float>, least: Float) throws(DiptychError) {
    let labels = try label(image, above: least)
    let parts = try measure(labels, in: image)
    let largest = mass(parts) { _ in true }.most
    for i in 0 ..< parts.count where parts[i].mass < 0.03 * largest { parts[i].isKept = false }

    let all = mass(parts) { $0.isKept }.sum
    let rest = mass(parts) { $0.isKept && !$0.isLine(in: image) }
    if rest.sum >= 0.1 * all && !rest.touches {
        for i in 0 ..< parts.count where parts[i].isLine(in: image) { parts[i].isKept = false }
    }
    erase(labels, parts, in: image)
}

/// Connected pixels, and where they lie.
private struct Part: BitwiseCopyable {
    var mass: Double
    /// The mass within the border band, a sixteenth of the image's shorter side.
    var bandMass: Double
    var top: Int32, bottom: Int32, left: Int32, right: Int32
    var touchesBorder: Bool
    var isKept: Bool

    func isLine(in image: GreyImage<Float>) -> Bool {
        let thin = 5 * (bottom - top + 1) <= image.height || 5 * (right - left + 1) <= image.width
        return touchesBorder && (thin || bandMass >= 0.5 * mass)
    }
}

private func mass(_ parts: Buffer<Part>, where counts: (Part) -> Bool) -> (sum: Double, most: Double, touches: Bool) {
    var sum = 0.0, most = 0.0, touches = false
    for i in 0 ..< parts.count where counts(parts[i]) {
        sum += parts[i].mass
        most = max(most, parts[i].mass)
        touches = touches || parts[i].touchesBorder
    }
    return (sum, most, touches)
}

/// A number from 1 for every part, 0 elsewhere, and how many there are.
private func label(_ image: GreyImage<Float>, above least: Float) throws(DiptychError) -> (pixels: Buffer<Int32>, count: Int) {
    let labels = try Buffer<Int32>(count: image.pixels.count, for: "an image's parts")
    let stack = try Buffer<Int32>(count: image.pixels.count, for: "an image's parts")
    var count = 0
    for seed in 0 ..< labels.count where labels[seed] == 0 && image.pixels[seed] > least {
        count += 1
        labels[seed] = Int32(count)
        // Every pixel is put on the stack at most once, when it gets its number.
        stack[0] = Int32(seed)
        var depth = 1
        while depth > 0 {
            depth -= 1
            let pixel = Int(stack[depth])
            eachNeighbour(of: pixel, in: image) { other in
                if labels[other] == 0 && image.pixels[other] > least {
                    labels[other] = Int32(count)
                    stack[depth] = Int32(other)
                    depth += 1
                }
            }
        }
    }
    return (labels, count)
}

@inline(__always)
private func eachNeighbour(of pixel: Int, in image: GreyImage<Float>, _ body: (Int) -> Void) {
    let row = pixel / image.width, column = pixel % image.width
    for y in max(row - 1, 0) ... min(row + 1, image.height - 1) {
        for x in max(column - 1, 0) ... min(column + 1, image.width - 1) { body(y * image.width + x) }
    }
}

private func measure(_ labels: (pixels: Buffer<Int32>, count: Int), in image: GreyImage<Float>) throws(DiptychError) -> Buffer<Part> {
    let parts = try Buffer<Part>(count: labels.count, for: "an image's parts")
    for i in 0 ..< parts.count {
        parts[i] = Part(mass: 0, bandMass: 0, top: .max, bottom: 0, left: .max, right: 0, touchesBorder: false, isKept: true)
    }
    let band = max(1, image.shortestSide / 16)
    for row in 0 ..< image.height {
        for column in 0 ..< image.width {
            let pixel = row * image.width + column
            let number = Int(labels.pixels[pixel])
            if number == 0 { continue }
            let margin = min(row, column, image.height - 1 - row, image.width - 1 - column)
            let shade = Double(image.pixels[pixel])
            var part = parts[number - 1]
            part.mass += shade
            if margin < band { part.bandMass += shade }
            if margin == 0 { part.touchesBorder = true }
            part.top = min(part.top, Int32(row))
            part.bottom = max(part.bottom, Int32(row))
            part.left = min(part.left, Int32(column))
            part.right = max(part.right, Int32(column))
            parts[number - 1] = part
        }
    }
    return parts
}

private func erase(_ labels: (pixels: Buffer<Int32>, count: Int), _ parts: Buffer<Part>, in image: GreyImage<Float>) {
    for pixel in 0 ..< image.pixels.count where image.pixels[pixel] > 0 {
        var number = Int(labels.pixels[pixel])
        if number == 0 {
            eachNeighbour(of: pixel, in: image) { other in
                let candidate = Int(labels.pixels[other])
                if candidate > 0 && parts[candidate - 1].isKept { number = candidate }
            }
        }
        if number == 0 || !parts[number - 1].isKept { image.pixels[pixel] = 0 }
    }
}
