import CDiptychPlatform

/// The gradients of a band of pool windows that are not zero, a list a channel: their values, and where the 3x3 patches begin that
/// they came from.
struct PoolLists {
    let channels: Int
    /// From one list to the next: lists are written eight values at a time, so each may run over by as many.
    let stride: Int
    let values: UnsafeMutablePointer<Float>
    let patches: UnsafeMutablePointer<Int32>
    let counts: UnsafeMutablePointer<Int32>
    /// Of eight windows: where their gradients begin, and each channel's patch: [8][channels].
    private let rows: UnsafeMutablePointer<Int32>
    private let windowPatches: UnsafeMutablePointer<Int32>
    /// Eight windows of eight channels, transposed.
    private let eightValues: UnsafeMutablePointer<Float>
    private let eightPatches: UnsafeMutablePointer<Int32>

    init(windows: Int, channels: Int, scratch: UnsafeMutablePointer<Float>) {
        self.channels = channels
        stride = windows + 8
        values = scratch
        eightValues = values + stride * channels
        patches = UnsafeMutableRawPointer(eightValues + 64).assumingMemoryBound(to: Int32.self)
        eightPatches = patches + stride * channels
        rows = eightPatches + 64
        windowPatches = rows + 8
        counts = windowPatches + 8 * channels
    }

    /// Lists whole rows of windows, `columns` to a row, of an image whose lines are `line` floats. Without a branch for each value:
    /// which are zero cannot be foreseen.
    func fill(windows: Int, columns: Int, line: Int, gradient: UnsafePointer<Float>, choice: UnsafePointer<UInt8>) {
        memset(counts, 0, channels * MemoryLayout<Int32>.stride)
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
