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

    /// Leaves how much lighter (or darker, below 0) than its paper each pixel is. Half the light halves paper and ink alike, so
    /// on an uneven paper the difference is brought to what it would be where paper has its common shade.
    func takeAway(from image: GreyImage<Float>) throws(DiptychError) {
        if isEven {
            let shades = image.pixels.pointer
            for i in 0 ..< image.pixels.count { shades[i] -= commonShade }
            return
        }
        let places = try Buffer<Float>(count: width, for: "an image"), u = places.pointer
        for column in 0 ..< width { u[column] = Float(place(column, of: width)) }
        for row in 0 ..< height {
            let line = image.pixels.pointer + row * width, (a, b, c) = parabola(v: place(row, of: height))
            for column in 0 ..< width {
                let paper = min(max(a + u[column] * (b + u[column] * c), 0), 255)
                line[column] = (line[column] - paper) * min(commonShade / max(paper, 1), 3)
            }
        }
    }

    /// The surface along a row: a + b u + c u^2.
    private func parabola(v: Double) -> (a: Float, b: Float, c: Float) {
        (Float(terms.0 + terms.2 * v + terms.5 * v * v), Float(terms.1 + terms.4 * v), Float(terms.3))
    }

    /// Paper is what most pixels show. The one shade to begin with is the middle of three medians: of the outermost ring,
    /// of the border band (a tenth of the image on each side) and of the whole. No frame line, no digit that touches the
    /// border and no thick digit can win two of them. With light ink it is the darkest of the three, with dark ink the
    /// lightest.
    init(of image: GreyImage<Float>, polarity: ImageOptions.Polarity) throws(DiptychError) {
        height = image.height
        width = image.width
        let ring = try Paper.borderShades(image, thickness: 1)
        let band = try Paper.borderShades(image, thickness: max(1, image.shortestSide / 10)).median
        var whole = try Histogram()
        whole.add(image)
        let darkest = min(ring.median, band, whole.median), lightest = max(ring.median, band, whole.median)
        let shade = switch polarity {
        case .auto: ring.median + band + whole.median - darkest - lightest
        case .darkInk: lightest
        case .lightInk: darkest
        }
        commonShade = shade
        terms = (Double(shade), 0, 0, 0, 0, 0)

        // A drawing or a scan made clean shows exactly one shade on most of its pixels or of its border; a photo never does.
        isEven = ring.isMostly(shade) || whole.isMostly(shade)
        if !isEven { try fitSurface(to: image) }
    }

    private static func borderShades(_ image: GreyImage<Float>, thickness: Int) throws(DiptychError) -> Histogram {
        var shades = try Histogram()
        let across = min(thickness, image.width)
        for row in 0 ..< image.height {
            let line = image.pixels.pointer + row * image.width
            if row < thickness || row >= image.height - thickness || 2 * across >= image.width {
                shades.add(line, count: image.width)
            } else {
                shades.add(line, count: across)
                shades.add(line + image.width - across, count: across)
            }
        }
        return shades
    }

    /// Least squares over a grid of at most 64 x 64 pixels, weighted anew in every round by Tukey's biweight of the last
    /// residuals, so that ink loses its say.
    private mutating func fitSurface(to image: GreyImage<Float>) throws(DiptychError) {
        let grid = try SampledGrid(of: image)
        for _ in 0 ..< 12 {
            var residuals = try Histogram()
            for row in 0 ..< grid.rows {
                let (a, b, c) = parabola(v: grid.v(row))
                grid.updateResiduals(row) { u in
                    let paper = a + u * (b + u * c)
                    return paper.replacing(with: 0, where: paper .< 0).replacing(with: 255, where: paper .> 255)
                }
                residuals.add(grid.residuals(row), count: grid.columns)
            }
            // 1.4826 times the median residual estimates a normal deviation; 4.685 of them is Tukey's usual cut.
            let cut = max(4.685 * 1.4826 * residuals.medianMagnitude, 4)
            var moments = Moments()
            for row in 0 ..< grid.rows { moments.add(grid.sums(row, cut: cut), v: grid.v(row)) }
            terms = moments.solution
        }
    }
}

/// Where the middle of pixel `index` of `count` lies, from -1 to 1.
private func place(_ index: Int, of count: Int) -> Double { Double(2 * index + 1 - count) / Double(count) }

/// Every few rows' and columns' pixels side by side, in rows of whole vectors.
private struct SampledGrid {
    typealias Lanes = SIMD8<Float>
    let rows: Int
    let columns: Int
    private let vectors: Int
    private let rowStep: Int
    private let height: Int
    private let shades: Buffer<Lanes>
    private let residuals: Buffer<Lanes>
    private let places: Buffer<Lanes>

