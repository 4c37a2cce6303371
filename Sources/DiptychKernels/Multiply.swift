import CDiptychPlatform

// Products of matrices by tiles of C that stay in registers. Every element of C is one chain of fused products in the order of k,
// whichever tile it falls into, so the way of tiling never shows in the result. A tile's rows and vectors are constants to the
// compiler, which drops what is not in it. b's vectors of columns lie as `column` says; its rows are bRow apart.

/// Up to six rows of A times one or two vectors of columns: 6 x 2 fill AVX2's sixteen registers with 12 sums, two for a row of B
/// and one for an element of A.
@inline(__always)
private func tile(rows: Int, vectors: Int, _ depth: Int, _ a: UnsafePointer<Float>, _ aRow: Int, _ b: UnsafePointer<Float>, _ bRow: Int,
                  _ bPanel: Int, _ c: UnsafeMutablePointer<Float>, _ cRow: Int, _ accumulate: Bool) {
    var c00 = Vector.zero, c01 = Vector.zero, c10 = Vector.zero, c11 = Vector.zero
    var c20 = Vector.zero, c21 = Vector.zero, c30 = Vector.zero, c31 = Vector.zero
    var c40 = Vector.zero, c41 = Vector.zero, c50 = Vector.zero, c51 = Vector.zero
    let wide = vectors > 1
    if accumulate {
        c00 = c.vector(0)
        if wide { c01 = c.vector(lanes) }
        if rows > 1 { c10 = c.vector(cRow); if wide { c11 = c.vector(cRow + lanes) } }
        if rows > 2 { c20 = c.vector(2 * cRow); if wide { c21 = c.vector(2 * cRow + lanes) } }
        if rows > 3 { c30 = c.vector(3 * cRow); if wide { c31 = c.vector(3 * cRow + lanes) } }
        if rows > 4 { c40 = c.vector(4 * cRow); if wide { c41 = c.vector(4 * cRow + lanes) } }
        if rows > 5 { c50 = c.vector(5 * cRow); if wide { c51 = c.vector(5 * cRow + lanes) } }
    }
    var a = a, b = b
    let a3 = 3 * aRow
    for _ in 0 ..< depth {
        let b0 = b.vector(0), b1 = wide ? b.vector(column(1, bPanel)) : .zero
        let low = a, high = a + a3
        c00 = fma(c00, low[0], b0); if wide { c01 = fma(c01, low[0], b1) }
        if rows > 1 { c10 = fma(c10, low[aRow], b0); if wide { c11 = fma(c11, low[aRow], b1) } }
        if rows > 2 { c20 = fma(c20, low[2 * aRow], b0); if wide { c21 = fma(c21, low[2 * aRow], b1) } }
        if rows > 3 { c30 = fma(c30, high[0], b0); if wide { c31 = fma(c31, high[0], b1) } }
        if rows > 4 { c40 = fma(c40, high[aRow], b0); if wide { c41 = fma(c41, high[aRow], b1) } }
        if rows > 5 { c50 = fma(c50, high[2 * aRow], b0); if wide { c51 = fma(c51, high[2 * aRow], b1) } }
        a += 1
        b += bRow
    }
    c.store(c00, 0)
    if wide { c.store(c01, lanes) }
    if rows > 1 { c.store(c10, cRow); if wide { c.store(c11, cRow + lanes) } }
    if rows > 2 { c.store(c20, 2 * cRow); if wide { c.store(c21, 2 * cRow + lanes) } }
    if rows > 3 { c.store(c30, 3 * cRow); if wide { c.store(c31, 3 * cRow + lanes) } }
    if rows > 4 { c.store(c40, 4 * cRow); if wide { c.store(c41, 4 * cRow + lanes) } }
    if rows > 5 { c.store(c50, 5 * cRow); if wide { c.store(c51, 5 * cRow + lanes) } }
}

