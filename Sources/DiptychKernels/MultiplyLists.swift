import CDiptychPlatform

// Activations behind a ReLU, and gradients that come back through one, are mostly zero: what is multiplied by zero is
// skipped. A list holds the values of a row that are not zero and where their rows of B begin. The products are those of
// `multiply` without the zeros, in the same order: the result has the same bits, but for the sign of a zero.

/// How many of x[rows, width] are not zero. NaN counts.
func countNonzeros(rows: Int, width: Int, x: UnsafePointer<Float>, xRow: Int) -> Int {
    var total = 0
    for row in 0 ..< rows {
        let x = x + row * xRow
        var column = 0
        while column < width {
            total &+= dp_nonzero8(x + column).nonzeroBitCount
            column += 8
        }
    }
    return total
}

/// A bit for each column of x[rows, width] that is not all zero. NaN is not zero.
func liveColumns(rows: Int, width: Int, x: UnsafePointer<Float>, xRow: Int, live: UnsafeMutablePointer<UInt8>) {
    for eight in 0 ..< width / 8 { live[eight] = 0 }
    for row in 0 ..< rows {
        let x = x + row * xRow
        for eight in 0 ..< width / 8 { live[eight] |= UInt8(truncatingIfNeeded: dp_nonzero8(x + 8 * eight)) }
    }
}

/// A list for each row of x.
func listRows(rows: Int, width: Int, x: UnsafePointer<Float>, xRow: Int, places columnPlaces: UnsafePointer<Int32>, lists: dp_lists) {
    for row in 0 ..< rows {
        let x = x + row * xRow
        var values = lists.values + row * lists.stride, places = lists.places + row * lists.stride
        let start = values
        var column = 0
        while column < width {
            let alive = dp_nonzero8(x + column)
            dp_compress8(x + column, columnPlaces + column, UInt8(truncatingIfNeeded: alive), values, places)
            let count = alive.nonzeroBitCount
            values += count
            places += count
            column += 8
        }
        lists.counts[row] = Int32(truncatingIfNeeded: values - start)
    }
}

/// A list for each column of x.
func listColumns(rows: Int, width: Int, x: UnsafePointer<Float>, xRow: Int, step: Int, lists: dp_lists) {
    for column in 0 ..< width { lists.counts[column] = 0 }
    for row in 0 ..< rows {
        let x = x + row * xRow, place = Int32(truncatingIfNeeded: row &* step)
        var column = 0
        while column < width {
            var alive: UInt64 = 0
            for eight in 0 ..< min(8, (width - column) / 8) { alive |= dp_nonzero8(x + column + 8 * eight) &<< UInt64(8 * eight) }
            while alive != 0 {
                let k = column &+ alive.trailingZeroBitCount
                alive &= alive &- 1
                let entry = k &* lists.stride &+ Int(lists.counts[k])
                lists.values[entry] = x[k]
                lists.places[entry] = place
                lists.counts[k] &+= 1
            }
            column += 64
        }
    }
}

/// One list by six panels, in twelve accumulators.
@inline(__always)
private func row6(_ count: Int, _ values: UnsafePointer<Float>, _ places: UnsafePointer<Int32>, _ b: UnsafePointer<Float>,
                  _ bPanel: Int, _ c: UnsafeMutablePointer<Float>, _ cPanel: Int, _ accumulate: Bool) {
    var c00 = Vector.zero, c01 = Vector.zero, c10 = Vector.zero, c11 = Vector.zero
    var c20 = Vector.zero, c21 = Vector.zero, c30 = Vector.zero, c31 = Vector.zero
    var c40 = Vector.zero, c41 = Vector.zero, c50 = Vector.zero, c51 = Vector.zero
    if accumulate {
        c00 = c.vector(0); c01 = c.vector(8)
        c10 = c.vector(cPanel); c11 = c.vector(cPanel + 8)
        c20 = c.vector(2 * cPanel); c21 = c.vector(2 * cPanel + 8)
        c30 = c.vector(3 * cPanel); c31 = c.vector(3 * cPanel + 8)
        c40 = c.vector(4 * cPanel); c41 = c.vector(4 * cPanel + 8)
        c50 = c.vector(5 * cPanel); c51 = c.vector(5 * cPanel + 8)
    }
    for k in 0 ..< count {
        let value = Vector(repeating: values[k])
        let low = b + Int(places[k]), high = low + 3 * bPanel
        c00 = fma(c00, value, low.vector(0)); c01 = fma(c01, value, low.vector(8))
        c10 = fma(c10, value, low.vector(bPanel)); c11 = fma(c11, value, low.vector(bPanel + 8))
        c20 = fma(c20, value, low.vector(2 * bPanel)); c21 = fma(c21, value, low.vector(2 * bPanel + 8))
        c30 = fma(c30, value, high.vector(0)); c31 = fma(c31, value, high.vector(8))
        c40 = fma(c40, value, high.vector(bPanel)); c41 = fma(c41, value, high.vector(bPanel + 8))
        c50 = fma(c50, value, high.vector(2 * bPanel)); c51 = fma(c51, value, high.vector(2 * bPanel + 8))
    }
    c.store(c00, 0); c.store(c01, 8)
    c.store(c10, cPanel); c.store(c11, cPanel + 8)
    c.store(c20, 2 * cPanel); c.store(c21, 2 * cPanel + 8)
    c.store(c30, 3 * cPanel); c.store(c31, 3 * cPanel + 8)
    c.store(c40, 4 * cPanel); c.store(c41, 4 * cPanel + 8)
    c.store(c50, 5 * cPanel); c.store(c51, 5 * cPanel + 8)
}