    init(of image: GreyImage<Float>) throws(DiptychError) {
        height = image.height
        rowStep = (image.height + 63) / 64
        let columnStep = (image.width + 63) / 64
        rows = (image.height - rowStep / 2 + rowStep - 1) / rowStep
        columns = (image.width - columnStep / 2 + columnStep - 1) / columnStep
        vectors = (columns + 7) / 8
        shades = try Buffer(count: rows * vectors, for: "an image")
        residuals = try Buffer(count: rows * vectors, for: "an image")
        places = try Buffer(count: vectors, for: "an image")
        for row in 0 ..< rows {
            let line = image.pixels.pointer + (rowStep / 2 + row * rowStep) * image.width
            for column in 0 ..< 8 * vectors {
                // What fills up the last vector is so far from any paper that its weight is 0.
                shades[row * vectors + column / 8][column % 8] = column < columns ? line[columnStep / 2 + column * columnStep] : 1e6
            }
        }
        for column in 0 ..< columns { places[column / 8][column % 8] = Float(place(columnStep / 2 + column * columnStep, of: image.width)) }
    }

    func v(_ row: Int) -> Double { place(rowStep / 2 + row * rowStep, of: height) }

    func residuals(_ row: Int) -> UnsafePointer<Float> {
        UnsafeRawPointer(residuals.pointer + row * vectors).assumingMemoryBound(to: Float.self)
    }

    @inline(__always)
    func updateResiduals(_ row: Int, paper: (_ u: Lanes) -> Lanes) {
        for i in 0 ..< vectors {
            residuals.pointer[row * vectors + i] = shades.pointer[row * vectors + i] - paper(places.pointer[i])
        }
    }

    /// Over a row's pixels: the sums of weight x u^0 ... u^4, then of weight x shade x u^0 ... u^2.
    func sums(_ row: Int, cut: Float) -> SIMD8<Double> {
        var a = Lanes.zero, b = Lanes.zero, c = Lanes.zero, d = Lanes.zero, e = Lanes.zero
        var f = Lanes.zero, g = Lanes.zero, h = Lanes.zero
        let scale = 1 / cut
        for i in 0 ..< vectors {
            let shade = shades.pointer[row * vectors + i], u = places.pointer[i]
            let distance = scale * residuals.pointer[row * vectors + i]
            let root = Lanes(repeating: 1) - distance * distance
            let weight = dp_pass(root * root, root)
            let first = weight * u, second = first * u, third = second * u
            a += weight
            b += first
            c += second
            d += third
            e += third * u
            f += weight * shade
            g += first * shade
            h += second * shade
        }
        return SIMD8(Double(a.sum()), Double(b.sum()), Double(c.sum()), Double(d.sum()), Double(e.sum()),
                     Double(f.sum()), Double(g.sum()), Double(h.sum()))
    }
}

/// Weighted least squares in six unknowns, from sums of powers of u and v.
private struct Moments {
    private typealias Row = SIMD8<Double>
    /// Row sums x v^0 ... v^4.
    private var sums: (Row, Row, Row, Row, Row) = (.zero, .zero, .zero, .zero, .zero)

    mutating func add(_ row: SIMD8<Double>, v: Double) {
        sums.0 += row
        sums.1 += row * v
        sums.2 += row * (v * v)
        sums.3 += row * (v * v * v)
        sums.4 += row * (v * v * v * v)
    }

    /// Gaussian elimination. A little is added to the diagonal but for the constant's, so that an image of one row or
    /// column, whose surface is not determined, has the flattest.
    var solution: (Double, Double, Double, Double, Double, Double) {
        // By power of v, then of u. The unknowns' powers are (0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2) of (u, v).
        let (s0, s1, s2, s3, s4) = sums
        var rows = (Row(s0[0], s0[1], s1[0], s0[2], s1[1], s2[0], s0[5], 0),
                    Row(s0[1], s0[2], s1[1], s0[3], s1[2], s2[1], s0[6], 0),
                    Row(s1[0], s1[1], s2[0], s1[2], s2[1], s3[0], s1[5], 0),
                    Row(s0[2], s0[3], s1[2], s0[4], s1[3], s2[2], s0[7], 0),
                    Row(s1[1], s1[2], s2[1], s1[3], s2[2], s3[1], s1[6], 0),
                    Row(s2[0], s2[1], s3[0], s2[2], s3[1], s4[0], s2[5], 0))
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