/// Up to three rows by four vectors: the rows that are left, and a lone pair's; by two vectors they would wait for themselves.
@inline(__always)
private func fourVectors(rows: Int, _ depth: Int, _ a: UnsafePointer<Float>, _ aRow: Int, _ b: UnsafePointer<Float>, _ bRow: Int, _ bPanel: Int,
                   _ c: UnsafeMutablePointer<Float>, _ cRow: Int, _ accumulate: Bool) {
    var c00 = Vector.zero, c01 = Vector.zero, c02 = Vector.zero, c03 = Vector.zero
    var c10 = Vector.zero, c11 = Vector.zero, c12 = Vector.zero, c13 = Vector.zero
    var c20 = Vector.zero, c21 = Vector.zero, c22 = Vector.zero, c23 = Vector.zero
    if accumulate {
        c00 = c.vector(0); c01 = c.vector(lanes); c02 = c.vector(2 * lanes); c03 = c.vector(3 * lanes)
        if rows > 1 {
            let c = c + cRow
            c10 = c.vector(0); c11 = c.vector(lanes); c12 = c.vector(2 * lanes); c13 = c.vector(3 * lanes)
        }
        if rows > 2 {
            let c = c + 2 * cRow
            c20 = c.vector(0); c21 = c.vector(lanes); c22 = c.vector(2 * lanes); c23 = c.vector(3 * lanes)
        }
    }
    var a = a, b = b
    for _ in 0 ..< depth {
        let a0 = Vector(repeating: a[0]), a1 = rows > 1 ? Vector(repeating: a[aRow]) : .zero
        let a2 = rows > 2 ? Vector(repeating: a[2 * aRow]) : .zero
        let b0 = b.vector(0)
        c00 = fma(c00, a0, b0); if rows > 1 { c10 = fma(c10, a1, b0) }; if rows > 2 { c20 = fma(c20, a2, b0) }
        let b1 = b.vector(column(1, bPanel))
        c01 = fma(c01, a0, b1); if rows > 1 { c11 = fma(c11, a1, b1) }; if rows > 2 { c21 = fma(c21, a2, b1) }
        let b2 = b.vector(column(2, bPanel))
        c02 = fma(c02, a0, b2); if rows > 1 { c12 = fma(c12, a1, b2) }; if rows > 2 { c22 = fma(c22, a2, b2) }
        let b3 = b.vector(column(3, bPanel))
        c03 = fma(c03, a0, b3); if rows > 1 { c13 = fma(c13, a1, b3) }; if rows > 2 { c23 = fma(c23, a2, b3) }
        a += 1
        b += bRow
    }
    c.store(c00, 0); c.store(c01, lanes); c.store(c02, 2 * lanes); c.store(c03, 3 * lanes)
    if rows > 1 {
        let c = c + cRow
        c.store(c10, 0); c.store(c11, lanes); c.store(c12, 2 * lanes); c.store(c13, 3 * lanes)
    }
    if rows > 2 {
        let c = c + 2 * cRow
        c.store(c20, 0); c.store(c21, lanes); c.store(c22, 2 * lanes); c.store(c23, 3 * lanes)
    }
}

/// A product of some of C's columns. Each size of tile is a function of its own, because the optimizer stops inlining in large ones.
private struct Product {
    let depth: Int
    let a: UnsafePointer<Float>, aRow: Int
    let b: UnsafePointer<Float>, bRow: Int, bPanel: Int
    let c: UnsafeMutablePointer<Float>, cRow: Int
    let accumulate: Bool

    /// `count` tiles of `rows` rows from row `first` on.
    @inline(__always)
    private func tiles(rows: Int, vectors: Int, from first: Int, count: Int = 1) {
        var a = a + first * aRow, c = c + first * cRow
        for _ in 0 ..< count {
            tile(rows: rows, vectors: vectors, depth, a, aRow, b, bRow, bPanel, c, cRow, accumulate)
            a += rows * aRow
            c += rows * cRow
        }
    }

    @inline(never) func sixes(_ count: Int) { tiles(rows: 6, vectors: 2, from: 0, count: count) }
    @inline(never) func five(_ row: Int) { tiles(rows: 5, vectors: 2, from: row) }
    @inline(never) func four(_ row: Int) { tiles(rows: 4, vectors: 2, from: row) }
    @inline(never) func three(_ row: Int) { tiles(rows: 3, vectors: 2, from: row) }
    @inline(never) func two(_ row: Int) { tiles(rows: 2, vectors: 2, from: row) }
    @inline(never) func one(_ row: Int) { tiles(rows: 1, vectors: 2, from: row) }
    @inline(never) func sixesOfOneVector(_ count: Int) { tiles(rows: 6, vectors: 1, from: 0, count: count) }
    @inline(never) func onesOfOneVector(_ row: Int, _ count: Int) { tiles(rows: 1, vectors: 1, from: row, count: count) }

    func byTwoVectors(_ rows: Int) {
        // Of the last seven to nine rows about half: a tile of few rows waits for itself.
        let tail = rows % 6, split = rows > 6 && (1 ... 3).contains(tail), whole = split ? rows / 6 - 1 : rows / 6
        if whole > 0 { sixes(whole) }
        var row = 6 * whole
        while row < rows {
            let left = rows - row, count = left > 5 ? left / 2 : left
            switch count {
            case 5: five(row)
            case 4: four(row)
            case 3: three(row)
            case 2: two(row)
            default: one(row)
            }
            row += count
        }
    }

    func byOneVector(_ rows: Int) {
        sixesOfOneVector(rows / 6)
        onesOfOneVector(rows / 6 * 6, rows % 6)
    }

