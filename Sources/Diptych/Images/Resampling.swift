import CDiptychPlatform

/// Exact area resampling from any size to any size: a result's pixel is the mean of the source over the rectangle that
/// it covers, so the image's mean is kept. 28x28 to 14x14 is the 2x2 mean; the same size is a copy.
///
/// `source` is [sourceHeight][sourceWidth], `result` [height][width]; all sizes at least 1.
public func resampleByArea(_ source: UnsafePointer<UInt8>, height sourceHeight: Int, width sourceWidth: Int,
                           into result: UnsafeMutablePointer<Float>, height: Int, width: Int) {
    resample(source, height: sourceHeight, width: sourceWidth, into: result,
             rows: Grid(count: height, covering: sourceHeight), columns: Grid(count: width, covering: sourceWidth))
}

public func resampleByArea(_ source: UnsafePointer<Float>, height sourceHeight: Int, width sourceWidth: Int,
                           into result: UnsafeMutablePointer<Float>, height: Int, width: Int) {
    resample(source, height: sourceHeight, width: sourceWidth, into: result,
             rows: Grid(count: height, covering: sourceHeight), columns: Grid(count: width, covering: sourceWidth))
}

/// `count` cells along one axis, each `numerator / denominator` source pixels long; the first begins at `origin`.
struct Grid {
    let count: Int
    let origin: Int
    let numerator: Int
    let denominator: Int

    /// Cells that divide `length` source pixels evenly.
    init(count: Int, covering length: Int) {
        self.init(count: count, origin: 0, numerator: length, denominator: count)
    }

    init(count: Int, origin: Int, numerator: Int, denominator: Int) {
        self.count = count
        self.origin = origin
        self.numerator = numerator
        self.denominator = denominator
    }

    var cellLength: Double { Double(numerator) / Double(denominator) }

    /// The products are exact, so edges that fall on pixels' edges are exact too.
    func edge(_ index: Int) -> Double { Double(origin) + Double(index * numerator) / Double(denominator) }
}

/// A pixel as decoded or as worked on.
protocol Shade: BitwiseCopyable {
    var shade: Double { get }
    /// Not by way of a Double, which would take twice the registers.
    var asFloat: Float { get }
}

extension UInt8: Shade {
    var shade: Double { Double(self) }
    var asFloat: Float { Float(self) }
}

extension Float: Shade {
    var shade: Double { Double(self) }
    var asFloat: Float { self }
}

/// Means over the cells of two grids; what lies outside of the source counts as 0.
func resample<Source: Shade>(_ source: UnsafePointer<Source>, height sourceHeight: Int, width sourceWidth: Int,
                             into result: UnsafeMutablePointer<Float>, rows: Grid, columns: Grid) {
    let area = rows.cellLength * columns.cellLength
    for row in 0 ..< rows.count {
        let top = max(rows.edge(row), 0), bottom = min(rows.edge(row + 1), Double(sourceHeight))
        for column in 0 ..< columns.count {
            let left = max(columns.edge(column), 0), right = min(columns.edge(column + 1), Double(sourceWidth))
            var sum = 0.0
            var y = Int(top)
            while Double(y) < bottom {
                let line = source + y * sourceWidth
                var lineSum = 0.0
                var x = Int(left)
                while Double(x) < right {
                    lineSum += line[x].shade * (min(Double(x + 1), right) - max(Double(x), left))
                    x += 1
                }
                sum += lineSum * (min(Double(y + 1), bottom) - max(Double(y), top))
                y += 1
            }
            result[row * columns.count + column] = Float(sum / area)
        }
    }
}
