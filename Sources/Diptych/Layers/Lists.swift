import CDiptychPlatform

extension dp_lists {
    /// Floats of scratch memory that lists take.
    static let floats = 2 * Int(DP_LISTS * DP_LIST_STRIDE) + Int(DP_LISTS)

    init(_ scratch: UnsafeMutablePointer<Float>) {
        let integers = UnsafeMutableRawPointer(scratch + Int(DP_LISTS * DP_LIST_STRIDE)).assumingMemoryBound(to: Int32.self)
        self.init(values: scratch, places: integers, counts: integers + Int(DP_LISTS * DP_LIST_STRIDE))
    }

    func dropFirst(_ count: Int) -> dp_lists {
        dp_lists(values: values + count * Int(DP_LIST_STRIDE), places: places + count * Int(DP_LIST_STRIDE), counts: counts + count)
    }
}
