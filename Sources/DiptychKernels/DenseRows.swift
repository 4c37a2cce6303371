import CDiptychPlatform

// What a dense layer needs besides its products.

/// b[16 * p + j][i] = weights[p][i][j] for 16 inputs i, whose weights begin at places[i] of a panel.
func transposePanels(panels: Int, weights: UnsafePointer<Float>, panelStride: Int, places: UnsafePointer<Int32>, b: UnsafeMutablePointer<Float>) {
    for panel in 0 ..< panels {
        let source = weights + panel * panelStride, target = b + 256 * panel
        dp_transpose(source, places, target, 16)
        dp_transpose(source + 8, places, target + 128, 16)
        dp_transpose(source, places + 8, target + 8, 16)
        dp_transpose(source + 8, places + 8, target + 136, 16)
    }
}

func biasRelu(rows: Int, width: Int, bias: UnsafePointer<Float>, applyRelu: Bool, c: UnsafeMutablePointer<Float>, cRow: Int) {
    for row in 0 ..< rows {
        let c = c + row * cRow
        var i = 0
        while i < width {
            let sum = c.vector(i) + bias.vector(i)
            c.store(applyRelu ? dp_relu(sum) : sum, i)
            i += lanes
        }
    }
}

func reluGradient(rows: Int, width: Int, act: UnsafePointer<Float>, actRow: Int, scale: Float,
                  gradient: UnsafeMutablePointer<Float>, gradientRow: Int) {
    for row in 0 ..< rows {
        let a = act + row * actRow, g = gradient + row * gradientRow
        var i = 0
        while i < width {
            g.store(dp_pass(scale * g.vector(i), a.vector(i)), i)
            i += lanes
        }
    }
}

func sumRows(rows: Int, width: Int, x: UnsafePointer<Float>, xRow: Int, sum: UnsafeMutablePointer<Float>) {
    var i = 0
    while i < width {
        var total = Vector.zero
        for row in 0 ..< rows { total += x.vector(row * xRow + i) }
        sum.store(total, i)
        i += lanes
    }
}
