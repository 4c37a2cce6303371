import CDiptychPlatform
import DiptychReference
import Testing

/// What skips zeros: the lists, and the products by lists, which must be the plain product's bits.
@Suite struct ListKernelTests {
    /// Lists in memory between bands.
    private struct Lists {
        let stride: Int, values: Guarded<Float>, places: Guarded<Int32>
        let counts = Guarded<Int32>(count: Int(DP_LISTS))

        init(stride: Int = Int(DP_LIST_STRIDE)) {
            self.stride = stride
            (values, places) = (Guarded(count: Int(DP_LISTS) * stride), Guarded(count: Int(DP_LISTS) * stride))
        }

        var lists: dp_lists { dp_lists(values: values.pointer, places: places.pointer, counts: counts.pointer, stride: stride) }
        var bandsAreIntact: Bool { values.bandsAreIntact && places.bandsAreIntact && counts.bandsAreIntact }

        func list(_ index: Int) -> [(place: Int32, value: Float)] {
            (index * stride ..< index * stride + Int(counts.values[index])).map { (places.pointer[$0], values.pointer[$0]) }
        }
    }

    /// `rows` of `width` values, `alive` of which are not zero, with a gap behind each row.
    private static func thin(_ random: inout Keyed, rows: Int, width: Int, pitch: Int, alive: Float) -> [Float] {
        DenseKernelTests.matrix(&random, rows: rows, width: width, pitch: pitch).map {
            $0.isNaN || Float.random(in: 0 ..< 1, using: &random) < alive ? $0 : 0 * $0
        }
    }

    private static func expect(_ actual: [(place: Int32, value: Float)], _ line: [Float], places: [Int32], _ comment: Comment) {
        let expected = Reference.list(line, places: places)
        #expect(actual.map(\.place) == expected.map(\.place) && bits(actual.map(\.value)) == bits(expected.map(\.value)), comment)
    }

    @Test(arguments: KernelTable.all) func lists(_ table: KernelTable) {
        var random = Keyed(31)
        for i in 0 ..< 60 {
            let alive = [0, 0.05, 0.3, 0.7, 1][i % 5] as Float
            let step = [1, 16, 6272][i % 3]
            // The longest lists and the most of them, too.
            let rows = i == 0 ? Int(DP_LISTS) : Int.random(in: 1 ... Int(DP_LISTS), using: &random)
            let width = i % 7 == 0 ? Int(DP_LIST_DEPTH) : 8 * Int.random(in: 1 ... Int(DP_LIST_DEPTH) / 8, using: &random)
            let pitch = width + 8 * (i % 3)
            var x = Self.thin(&random, rows: rows, width: width, pitch: pitch, alive: alive)
            x[0] = .nan // a training that diverges must stay visible
            x[width - 1] = -0.0
            let comment: Comment = "\(rows) x \(width), \(alive) alive"
            // As long as their lists may become, and what is overwritten behind them.
            let byRow = Lists(stride: width + 8 + i % 3), live = Guarded<UInt8>(count: width / 8)
            // One after another, or anywhere.
            let places = (0 ..< width).map { Int32(i % 2 == 0 ? step * $0 : Int.random(in: 0 ..< 1 << 30, using: &random)) }
            var count = 0
            _ = call([x], []) { x, _ in
                table.kernels.list_rows(rows, width, x[0], pitch, places, byRow.lists)
                table.kernels.live_columns(rows, width, x[0], pitch, live.pointer)
                count = table.kernels.count_nonzeros(rows, width, x[0], pitch)
            }
            #expect(byRow.bandsAreIntact, comment)
            for row in 0 ..< rows {
                Self.expect(byRow.list(row), Array(x[row * pitch ..< row * pitch + width]), places: places, comment)
            }
            for column in 0 ..< width {
                let isLive = (0 ..< rows).contains { x[$0 * pitch + column] != 0 }
                #expect((live.values[column / 8] >> UInt8(column % 8) & 1 == 1) == isLive, comment)
            }
            #expect(live.bandsAreIntact, comment)
            #expect(count == (0 ..< rows).reduce(0) { $0 + Int(byRow.counts.values[$1]) }, comment)

            // The same numbers the other way: width and rows change places.
            let columns = min(width, Int(DP_LISTS)), byColumn = Lists(stride: rows + i % 3), rowPlaces = (0 ..< rows).map { Int32(step * $0) }
            _ = call([x], []) { x, _ in table.kernels.list_columns(rows, columns, x[0], pitch, step, byColumn.lists) }
            #expect(byColumn.bandsAreIntact, comment)
            for column in 0 ..< columns {
                Self.expect(byColumn.list(column), (0 ..< rows).map { x[$0 * pitch + column] }, places: rowPlaces, comment)
            }
        }
    }

