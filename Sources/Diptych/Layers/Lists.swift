import CDiptychPlatform

extension dp_lists {
    /// Floats of scratch memory that lists take.
    static let floats = 2 * Int(DP_LISTS * DP_LIST_STRIDE) + Int(DP_LISTS)

    init(_ scratch: UnsafeMutablePointer<Float>) {
        let integers = UnsafeMutableRawPointer(scratch + Int(DP_LISTS * DP_LIST_STRIDE)).assumingMemoryBound(to: Int32.self)
        self.init(values: scratch, places: integers, counts: integers + Int(DP_LISTS * DP_LIST_STRIDE))
    }

    /// target[rows, 16 * panels] (+)= x[rows, depth] * b, of x what is not zero; depth is at most DP_LIST_DEPTH, b's rows are 16
    /// floats, its panels bPanel apart.
    func multiply(rows: Int, panels: Int, depth: Int, x: UnsafePointer<Float>, xRow: Int, b: UnsafePointer<Float>, bPanel: Int,
                  into target: UnsafeMutablePointer<Float>, row targetRow: Int, accumulate: Bool) {
        var first = 0
        while first < rows {
            let count = min(Int(DP_LISTS), rows - first)
            kernels.list_rows(count, depth, x + first * xRow, xRow, 16, self)
            kernels.multiply_lists(count, panels, self, b, bPanel, target + first * targetRow, targetRow, 16, accumulate)
            first += count
        }
    }

    func dropFirst(_ count: Int) -> dp_lists {
        dp_lists(values: values + count * Int(DP_LIST_STRIDE), places: places + count * Int(DP_LIST_STRIDE), counts: counts + count)
    }
}
