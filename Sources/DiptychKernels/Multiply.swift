import CDiptychPlatform

/// Rows of A times 16 columns of B, the accumulators in registers: 6 x 16 fills AVX2's sixteen with 12, two for a
/// row of B and one for an element of A. Every element of C is one chain of fused products in the order of k,
/// whichever tile it falls into, so the way of tiling never shows in the result.
@inline(__always)
func tile6x16(_ depth: Int, _ a: UnsafePointer<Float>, _ aRow: Int, _ b: UnsafePointer<Float>, _ bRow: Int,
              _ c: UnsafeMutablePointer<Float>, _ cRow: Int, _ accumulate: Bool) {
    var c00 = Vector.zero, c01 = Vector.zero, c10 = Vector.zero, c11 = Vector.zero
    var c20 = Vector.zero, c21 = Vector.zero, c30 = Vector.zero, c31 = Vector.zero
    var c40 = Vector.zero, c41 = Vector.zero, c50 = Vector.zero, c51 = Vector.zero
    if accumulate {
        c00 = c.vector(0); c01 = c.vector(8)
        c10 = c.vector(cRow); c11 = c.vector(cRow + 8)
        c20 = c.vector(2 * cRow); c21 = c.vector(2 * cRow + 8)
        c30 = c.vector(3 * cRow); c31 = c.vector(3 * cRow + 8)
        c40 = c.vector(4 * cRow); c41 = c.vector(4 * cRow + 8)
        c50 = c.vector(5 * cRow); c51 = c.vector(5 * cRow + 8)
    }
    var a = a, b = b
    let a3 = 3 * aRow
    for _ in 0 ..< depth {
        let b0 = b.vector(0), b1 = b.vector(8)
        let low = a, high = a + a3
        c00 = fma(c00, low[0], b0); c01 = fma(c01, low[0], b1)
        c10 = fma(c10, low[aRow], b0); c11 = fma(c11, low[aRow], b1)
        c20 = fma(c20, low[2 * aRow], b0); c21 = fma(c21, low[2 * aRow], b1)
        c30 = fma(c30, high[0], b0); c31 = fma(c31, high[0], b1)
        c40 = fma(c40, high[aRow], b0); c41 = fma(c41, high[aRow], b1)
        c50 = fma(c50, high[2 * aRow], b0); c51 = fma(c51, high[2 * aRow], b1)
        a += 1
        b += bRow
    }
    c.store(c00, 0); c.store(c01, 8)
    c.store(c10, cRow); c.store(c11, cRow + 8)
    c.store(c20, 2 * cRow); c.store(c21, 2 * cRow + 8)
    c.store(c30, 3 * cRow); c.store(c31, 3 * cRow + 8)
    c.store(c40, 4 * cRow); c.store(c41, 4 * cRow + 8)
    c.store(c50, 5 * cRow); c.store(c51, 5 * cRow + 8)
}

/// Two rows by 32 columns (two panels `b` and `b + bPanel`): the remainder's rows, and a lone pair's.
@inline(__always)
func tile2x32(_ depth: Int, _ a: UnsafePointer<Float>, _ aRow: Int, _ b: UnsafePointer<Float>, _ bRow: Int,
              _ bPanel: Int, _ c: UnsafeMutablePointer<Float>, _ cRow: Int, _ accumulate: Bool) {
    var c00 = Vector.zero, c01 = Vector.zero, c02 = Vector.zero, c03 = Vector.zero
    var c10 = Vector.zero, c11 = Vector.zero, c12 = Vector.zero, c13 = Vector.zero
    if accumulate {
        c00 = c.vector(0); c01 = c.vector(8); c02 = c.vector(16); c03 = c.vector(24)
        c10 = c.vector(cRow); c11 = c.vector(cRow + 8); c12 = c.vector(cRow + 16); c13 = c.vector(cRow + 24)
    }
    var a = a, b = b
    for _ in 0 ..< depth {
        let b0 = b.vector(0), b1 = b.vector(8), b2 = b.vector(bPanel), b3 = b.vector(bPanel + 8)
        let a0 = Vector(repeating: a[0]), a1 = Vector(repeating: a[aRow])
        c00 = fma(c00, a0, b0); c01 = fma(c01, a0, b1); c02 = fma(c02, a0, b2); c03 = fma(c03, a0, b3)
        c10 = fma(c10, a1, b0); c11 = fma(c11, a1, b1); c12 = fma(c12, a1, b2); c13 = fma(c13, a1, b3)
        a += 1
        b += bRow
    }
    c.store(c00, 0); c.store(c01, 8); c.store(c02, 16); c.store(c03, 24)
    c.store(c10, cRow); c.store(c11, cRow + 8); c.store(c12, cRow + 16); c.store(c13, cRow + 24)
}