/// One list by four panels.
@inline(__always)
private func row4(_ count: Int, _ values: UnsafePointer<Float>, _ places: UnsafePointer<Int32>, _ b: UnsafePointer<Float>,
                  _ bPanel: Int, _ c: UnsafeMutablePointer<Float>, _ cPanel: Int, _ accumulate: Bool) {
    var c00 = Vector.zero, c01 = Vector.zero, c10 = Vector.zero, c11 = Vector.zero
    var c20 = Vector.zero, c21 = Vector.zero, c30 = Vector.zero, c31 = Vector.zero
    if accumulate {
        c00 = c.vector(0); c01 = c.vector(8)
        c10 = c.vector(cPanel); c11 = c.vector(cPanel + 8)
        c20 = c.vector(2 * cPanel); c21 = c.vector(2 * cPanel + 8)
        c30 = c.vector(3 * cPanel); c31 = c.vector(3 * cPanel + 8)
    }
    for k in 0 ..< count {
        let value = Vector(repeating: values[k])
        let low = b + Int(places[k]), high = low + 2 * bPanel
        c00 = fma(c00, value, low.vector(0)); c01 = fma(c01, value, low.vector(8))
        c10 = fma(c10, value, low.vector(bPanel)); c11 = fma(c11, value, low.vector(bPanel + 8))
        c20 = fma(c20, value, high.vector(0)); c21 = fma(c21, value, high.vector(8))
        c30 = fma(c30, value, high.vector(bPanel)); c31 = fma(c31, value, high.vector(bPanel + 8))
    }
    c.store(c00, 0); c.store(c01, 8)
    c.store(c10, cPanel); c.store(c11, cPanel + 8)
    c.store(c20, 2 * cPanel); c.store(c21, 2 * cPanel + 8)
    c.store(c30, 3 * cPanel); c.store(c31, 3 * cPanel + 8)
}

/// One list by one panel: what is left.
@inline(__always)
private func row1(_ count: Int, _ values: UnsafePointer<Float>, _ places: UnsafePointer<Int32>, _ b: UnsafePointer<Float>,
                  _ c: UnsafeMutablePointer<Float>, _ accumulate: Bool) {
    var c0 = accumulate ? c.vector(0) : Vector.zero, c1 = accumulate ? c.vector(8) : Vector.zero
    for k in 0 ..< count {
        let value = Vector(repeating: values[k]), row = b + Int(places[k])
        c0 = fma(c0, value, row.vector(0)); c1 = fma(c1, value, row.vector(8))
    }
    c.store(c0, 0); c.store(c1, 8)
}

func multiplyLists(count: Int, panels: Int, lists: dp_lists, order: UnsafePointer<Int32>?, b: UnsafePointer<Float>, bPanel: Int,
                   c: UnsafeMutablePointer<Float>, cRow: Int, cPanel: Int, accumulate: Bool) {
    var panel = 0
    while panel < panels {
        // Of the last panels eight are twice four, nine too: a list's beginning and end cost as much as two panels.
        let left = panels - panel, width = left == 4 || left == 5 || left == 8 || left == 9 ? 4 : left >= 6 ? 6 : 1
        let b = b + panel * bPanel, c = c + panel * cPanel
        for row in 0 ..< count {
            let list = if let order { Int(order[row]) } else { row }
            let n = Int(lists.counts[list]), c = c + row * cRow
            let values = UnsafePointer(lists.values + list * lists.stride)
            let places = UnsafePointer(lists.places + list * lists.stride)
            // The loop over a list ends in a misprediction, and behind it the next list would be waited for.
            for line in 0 ..< 2 {
                dp_prefetch(values + (lists.stride + 16 * line))
                dp_prefetch(places + (lists.stride + 16 * line))
            }
            switch width {
            case 6: row6(n, values, places, b, bPanel, c, cPanel, accumulate)
            case 4: row4(n, values, places, b, bPanel, c, cPanel, accumulate)
            default: row1(n, values, places, b, c, accumulate)
            }
        }
        panel += width
    }
}
