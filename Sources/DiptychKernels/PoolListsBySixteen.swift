import CDiptychPlatform

extension PoolLists {
    /// Lists whole rows of windows, `columns` to a row, of an image whose lines are `line` floats. Without a branch for each value:
    /// which are zero cannot be foreseen.
    func fill(windows: Int, columns: Int, line: Int, gradient: UnsafePointer<Float>, choice: UnsafePointer<UInt8>) {
        memset(counts, 0, channels * MemoryLayout<Int32>.stride)
        // From a window's corner to the patches of its four choices; where the gradients of sixteen windows begin; all windows' corners.
        let offsets = scratch, rows = offsets + 16, corners = rows + 16
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
        store(order &* right, rows)
        var first = 0
        while first < windows {
            let count = min(16, windows - first), some = UInt16(truncatingIfNeeded: (1 << count) - 1)
            // Behind the last window it is there once more.
            for k in count ..< 16 { rows[k] = rows[count - 1] }
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
