import CDiptychPlatform

extension PoolLists {
    /// Lists whole rows of windows, `columns` to a row, of an image whose lines are `line` floats. Without a branch for each value:
    /// which are zero cannot be foreseen.
    func fill(windows: Int, columns: Int, line: Int, gradient: UnsafePointer<Float>, choice: UnsafePointer<UInt8>) {
        memset(counts, 0, channels * MemoryLayout<Int32>.stride)
        // Eight windows of eight channels, transposed; of eight windows where their gradients begin, and each channel's patch.
        let eightValues = UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: Float.self), eightPatches = scratch + 64
        let rows = eightPatches + 64, windowPatches = rows + 8
        let down = Int32(truncatingIfNeeded: line), right = Int32(truncatingIfNeeded: channels)
        var first = 0, row = 0, column = 0
        while first < windows {
            let count = min(8, windows - first), some = UInt8(truncatingIfNeeded: (1 << count) - 1)
            for k in 0 ..< 8 { rows[k] = Int32(truncatingIfNeeded: min(k, count - 1) * channels) }
            for k in 0 ..< count {
                let corner = Int32(truncatingIfNeeded: 2 * (row * line + column * channels))
                for block in 0 ..< channels / 8 {
                    let place = k * channels + 8 * block
                    dp_patches8(choice + first * channels + place, corner, down, right, windowPatches + place)
                }
                column += 1
                if column == columns { (row, column) = (row + 1, 0) }
            }
            var block = 0
            while block < channels {
                dp_transpose(gradient + first * channels + block, rows, eightValues, 8)
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