    @Test(arguments: KernelTable.all) func columnsAsLongAsAList(_ table: KernelTable) {
        var random = Keyed(32)
        let rows = Int(DP_LIST_DEPTH), x = random.floats(rows * 16), lists = Lists()
        _ = call([x], []) { x, _ in table.kernels.list_columns(rows, 16, x[0], 16, 3, lists.lists) }
        let places = (0 ..< Int32(rows)).map { 3 * $0 }
        for column in 0 ..< 16 { Self.expect(lists.list(column), (0 ..< rows).map { x[16 * $0 + column] }, places: places, "\(column)") }
        #expect(lists.bandsAreIntact)
    }

    /// Every number of panels, lists in their order or in another, blocks of depth one after another, panels of c side by side or far apart.
    @Test(arguments: KernelTable.all) func productsHaveTheSameBits(_ table: KernelTable) {
        var random = Keyed(33)
        for i in 0 ..< 60 {
            let rows = 1 + i, panels = 1 + i % 20, depth = 8 * Int.random(in: 1 ... 100, using: &random), pitch = depth + 8 * (i % 2)
            let a = Self.thin(&random, rows: rows, width: depth, pitch: pitch, alive: [0.02, 0.2, 0.9][i % 3])
            let b = random.floats(16 * panels * depth), inRows = i % 4 < 2
            let cRow = inRows ? 16 * panels + 16 : 16, cPanel = inRows ? 16 : 16 * rows
            let size = inRows ? (rows - 1) * cRow + 16 * panels : 16 * rows * panels
            let expected = call([a, b], [unwritten(16 * rows * panels)]) {
                table.kernels.multiply(rows, panels, depth, $0[0], pitch, $0[1], 16 * depth, $1[0], 16 * panels)
            }[0]
            // The lists one after another, or in any order.
            let lists = Lists(), places = (0 ..< Int32(DP_LIST_DEPTH)).map { 16 * $0 }
            let order: [Int32]? = i % 3 == 0 ? nil : (0 ..< Int32(rows)).shuffled(using: &random)
            let actual = call([a, b], [unwritten(size)]) { inputs, outputs in
                var done = 0
                while done < depth {
                    let width = min(8 * (1 + i), depth - done, Int(DP_LIST_DEPTH))
                    for row in 0 ..< rows {
                        let list = order.map { Int($0[row]) } ?? row, x = inputs[0] + row * pitch + done
                        var own = lists.lists
                        own.values += list * own.stride
                        own.places += list * own.stride
                        own.counts += list
                        table.kernels.list_rows(1, width, x, pitch, places, own)
                    }
                    table.kernels.multiply_lists(rows, panels, lists.lists, order, inputs[1] + 16 * done, 16 * depth, outputs[0], cRow, cPanel,
                                                 done > 0)
                    done += width
                }
            }[0]
            let gathered = (0 ..< 16 * rows * panels).map { index in
                let row = index / (16 * panels), column = index % (16 * panels)
                return actual[row * cRow + column / 16 * cPanel + column % 16]
            }
            #expect(bits(gathered) == bits(expected), "\(rows) x \(16 * panels) x \(depth)")
        }
    }
}
