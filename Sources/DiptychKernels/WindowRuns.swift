import CDiptychPlatform

// See kernels.h. There is nothing to multiply here: the baseline's module has it for all.

@_cdecl("dp_window_runs")
public func dp_window_runs(_ shape: dp_conv_shape, _ count: Int, _ list: UnsafePointer<Int32>?, _ runs: UnsafeMutablePointer<dp_run>?,
                           _ area: UnsafeMutablePointer<dp_area>?) -> Int {
    guard let list, let runs, let area else { return 0 }
    let grid = TileGrid(shape), columns = grid.windowColumns
    var next = 0, found = 0, top = grid.windowRows, bottom = 0, left = columns, right = 0
    while next < count {
        let tileRow = quotient(Int(list[next]), grid.columns), rowStart = tileRow * grid.columns, rowEnd = rowStart + grid.columns
        let row = grid.tile(row: tileRow, column: 0), rowRuns = found
        repeat {
            let first = Int(list[next])
            var last = first
            next += 1
            while next < count && Int(list[next]) == last + 1 && last + 1 < rowEnd { (last, next) = (last + 1, next + 1) }
            let begin = grid.tile(row: tileRow, column: first - rowStart).column
            let end = grid.tile(row: tileRow, column: last - rowStart).right
            (left, right) = (min(left, begin), max(right, end))
            runs[found] = dp_run(first: Int32(truncatingIfNeeded: row.row * columns + begin), count: Int32(truncatingIfNeeded: end - begin))
            found += 1
        } while next < count && Int(list[next]) < rowEnd
        if row.tall {
            for run in rowRuns ..< found {
                runs[found + run - rowRuns] = dp_run(first: runs[run].first &+ Int32(truncatingIfNeeded: columns), count: runs[run].count)
            }
            found += found - rowRuns
        }
        (top, bottom) = (min(top, row.row), row.bottom)
    }
    // cl2 sees a pixel beyond the windows: a window more, as areas are cut.
    func pixel(_ window: Int, _ size: Int) -> Int32 { Int32(truncatingIfNeeded: min(max(2 * window, 0), size)) }
    area.pointee = found == 0 ? dp_area(top: 0, bottom: 0, left: 0, right: 0)
        : dp_area(top: pixel(top - 1, shape.height), bottom: pixel(bottom + 1, shape.height), left: pixel(left - 1, shape.width),
                  right: pixel(right + 1, shape.width))
    return found
}

@_cdecl("dp_run_windows")
public func dp_run_windows(_ shape: dp_conv_shape, _ count: Int, _ runs: UnsafePointer<dp_run>?, _ windows: UnsafeMutablePointer<dp_windows>?) {
    guard let runs, let windows, let features = windows.pointee.features, let corners = windows.pointee.corners else { return }
    let columns = shape.width / 2, channels = Int32(truncatingIfNeeded: shape.channels), row = 2 * (shape.width + 2) * shape.channels
    let steps = SIMD8<Int32>(0, 1, 2, 3, 4, 5, 6, 7) &* channels
    @inline(__always) func store(_ places: SIMD8<Int32>, _ target: UnsafeMutablePointer<Int32>) {
        UnsafeMutableRawPointer(target).storeBytes(of: places, as: SIMD8<Int32>.self)
    }
    var found = 0, rowStart = 0, rowCorner = 0
    for run in 0 ..< count {
        let first = Int(runs[run].first), length = Int(runs[run].count)
        while first >= rowStart + columns { (rowStart, rowCorner) = (rowStart + columns, rowCorner + row) }
        var feature = Int32(truncatingIfNeeded: first) &* channels
        var corner = Int32(truncatingIfNeeded: rowCorner) &+ 2 &* Int32(truncatingIfNeeded: first - rowStart) &* channels
        // What is written too much is the next run's.
        var place = found
        while place < found + length {
            store(steps &+ feature, features + place)
            store(steps &+ steps &+ corner, corners + place)
            feature = feature &+ 8 &* channels
            corner = corner &+ 16 &* channels
            place += 8
        }
        found += length
    }
    windows.pointee.count = found
    guard found > 0 else { return }
    let lastFeature = features[found - 1], lastCorner = corners[found - 1]
    for place in found ..< found + Int(DP_POOL_OVERRUN) { (features[place], corners[place]) = (lastFeature, lastCorner) }
}

/// Calls `body` for the floats of each run of windows that are in none of `runs`.
@inline(__always)
private func forOthers(_ shape: dp_conv_shape, _ count: Int, _ runs: UnsafePointer<dp_run>, _ body: (Range<Int>) -> Void) {
    let windows = shape.height / 2 * (shape.width / 2), channels = shape.channels
    var end = 0
    for run in 0 ... count {
        let next = run < count ? Int(runs[run].first) : windows
        if end < next { body(Range(uncheckedBounds: (end * channels, next * channels))) }
        if run < count { end = next + Int(runs[run].count) }
    }
}

@_cdecl("dp_copy_blank")
public func dp_copy_blank(_ shape: dp_conv_shape, _ count: Int, _ runs: UnsafePointer<dp_run>?, _ blankPooled: UnsafePointer<Float>?,
                          _ blankChoice: UnsafePointer<UInt8>?, _ pooled: UnsafeMutablePointer<Float>?, _ choice: UnsafeMutablePointer<UInt8>?) {
    guard let runs, let blankPooled, let blankChoice, let pooled, let choice else { return }
    forOthers(shape, count, runs) { floats in
        memcpy(pooled + floats.lowerBound, blankPooled + floats.lowerBound, floats.count * MemoryLayout<Float>.stride)
        memcpy(choice + floats.lowerBound, blankChoice + floats.lowerBound, floats.count)
    }
}

@_cdecl("dp_add_blank")
public func dp_add_blank(_ shape: dp_conv_shape, _ count: Int, _ runs: UnsafePointer<dp_run>?, _ gradient: UnsafePointer<Float>?,
                         _ sum: UnsafeMutablePointer<Float>?) {
    guard let runs, let gradient, let sum else { return }
    forOthers(shape, count, runs) { floats in
        var place = floats.lowerBound
        while place < floats.upperBound {
            sum.store(sum.vector(place) + gradient.vector(place), place)
            place += lanes
        }
    }
}
