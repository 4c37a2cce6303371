extension Reference {
    /// What is not zero in a line, and where.
    public static func list(_ line: [Float], places: [Int32]) -> [(place: Int32, value: Float)] {
        zip(places, line).filter { $0.1 != 0 }.map { (place: $0.0, value: $0.1) }
    }

    public static func multiply(rows: Int, panels: Int, depth: Int, a: UnsafePointer<Float>, aRow: Int, b: UnsafePointer<Float>,
                                bPanel: Int, c: UnsafeMutablePointer<Float>, cRow: Int) {
        for row in 0 ..< rows {
            for column in 0 ..< 16 * panels {
                var sum = 0.0
                for k in 0 ..< depth { sum += Double(a[row * aRow + k]) * Double(b[column / 16 * bPanel + 16 * k + column % 16]) }
                c[row * cRow + column] = Float(sum)
            }
        }
    }

    public static func transposePanels(panels: Int, weights: UnsafePointer<Float>, panelStride: Int, places: UnsafePointer<Int32>,
                                       b: UnsafeMutablePointer<Float>) {
        for panel in 0 ..< panels {
            for output in 0 ..< 16 {
                for input in 0 ..< 16 { b[(16 * panel + output) * 16 + input] = weights[panel * panelStride + Int(places[input]) + output] }
            }
        }
    }

    public static func biasRelu(rows: Int, width: Int, bias: UnsafePointer<Float>, applyRelu: Bool, c: UnsafeMutablePointer<Float>,
                                cRow: Int) {
        for row in 0 ..< rows {
            for i in 0 ..< width {
                let sum = Double(c[row * cRow + i]) + Double(bias[i])
                c[row * cRow + i] = Float(applyRelu ? relu(sum) : sum)
            }
        }
    }

    public static func reluGradient(rows: Int, width: Int, act: UnsafePointer<Float>, actRow: Int, scale: Float,
                                    gradient: UnsafeMutablePointer<Float>, gradientRow: Int) {
        for row in 0 ..< rows {
            for i in 0 ..< width {
                gradient[row * gradientRow + i] = act[row * actRow + i] > 0 ? scale * gradient[row * gradientRow + i] : 0
            }
        }
    }

    public static func sumRows(rows: Int, width: Int, x: UnsafePointer<Float>, xRow: Int, sum: UnsafeMutablePointer<Float>) {
        for i in 0 ..< width {
            sum[i] = Float((0 ..< rows).reduce(0.0) { $0 + Double(x[$1 * xRow + i]) })
        }
    }
}
