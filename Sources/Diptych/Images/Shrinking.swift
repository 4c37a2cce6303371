/// The means of squares of `factor` x `factor` pixels; rows and columns that fill no square are left out. `factor` is at
/// most the image's shortest side.
func shrink<Source: Shade>(_ image: GreyImage<Source>, by factor: Int) throws(DiptychError) -> GreyImage<Float> {
    let result = try GreyImage<Float>(height: image.height / factor, width: image.width / factor)
    let used = result.width * factor
    // Sums of columns first: neighbouring pixels into neighbouring sums.
    let sums = try Buffer<Float>(count: used, for: "an image")
    let line = sums.pointer, scale = 1 / Float(factor * factor)
    for row in 0 ..< result.height {
        for y in row * factor ..< (row + 1) * factor {
            let source = image.pixels.pointer + y * image.width
            if y == row * factor {
                for x in 0 ..< used { line[x] = source[x].asFloat }
            } else {
                for x in 0 ..< used { line[x] += source[x].asFloat }
            }
        }
        let target = result.pixels.pointer + row * result.width
        for column in 0 ..< result.width {
            var sum: Float = 0
            for x in column * factor ..< (column + 1) * factor { sum += line[x] }
            target[column] = sum * scale
        }
    }
    return result
}
