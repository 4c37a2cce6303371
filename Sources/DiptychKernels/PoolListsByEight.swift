import CDiptychPlatform

extension PoolLists {
    /// Lists the windows' gradients, of an image whose lines are `line` floats. Without a branch for each value: which are zero cannot be
    /// foreseen.
    func fill(_ windows: dp_windows, _ range: Range<Int>, line: Int, gradient: UnsafePointer<Float>, choice: UnsafePointer<UInt8>) {
        memset(counts, 0, channels * MemoryLayout<Int32>.stride)
        // Eight windows of eight channels, transposed; of eight windows each channel's patch, and where a window's begin.
        let eightValues = UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: Float.self), eightPatches = scratch + 64
        let rows = eightPatches + 64, windowPatches = rows + 8
        let down = Int32(truncatingIfNeeded: line), right = Int32(truncatingIfNeeded: channels)
        for k in 0 ..< 8 { rows[k] = Int32(truncatingIfNeeded: k) &* right }
        var first = range.lowerBound
        while first < range.upperBound {
            let some = UInt8(truncatingIfNeeded: (1 << min(8, range.upperBound - first)) - 1)
            let features = windows.features + first, corners = windows.corners + first
            for k in 0 ..< 8 {
                for block in 0 ..< channels / 8 {
                    dp_patches8(choice + Int(features[k]) + 8 * block, corners[k], down, right, windowPatches + k * channels + 8 * block)
                }
            }
            var block = 0
            while block < channels {
                dp_transpose(gradient + block, features, eightValues, 8)
                dp_transpose_integers(windowPatches + block, rows, eightPatches, 8)
                // `min` keeps the loop from being unrolled, which would be 3 KB of code for nothing.
                for channel in block ..< min(block + 8, channels) {
                    let these = eightValues + 8 * (channel - block), places = eightPatches + 8 * (channel - block)
                    let alive = UInt8(truncatingIfNeeded: dp_nonzero8(these)) & some
                    let end = channel * stride + Int(counts[channel])
                    dp_compress8(these, places, alive, values + end, patches + end)
                    counts[channel] &+= Int32(truncatingIfNeeded: alive.nonzeroBitCount)
                }
                block += 8
            }
            first += 8
        }
    }
}
