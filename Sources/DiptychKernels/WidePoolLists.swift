import CDiptychPlatform

/// The gradients of a band of pool windows that are not zero, a list a channel: their values, and where the 3x3 patches begin that
/// they came from. What PoolLists.swift does, sixteen windows at a time.
struct PoolLists {
    let channels: Int
    /// From one list to the next: lists are written sixteen values at a time, so each may run over by as many.
    let stride: Int
    let values: UnsafeMutablePointer<Float>
    let patches: UnsafeMutablePointer<Int32>
    let counts: UnsafeMutablePointer<Int32>
    /// Where the windows' first patches begin, and from there to those of the four choices.
    private let corners: UnsafeMutablePointer<Int32>
    private let offsets: UnsafeMutablePointer<Int32>
    /// Where the gradients of sixteen windows begin.
    private let rows: UnsafeMutablePointer<Int32>

    init(windows: Int, channels: Int, scratch: UnsafeMutablePointer<Float>) {
        self.channels = channels
        stride = windows + Int(DP_POOL_LISTED)
        values = scratch
        patches = UnsafeMutableRawPointer(values + stride * channels).assumingMemoryBound(to: Int32.self)
        counts = patches + stride * channels
        offsets = counts + channels
        rows = offsets + 16
        corners = rows + 16
    }

    /// Lists whole rows of windows, `columns` to a row, of an image whose lines are `line` floats. Without a branch for each value:
    /// which are zero cannot be foreseen.
    func fill(windows: Int, columns: Int, line: Int, gradient: UnsafePointer<Float>, choice: UnsafePointer<UInt8>) {
        memset(counts, 0, channels * MemoryLayout<Int32>.stride)
        let down = Int32(truncatingIfNeeded: line), right = Int32(truncatingIfNeeded: channels)
        offsets[0] = 0; offsets[1] = right; offsets[2] = down; offsets[3] = down &+ right
        let order = SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), apart = order &* (2 &* right)
        @inline(__always) func store(_ places: SIMD16<Int32>, _ target: UnsafeMutablePointer<Int32>) {
            UnsafeMutableRawPointer(target).storeBytes(of: places, as: SIMD16<Int32>.self)
        }
        for row in 0 ..< windows / columns {
            var column = 0
            while column < columns {
                // What runs over the row's end is the next row's.
                let corner = Int32(truncatingIfNeeded: 2 * (row * line + column * channels))
                store(apart &+ corner, corners + (row * columns + column))
                column += 16
            }
        }
        var first = 0
        while first < windows {
            let count = min(16, windows - first), some = UInt16(truncatingIfNeeded: (1 << count) - 1)
            // Those that are not there are the last once more.
            let last = Int32(truncatingIfNeeded: count - 1)
            store(order.replacing(with: last, where: order .> last) &* right, rows)
            var block = 0
            while block < channels {
                let place = first * channels + block
                dp_list_pool16(gradient + place, choice + place, rows, corners + first, offsets, some, stride, values + block * stride,
                               patches + block * stride, counts + block)
                block += 8
            }
            first += 16
        }
    }
}
