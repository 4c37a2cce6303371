import CDiptychPlatform

/// The shade of the paper at every place: one shade where most pixels of the image or of its border are alike, else a
/// quadratic surface, which follows lamps, vignettes and soft shadows.
struct Paper {
    /// Of 1, u, v, u^2, u v, v^2, where u and v run from -1 to 1 across the image.
    private var terms: (Double, Double, Double, Double, Double, Double)
    private let height: Int
    private let width: Int
    /// What most of the paper shows.
    private let commonShade: Float
    let isEven: Bool

    /// How much lighter (or darker, below 0) than its paper a shade is. Half the light halves paper and ink alike, so on an
    /// uneven paper the difference is brought to what it would be where paper has its common shade.
    func contrast(_ value: Float, row: Int, column: Int) -> Float {
        let paper = shade(row: row, column: column)
        return isEven ? value - paper : (value - paper) * min(commonShade / max(paper, 1), 3)
    }

    func shade(row: Int, column: Int) -> Float {
        if isEven { return Float(terms.0) }
        let basis = basis(row: row, column: column)
        let sum = terms.0 + terms.1 * basis.1 + terms.2 * basis.2 + terms.3 * basis.3 + terms.4 * basis.4 + terms.5 * basis.5
        return Float(min(max(sum, 0), 255))
    }

    private func basis(row: Int, column: Int) -> (Double, Double, Double, Double, Double, Double) {
        let u = Double(2 * column + 1 - width) / Double(width), v = Double(2 * row + 1 - height) / Double(height)
        return (1, u, v, u * u, u * v, v * v)
    }

    /// Paper is what most pixels show. The one shade to begin with is the middle of three medians: of the outermost ring,
    /// of the border band (a tenth of the image on each side) and of the whole. No frame line, no digit that touches the
    /// border and no thick digit can win two of them. With light ink it is the darkest of the three, with dark ink the
    /// lightest.
    init(of image: GreyImage<Float>, polarity: ImageOptions.Polarity) throws(DiptychError) {
        height = image.height
        width = image.width
        let ring = try Paper.borderMedian(image, thickness: 1)
        let band = try Paper.borderMedian(image, thickness: max(1, image.shortestSide / 10))
        let whole = try Paper.borderMedian(image, thickness: image.shortestSide)
        let darkest = min(ring, band, whole), lightest = max(ring, band, whole)
        let shade = switch polarity {
        case .auto: ring + band + whole - darkest - lightest
        case .darkInk: lightest
        case .lightInk: darkest
        }
        commonShade = shade
        terms = (Double(shade), 0, 0, 0, 0, 0)

        // A drawing or a scan made clean shows exactly one shade on most of its pixels or of its border; a photo never does.
        let onBorder = try Paper.isMostly(shade, image, thickness: 1)
        let everywhere = try Paper.isMostly(shade, image, thickness: image.shortestSide)
        isEven = onBorder || everywhere
        if !isEven { try fitSurface(to: image) }
    }

    private static func borderMedian(_ image: GreyImage<Float>, thickness: Int) throws(DiptychError) -> Float {
        var shades = try Histogram()
        eachBorderPixel(image, thickness) { shades.add($0) }
        return shades.median
    }

    private static func isMostly(_ shade: Float, _ image: GreyImage<Float>, thickness: Int) throws(DiptychError) -> Bool {
        var distances = try Histogram()
        eachBorderPixel(image, thickness) { distances.add(abs($0 - shade)) }
        return distances.median <= 0.5
    }

    private static func eachBorderPixel(_ image: GreyImage<Float>, _ thickness: Int, _ body: (Float) -> Void) {
        for row in 0 ..< image.height {
            let inBand = row < thickness || row >= image.height - thickness
            for column in 0 ..< image.width where inBand || column < thickness || column >= image.width - thickness {
                body(image.pixels[row * image.width + column])
            }
        }
    }

    /// Least squares over a grid of at most 64 x 64 pixels, weighted anew in every round by Tukey's biweight of the last
    /// residuals, so that ink loses its say.
    private mutating func fitSurface(to image: GreyImage<Float>) throws(DiptychError) {
        let rowStep = (height + 63) / 64, columnStep = (width + 63) / 64
        for _ in 0 ..< 12 {
            var residuals = try Histogram()
            eachSample(rowStep, columnStep) { row, column in
                residuals.add(abs(image.pixels[row * width + column] - shade(row: row, column: column)))
            }
            // 1.4826 times the median residual estimates a normal deviation; 4.685 of them is Tukey's usual cut.
            let cut = max(4.685 * 1.4826 * Double(residuals.median), 4)
            var equations = NormalEquations()
            eachSample(rowStep, columnStep) { row, column in
                let value = image.pixels[row * width + column]
                let distance = Double(value - shade(row: row, column: column)) / cut
                if abs(distance) < 1 {
                    let weight = (1 - distance * distance) * (1 - distance * distance)
                    equations.add(basis(row: row, column: column), value: Double(value), weight: weight)
                }
            }
            terms = equations.solution
        }
    }

    private func eachSample(_ rowStep: Int, _ columnStep: Int, _ body: (_ row: Int, _ column: Int) -> Void) {
        for row in stride(from: rowStep / 2, to: height, by: rowStep) {
            for column in stride(from: columnStep / 2, to: width, by: columnStep) { body(row, column) }
        }
    }
}

/// Weighted least squares in six unknowns.
private struct NormalEquations {
    private typealias Row = SIMD8<Double>
    private var rows: (Row, Row, Row, Row, Row, Row) = (.zero, .zero, .zero, .zero, .zero, .zero)

    mutating func add(_ basis: (Double, Double, Double, Double, Double, Double), value: Double, weight: Double) {
        let row = Row(basis.0, basis.1, basis.2, basis.3, basis.4, basis.5, value, 0) * weight
        rows.0 += row * basis.0
        rows.1 += row * basis.1
        rows.2 += row * basis.2
        rows.3 += row * basis.3
        rows.4 += row * basis.4
        rows.5 += row * basis.5
    }

    /// Gaussian elimination. A little is added to the diagonal but for the constant's, so that an image of one row or
    /// column, whose surface is not determined, has the flattest.
    var solution: (Double, Double, Double, Double, Double, Double) {
        var rows = rows
        return withUnsafeMutableBytes(of: &rows) { bytes in
            let m = bytes.assumingMemoryBound(to: Row.self)
            let ridge = 1e-6 * m[0][0] + 1e-12
            for i in 0 ..< 6 { m[i][i] += i == 0 ? 1e-12 : ridge }
            // The matrix is symmetric and positive definite: no pivoting is needed.
            for pivot in 0 ..< 6 {
                m[pivot] /= m[pivot][pivot]
                for other in 0 ..< 6 where other != pivot { m[other] -= m[pivot] * m[other][pivot] }
            }
            return (m[0][6], m[1][6], m[2][6], m[3][6], m[4][6], m[5][6])
        }
    }
}
