import CDiptychPlatform

/// See kernels.h. A tile's convolutions reach 2 pixels beyond its windows.
func liveTiles(_ shape: dp_conv_shape, x: UnsafePointer<Float>, background: Float, list: UnsafeMutablePointer<Int32>) -> Int {
    let stride = shape.width + 2, grid = TileGrid(shape)
    var count = 0, number = 0
    // A bit for each column in which one of a row of tiles' pixels differs; images are at most 256 wide.
    var columns = SIMD64<UInt8>()
    withUnsafeMutableBytes(of: &columns) { columns in
        for tileRow in 0 ..< grid.rows {
            let first = grid.tile(row: tileRow, column: 0)
            let top = max(2 * first.row - 2, 0), bottom = min(2 * first.bottom + 1, shape.height - 1)
            var column = 0
            while column < shape.width {
                // The last eight reach into the border and the next row.
                let different = dp_differ8(x + (top + 1) * stride + 1 + column, bottom - top + 1, stride, background)
                let beyond = max(column + 8 - shape.width, 0)
                columns[column / 8] = UInt8(truncatingIfNeeded: different & (0xFF &>> UInt64(beyond)))
                column += 8
            }
            columns[column / 8] = 0
            for tileColumn in 0 ..< grid.columns {
                let tile = grid.tile(row: tileRow, column: tileColumn)
                let left = max(2 * tile.column - 2, 0), right = min(2 * tile.right + 1, shape.width - 1)
                let seen = UInt32(columns[left / 8]) | UInt32(columns[left / 8 + 1]) &<< 8
                // Written always, kept only where it counts: no branch to mispredict.
                list[count] = Int32(truncatingIfNeeded: number)
                count += (seen &>> UInt32(left % 8)) & ((1 &<< UInt32(right - left + 1)) - 1) != 0 ? 1 : 0
                number += 1
            }
        }
    }
    return count
}
