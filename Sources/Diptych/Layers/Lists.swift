import CDiptychPlatform

/// Where the rows of a panel begin, of as many as a list is long.
nonisolated(unsafe) let rowPlaces: UnsafePointer<Int32> = {
    let places = UnsafeMutablePointer<Int32>.allocate(capacity: Int(DP_LIST_DEPTH))
    for row in 0 ..< Int(DP_LIST_DEPTH) { places[row] = Int32(16 * row) }
    return UnsafePointer(places)
}()

extension dp_lists {
    /// Floats of scratch memory that lists take.
    static let floats = 2 * Int(DP_LISTS * DP_LIST_STRIDE) + Int(DP_LISTS)

    init(_ scratch: UnsafeMutablePointer<Float>) {
        let integers = UnsafeMutableRawPointer(scratch + Int(DP_LISTS * DP_LIST_STRIDE)).assumingMemoryBound(to: Int32.self)
        self.init(values: scratch, places: integers, counts: integers + Int(DP_LISTS * DP_LIST_STRIDE))
    }

    /// target[rows, 16 * panels] (+)= x[rows, depth] * b, of x what is not zero; depth is at most DP_LIST_DEPTH, b's panels are
    /// bPanel apart, its rows of 16 floats one after another or at `places`.
    func multiply(rows: Int, panels: Int, depth: Int, x: UnsafePointer<Float>, xRow: Int, b: UnsafePointer<Float>, bPanel: Int,
                  places: UnsafePointer<Int32>? = nil, into target: UnsafeMutablePointer<Float>, row targetRow: Int, accumulate: Bool) {
        var first = 0
        while first < rows {
            let count = min(Int(DP_LISTS), rows - first)
            kernels.list_rows(count, depth, x + first * xRow, xRow, places ?? rowPlaces, self)
            kernels.multiply_lists(count, panels, self, b, bPanel, target + first * targetRow, targetRow, 16, accumulate)
            first += count
        }
    }

    func dropFirst(_ count: Int) -> dp_lists {
        dp_lists(values: values + count * Int(DP_LIST_STRIDE), places: places + count * Int(DP_LIST_STRIDE), counts: counts + count)
    }
}
