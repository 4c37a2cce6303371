import CDiptychPlatform

extension dp_lists {
    /// Floats of scratch memory that lists take.
    static let floats = 2 * Int(DP_LISTS * DP_LIST_DEPTH) + Int(DP_LISTS)

    init(_ scratch: UnsafeMutablePointer<Float>) {
        let integers = UnsafeMutableRawPointer(scratch + Int(DP_LISTS * DP_LIST_DEPTH)).assumingMemoryBound(to: Int32.self)
        self.init(values: scratch, places: integers, counts: integers + Int(DP_LISTS * DP_LIST_DEPTH))
    }
}