    @inline(__always)
    private func tileOfFour(rows: Int, from row: Int) {
        fourVectors(rows: rows, depth, a + row * aRow, aRow, b, bRow, bPanel, c + row * cRow, cRow, accumulate)
    }

    @inline(never) func threeByFour(_ row: Int) { tileOfFour(rows: 3, from: row) }
    @inline(never) func twoByFour(_ row: Int) { tileOfFour(rows: 2, from: row) }
    @inline(never) func oneByFour(_ row: Int) { tileOfFour(rows: 1, from: row) }

    func byFourVectors(_ rows: Int) {
        let whole = rows / 6
        if whole > 0 {
            sixes(whole)
            from(vector: 2).sixes(whole)
        }
        var row = 6 * whole
        while row < rows {
            // Five rows are three and two, four are two and two.
            let left = rows - row, count = left == 5 || left == 3 ? 3 : left == 1 ? 1 : 2
            switch count {
            case 3: threeByFour(row)
            case 2: twoByFour(row)
            default: oneByFour(row)
            }
            row += count
        }
    }

    func from(vector: Int) -> Product {
        Product(depth: depth, a: a, aRow: aRow, b: b + column(vector, bPanel), bRow: bRow, bPanel: bPanel, c: c + vector * lanes, cRow: cRow,
                accumulate: accumulate)
    }
}

/// All of C's rows for B's `columns`, a multiple of 16 (of 8 in the baseline): column 16 * p + j of B at b[p * bPanel + j], rows bRow apart.
@inline(never)
func multiplyTiles(_ rows: Int, _ columns: Int, _ depth: Int, _ a: UnsafePointer<Float>, _ aRow: Int,
                   _ b: UnsafePointer<Float>, _ bRow: Int, _ bPanel: Int, _ c: UnsafeMutablePointer<Float>, _ cRow: Int,
                   _ accumulate: Bool) {
    let product = Product(depth: depth, a: a, aRow: aRow, b: b, bRow: bRow, bPanel: bPanel, c: c, cRow: cRow, accumulate: accumulate)
    let vectors = columns / lanes
    var vector = 0
    while vector < vectors {
        let left = vectors - vector, these = product.from(vector: vector)
        if left >= 4 {
            these.byFourVectors(rows)
        } else if lanes < 16 || left >= 2 {
            // Columns are a multiple of 16: one vector is left of AVX-512's only.
            these.byTwoVectors(rows)
        } else {
            these.byOneVector(rows)
        }
        vector += left >= 4 ? 4 : left >= 2 ? 2 : 1
    }
}

/// C's rows for one vector of B's columns, where depth is a multiple of 8: so many rows of B stay in registers, while rows of A and C pass.
@inline(never)
func multiplyEight(_ rows: Int, _ depth: Int, _ a: UnsafePointer<Float>, _ aRow: Int, _ b: UnsafePointer<Float>, _ bRow: Int,
                   _ c: UnsafeMutablePointer<Float>, _ cRow: Int) {
    var k = 0
    while k < depth {
        let b = b + k * bRow
        let b0 = b.vector(0), b1 = b.vector(bRow), b2 = b.vector(2 * bRow), b3 = b.vector(3 * bRow)
        let b4 = b.vector(4 * bRow), b5 = b.vector(5 * bRow), b6 = b.vector(6 * bRow), b7 = b.vector(7 * bRow)
        var a = a + k, c = c
        // Two rows at a time: the sums of one would be waited for.
        for _ in 0 ..< rows / 2 {
            var s = k == 0 ? .zero : c.vector(0), t = k == 0 ? .zero : c.vector(cRow)
            let second = a + aRow
            s = fma(s, a[0], b0); t = fma(t, second[0], b0)
            s = fma(s, a[1], b1); t = fma(t, second[1], b1)
            s = fma(s, a[2], b2); t = fma(t, second[2], b2)
            s = fma(s, a[3], b3); t = fma(t, second[3], b3)
            s = fma(s, a[4], b4); t = fma(t, second[4], b4)
            s = fma(s, a[5], b5); t = fma(t, second[5], b5)
            s = fma(s, a[6], b6); t = fma(t, second[6], b6)
            s = fma(s, a[7], b7); t = fma(t, second[7], b7)
            c.store(s, 0)
            c.store(t, cRow)
            a += 2 * aRow
            c += 2 * cRow
        }
        if rows % 2 == 1 {
            var s = k == 0 ? .zero : c.vector(0)
            s = fma(s, a[0], b0); s = fma(s, a[1], b1); s = fma(s, a[2], b2); s = fma(s, a[3], b3)
            s = fma(s, a[4], b4); s = fma(s, a[5], b5); s = fma(s, a[6], b6); s = fma(s, a[7], b7)
            c.store(s, 0)
        }
        k += 8
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
