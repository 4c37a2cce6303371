import CDiptychPlatform

// Lists of the values of a row, or of a column, that are not zero.

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
