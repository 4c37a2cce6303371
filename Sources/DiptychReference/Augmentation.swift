extension Reference {
    /// An image under an affine map from output to source, around the centre and after a shift of the output; displaced by
    /// the smooth field between nodes on a 4x4 grid; interpolated by Catmull and Rom's spline; of a stroke blended with the 3x3 maximum or minimum. In double
    /// precision; 0 outside.
    public static func augment(_ image: [Double], height: Int, width: Int, matrix: [Double], shift: (x: Double, y: Double),
                               nodes: (x: [Double], y: [Double]), stroke: Double) -> [Double] {
        func pixel(_ image: [Double], _ x: Int, _ y: Int) -> Double {
            (0 ..< width).contains(x) && (0 ..< height).contains(y) ? image[y * width + x] : 0
        }
        var stroked = image
        for y in 0 ..< height {
            for x in 0 ..< width {
                let around = (-1 ... 1).flatMap { dy in (-1 ... 1).map { dx in pixel(image, x + dx, y + dy) } }
                let extreme = (stroke > 0 ? around.max() : around.min()) ?? 0
                stroked[y * width + x] += abs(stroke) * (extreme - image[y * width + x])
            }
        }

        /// A node's weight at a pixel of a side: 1 at the node, smoothly to 0 at its neighbours.
        func weight(_ node: Int, _ place: Int, of size: Int) -> Double {
            let t = abs(3 * Double(place) / Double(size - 1) - Double(node))
            return t < 1 ? 1 - t * t * (3 - 2 * t) : 0
        }
        /// Keys, "Cubic convolution interpolation for digital image processing" (1981), a = -1/2.
        func kernel(_ distance: Double) -> Double {
            let d = abs(distance)
            if d < 1 { return 1.5 * d * d * d - 2.5 * d * d + 1 }
            return d < 2 ? -0.5 * d * d * d + 2.5 * d * d - 4 * d + 2 : 0
        }
        let centreX = Double(width - 1) / 2, centreY = Double(height - 1) / 2
        var result = image
        for y in 0 ..< height {
            for x in 0 ..< width {
                let right = Double(x) - centreX - shift.x, down = Double(y) - centreY - shift.y
                var u = centreX + matrix[0] * right + matrix[1] * down, v = centreY + matrix[2] * right + matrix[3] * down
                for row in 0 ..< 4 {
                    for column in 0 ..< 4 {
                        let share = weight(row, y, of: height) * weight(column, x, of: width)
                        u += share * nodes.x[4 * row + column]
                        v += share * nodes.y[4 * row + column]
                    }
                }
                let left = Int(u.rounded(.down)), top = Int(v.rounded(.down))
                var sum = 0.0
                for row in top - 1 ... top + 2 {
                    for column in left - 1 ... left + 2 {
                        sum += kernel(u - Double(column)) * kernel(v - Double(row)) * pixel(stroked, column, row)
                    }
                }
                result[y * width + x] = min(max(sum, min(0, image.min() ?? 0)), max(0, image.max() ?? 0))
            }
        }
        return result
    }
}
