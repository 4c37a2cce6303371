import CDiptychPlatform

extension PoolLists {
    /// Lists the windows' gradients, of an image whose lines are `line` floats. Without a branch for each value: which are zero cannot be
    /// foreseen.
    func fill(_ windows: dp_windows, _ range: Range<Int>, line: Int, gradient: UnsafePointer<Float>, choice: UnsafePointer<UInt8>) {
        memset(counts, 0, channels * MemoryLayout<Int32>.stride)
        // From a window's corner to the patches of its four choices.
        let offsets = scratch
        let down = Int32(truncatingIfNeeded: line), right = Int32(truncatingIfNeeded: channels)
        offsets[0] = 0; offsets[1] = right; offsets[2] = down; offsets[3] = down &+ right
        var first = range.lowerBound
        while first < range.upperBound {
            let some = UInt16(truncatingIfNeeded: (1 << min(16, range.upperBound - first)) - 1)
            var block = 0
            while block < channels {
                dp_list_pool16(gradient + block, choice + block, windows.features + first, windows.corners + first, offsets, some, stride,
                               values + block * stride, patches + block * stride, counts + block)
                block += 8
            }
            first += 16
        }
    }
}
