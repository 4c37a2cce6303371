import CDiptychPlatform

/// See kernels.h. A tile's convolutions reach 2 pixels beyond its windows: it sees eight columns, four further on than the tile before.
func liveTiles(_ shape: dp_conv_shape, x: UnsafePointer<Float>, background: Float, list: UnsafeMutablePointer<Int32>) -> Int {
    let stride = shape.width + 2, grid = TileGrid(shape), inWord = 64 / 4 - 1
    var count = 0, number = 0
    for tileRow in 0 ..< grid.rows {
        let first = grid.tile(row: tileRow, column: 0)
        let top = max(2 * first.row - 2, 0), bottom = min(2 * first.bottom + 1, shape.height - 1)
        // As if a narrow first tile began a window before the image.
        var start = -2 - 2 * (grid.windowColumns & 1), left = grid.columns
        while left > 0 {
            let tiles = min(inWord, left), end = min(start + 4 * tiles + 4, shape.width)
            // A bit for each column, from `start` on, in which one of the pixels differs.
            var columns: UInt64 = 0, column = max(start, 0)
            while column < end {
                // The last eight reach into the border and the next row.
                let different = dp_differ8(x + (top + 1) * stride + 1 + column, bottom - top + 1, stride, background)
                columns |= (different & (0xFF &>> UInt64(max(column + 8 - shape.width, 0)))) &<< UInt64(column - start)
                column += 8
            }
            for _ in 0 ..< tiles {
                // Written always, kept only where it counts: no branch to mispredict.
                list[count] = Int32(truncatingIfNeeded: number)
                count += columns & 0xFF != 0 ? 1 : 0
                number += 1
                columns &>>= 4
            }
            start += 4 * tiles
            left -= tiles
        }
    }
    return count
}