/// Three rows by 32 columns.
@inline(__always)
func tile3x32(_ depth: Int, _ a: UnsafePointer<Float>, _ aRow: Int, _ b: UnsafePointer<Float>, _ bRow: Int,
              _ bPanel: Int, _ c: UnsafeMutablePointer<Float>, _ cRow: Int, _ accumulate: Bool) {
    var c00 = Vector.zero, c01 = Vector.zero, c02 = Vector.zero, c03 = Vector.zero
    var c10 = Vector.zero, c11 = Vector.zero, c12 = Vector.zero, c13 = Vector.zero
    var c20 = Vector.zero, c21 = Vector.zero, c22 = Vector.zero, c23 = Vector.zero
    if accumulate {
        c00 = c.vector(0); c01 = c.vector(8); c02 = c.vector(16); c03 = c.vector(24)
        c10 = c.vector(cRow); c11 = c.vector(cRow + 8); c12 = c.vector(cRow + 16); c13 = c.vector(cRow + 24)
        c20 = c.vector(2 * cRow); c21 = c.vector(2 * cRow + 8); c22 = c.vector(2 * cRow + 16); c23 = c.vector(2 * cRow + 24)
    }
    var a = a, b = b
    for _ in 0 ..< depth {
        let a0 = Vector(repeating: a[0]), a1 = Vector(repeating: a[aRow]), a2 = Vector(repeating: a[2 * aRow])
        let b0 = b.vector(0)
        c00 = fma(c00, a0, b0); c10 = fma(c10, a1, b0); c20 = fma(c20, a2, b0)
        let b1 = b.vector(8)
        c01 = fma(c01, a0, b1); c11 = fma(c11, a1, b1); c21 = fma(c21, a2, b1)
        let b2 = b.vector(bPanel)
        c02 = fma(c02, a0, b2); c12 = fma(c12, a1, b2); c22 = fma(c22, a2, b2)
        let b3 = b.vector(bPanel + 8)
        c03 = fma(c03, a0, b3); c13 = fma(c13, a1, b3); c23 = fma(c23, a2, b3)
        a += 1
        b += bRow
    }
    c.store(c00, 0); c.store(c01, 8); c.store(c02, 16); c.store(c03, 24)
    c.store(c10, cRow); c.store(c11, cRow + 8); c.store(c12, cRow + 16); c.store(c13, cRow + 24)
    c.store(c20, 2 * cRow); c.store(c21, 2 * cRow + 8); c.store(c22, 2 * cRow + 16); c.store(c23, 2 * cRow + 24)
}

/// One row by 32 columns.
@inline(__always)
func tile1x32(_ depth: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ bRow: Int, _ bPanel: Int,
              _ c: UnsafeMutablePointer<Float>, _ accumulate: Bool) {
    var c0 = Vector.zero, c1 = Vector.zero, c2 = Vector.zero, c3 = Vector.zero
    if accumulate { c0 = c.vector(0); c1 = c.vector(8); c2 = c.vector(16); c3 = c.vector(24) }
    var a = a, b = b
    for _ in 0 ..< depth {
        let a0 = Vector(repeating: a[0])
        c0 = fma(c0, a0, b.vector(0)); c1 = fma(c1, a0, b.vector(8))
        c2 = fma(c2, a0, b.vector(bPanel)); c3 = fma(c3, a0, b.vector(bPanel + 8))
        a += 1
        b += bRow
    }
    c.store(c0, 0); c.store(c1, 8); c.store(c2, 16); c.store(c3, 24)
}

/// Six rows by 8 columns: half a panel.
@inline(__always)
func tile6x8(_ depth: Int, _ a: UnsafePointer<Float>, _ aRow: Int, _ b: UnsafePointer<Float>, _ bRow: Int,
             _ c: UnsafeMutablePointer<Float>, _ cRow: Int, _ accumulate: Bool) {
    var c0 = Vector.zero, c1 = Vector.zero, c2 = Vector.zero, c3 = Vector.zero, c4 = Vector.zero, c5 = Vector.zero
    if accumulate {
        c0 = c.vector(0); c1 = c.vector(cRow); c2 = c.vector(2 * cRow)
        c3 = c.vector(3 * cRow); c4 = c.vector(4 * cRow); c5 = c.vector(5 * cRow)
    }
    var a = a, b = b
    for _ in 0 ..< depth {
        let row = b.vector(0)
        c0 = fma(c0, a[0], row); c1 = fma(c1, a[aRow], row); c2 = fma(c2, a[2 * aRow], row)
        c3 = fma(c3, a[3 * aRow], row); c4 = fma(c4, a[4 * aRow], row); c5 = fma(c5, a[5 * aRow], row)
        a += 1
        b += bRow
    }
    c.store(c0, 0); c.store(c1, cRow); c.store(c2, 2 * cRow)
    c.store(c3, 3 * cRow); c.store(c4, 4 * cRow); c.store(c5, 5 * cRow)
}

