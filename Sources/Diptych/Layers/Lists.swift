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
        self.init(values: scratch, places: integers, counts: integers + Int(DP_LISTS * DP_LIST_STRIDE), stride: Int(DP_LIST_STRIDE))
    }

    /// target[rows, 16 * panels] (+)= x[rows, depth] * b, of x what is not zero; depth is at most DP_LIST_DEPTH, b's panels are
    /// bPanel apart.
    func multiply(rows: Int, panels: Int, depth: Int, x: UnsafePointer<Float>, xRow: Int, b: UnsafePointer<Float>, bPanel: Int,
                  into target: UnsafeMutablePointer<Float>, row targetRow: Int, accumulate: Bool) {
        var first = 0
        while first < rows {
            let count = min(Int(DP_LISTS), rows - first)
            kernels.list_rows(count, depth, x + first * xRow, xRow, rowPlaces, self)
            kernels.multiply_lists(count, panels, self, nil, b, bPanel, target + first * targetRow, targetRow, 16, accumulate)
            first += count
        }
    }

    func dropFirst(_ count: Int) -> dp_lists {
        dp_lists(values: values + count * stride, places: places + count * stride, counts: counts + count, stride: stride)
    }
}

/// The lists of a whole matrix, made once and read by many items: blocks of as many lists, [block][list][stride].
final class BlockedLists: @unchecked Sendable {
    let blocks: Int
    private let lists: Int
    private let stride: Int
    private let values: Buffer<Float>
    private let places: Buffer<Int32>
    private let counts: Buffer<Int32>

    /// `lists` lists of up to `depth` values in each block.
    init(blocks: Int, lists: Int, depth: Int, for what: StaticString, on pool: WorkerPool) throws(DiptychError) {
        self.blocks = blocks
        self.lists = lists
        // Room for what a list's making overwrites behind it, and an odd number of cache lines, as in kernels.h.
        stride = 16 * ((depth + 8 + 15) / 16 | 1)
        values = try Buffer(count: product(blocks, lists, stride, of: what), for: what, on: pool)
        places = try Buffer(count: blocks * lists * stride, for: what, on: pool)
        counts = try Buffer(count: blocks * lists, for: what)
    }

    /// The lists of block `block` from `first` on.
    func block(_ index: Int, from first: Int = 0) -> dp_lists {
        let list = index * lists + first
        return dp_lists(values: values.pointer + list * stride, places: places.pointer + list * stride, counts: counts.pointer + list,
                        stride: stride)
    }

    /// The values that lists `range` of the first `blocks` blocks hold.
    func total(_ range: Range<Int>, blocks: Int) -> Int {
        var total = 0
        for block in 0 ..< blocks {
            for list in range { total += Int(counts[block * lists + list]) }
        }
        return total
    }
}
