/// The image without all that is wider than a stroke: less its opening by a square of 2 * reach + 1 pixels (the white
/// top-hat; Serra, 1982). Steps and slopes vanish, so the edge of a shadow leaves no trace; what is narrower than the square
/// keeps its height above its surroundings.
func strokes(in image: GreyImage<Float>, reach: Int) throws(DiptychError) -> GreyImage<Float> {
    let negatedMinima = try slidingMaximum(of: image, reach: reach, negated: true)
    let result = try slidingMaximum(of: negatedMinima, reach: reach, negated: true)
    let shades = result.pixels.pointer, whole = image.pixels.pointer
    for i in 0 ..< result.pixels.count { shades[i] = whole[i] - shades[i] }
    // The opening runs along the lower edge of noise; the middle of what is left is paper.
    var heights = try Histogram()
    heights.add(result)
    let middle = heights.median
    for i in 0 ..< result.pixels.count { shades[i] -= middle }
    return result
}