/// One row by 8 columns: what is left.
@inline(__always)
func tile1x8(_ depth: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ bRow: Int,
             _ c: UnsafeMutablePointer<Float>, _ accumulate: Bool) {
    var sum = accumulate ? c.vector(0) : Vector.zero
    var a = a, b = b
    for _ in 0 ..< depth {
        sum = fma(sum, a[0], b.vector(0))
        a += 1
        b += bRow
    }
    c.store(sum, 0)
}

/// All of C's rows for B's `columns` (a multiple of 8): column 16 * p + j of B at b[p * bPanel + j], rows bRow apart.
@inline(__always)
func multiplyTiles(_ rows: Int, _ columns: Int, _ depth: Int, _ a: UnsafePointer<Float>, _ aRow: Int,
                   _ b: UnsafePointer<Float>, _ bRow: Int, _ bPanel: Int, _ c: UnsafeMutablePointer<Float>, _ cRow: Int,
                   _ accumulate: Bool) {
    let panels = columns / 16, whole = rows / 6 * 6
    for panel in 0 ..< panels {
        var row = 0
        while row < whole {
            tile6x16(depth, a + row * aRow, aRow, b + panel * bPanel, bRow, c + row * cRow + 16 * panel, cRow, accumulate)
            row += 6
        }
    }
    var row = whole
    while row < rows {
        // Five rows are three and two, four are two and two.
        let left = rows - row, count = left == 5 || left == 3 ? 3 : left == 1 ? 1 : 2
        let a = a + row * aRow, c = c + row * cRow
        var panel = 0
        while panel + 2 <= panels {
            let b = b + panel * bPanel, c = c + 16 * panel
            switch count {
            case 3: tile3x32(depth, a, aRow, b, bRow, bPanel, c, cRow, accumulate)
            case 2: tile2x32(depth, a, aRow, b, bRow, bPanel, c, cRow, accumulate)
            default: tile1x32(depth, a, b, bRow, bPanel, c, accumulate)
            }
            panel += 2
        }
        if panel < panels {
            for half in 0 ..< 2 * count {
                let r = half / 2, offset = 8 * (half % 2)
                tile1x8(depth, a + r * aRow, b + panel * bPanel + offset, bRow, c + r * cRow + 16 * panel + offset, accumulate)
            }
        }
        row += count
    }
    if columns % 16 != 0 {
        var r = 0
        while r + 6 <= rows {
            tile6x8(depth, a + r * aRow, aRow, b + panels * bPanel, bRow, c + r * cRow + 16 * panels, cRow, accumulate)
            r += 6
        }
        for r in r ..< rows {
            tile1x8(depth, a + r * aRow, b + panels * bPanel, bRow, c + r * cRow + 16 * panels, accumulate)
        }
    }
}

/// Depth of a block of B's panel: 256 * 16 floats, half of a 32 KB first-level cache.
let depthBlock = 256

func multiply(rows: Int, panels: Int, depth: Int, a: UnsafePointer<Float>, aRow: Int, b: UnsafePointer<Float>, bPanel: Int,
              c: UnsafeMutablePointer<Float>, cRow: Int) {
    var done = 0
    repeat {
        let block = min(depthBlock, depth - done)
        multiplyTiles(rows, 16 * panels, block, a + done, aRow, b + 16 * done, 16, bPanel, c, cRow, done > 0)
        done += block
    } while done < depth
}

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
            c.store(applyRelu ? relu(sum) : sum, i)
            i += 8
        }
    }
}

func reluGradient(rows: Int, width: Int, act: UnsafePointer<Float>, actRow: Int, scale: Float,
                  gradient: UnsafeMutablePointer<Float>, gradientRow: Int) {
    for row in 0 ..< rows {
        let a = act + row * actRow, g = gradient + row * gradientRow
        var i = 0
        while i < width {
            g.store((g.vector(i) * scale).replacing(with: 0, where: a.vector(i) .<= 0), i)
            i += 8
        }
    }
}

func sumRows(rows: Int, width: Int, x: UnsafePointer<Float>, xRow: Int, sum: UnsafeMutablePointer<Float>) {
    var i = 0
    while i < width {
        var total = Vector.zero
        for row in 0 ..< rows { total += x.vector(row * xRow + i) }
        sum.store(total, i)
        i += 8
    }
}
