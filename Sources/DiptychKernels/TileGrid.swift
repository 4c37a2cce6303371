import CDiptychPlatform

/// The tiles of an image: ceil(windows / 2) in each direction.
struct TileGrid {
    let windowRows: Int, windowColumns: Int
    let rows: Int, columns: Int
    private let byColumns: Divisor

    @inline(__always) init(_ shape: dp_conv_shape) {
        windowRows = shape.height / 2
        windowColumns = shape.width / 2
        rows = (windowRows + 1) / 2
        columns = (windowColumns + 1) / 2
        byColumns = Divisor(columns)
    }

    @inline(__always) func tile(_ number: Int) -> Tile {
        let row = byColumns.divide(number)
        return tile(row: row, column: number - row * columns)
    }

    @inline(__always) func tile(row: Int, column: Int) -> Tile {
        let oddRow = windowRows & 1, oddColumn = windowColumns & 1
        return Tile(row: max(2 * row - oddRow, 0), column: max(2 * column - oddColumn, 0), tall: row >= oddRow, wide: column >= oddColumn)
    }
}

/// A tile's first window, and whether it has two in each direction.
struct Tile {
    let row: Int, column: Int
    let tall: Bool, wide: Bool

    /// Behind its last row and column of windows.
    @inline(__always) var bottom: Int { row + (tall ? 2 : 1) }
    @inline(__always) var right: Int { column + (wide ? 2 : 1) }
}

/// Of numbers that are not negative: a division of 32 bits takes half of the time.
@inline(__always) func quotient(_ a: Int, _ b: Int) -> Int { Int(UInt32(truncatingIfNeeded: a) / UInt32(truncatingIfNeeded: b)) }

/// Divides many numbers, each by one multiplication: numbers from 0 to below 2^31, of which the product with `value` is below 2^32.
struct Divisor {
    private let reciprocal: Int

    @inline(__always) init(_ value: Int) { reciprocal = quotient(0xFFFF_FFFF, value) &+ 1 }

    /// The reciprocal is too large by less than 1, so the quotient by less than number / 2^32, and that is less than 1 / value.
    @inline(__always) func divide(_ number: Int) -> Int { (number &* reciprocal) &>> 32 }
}
