import CDiptychPlatform

// Activations behind a ReLU, and gradients that come back through one, are mostly zero: what is multiplied by zero is
// skipped. A list holds the values of a row that are not zero and where their rows of B begin. The products are those of
// `multiply` without the zeros, in the same order: the result has the same bits, but for the sign of a zero.

/// One list by up to twelve vectors of columns, of which `vectors`, a constant to the compiler, are there. b's and c's lie as `column`
/// says.
@inline(__always)
private func multiply(vectors: Int, _ count: Int, _ values: UnsafePointer<Float>, _ places: UnsafePointer<Int32>, _ b: UnsafePointer<Float>,
                 _ bPanel: Int, _ c: UnsafeMutablePointer<Float>, _ cPanel: Int, _ accumulate: Bool) {
    var c0 = Vector.zero, c1 = Vector.zero, c2 = Vector.zero, c3 = Vector.zero, c4 = Vector.zero, c5 = Vector.zero
    var c6 = Vector.zero, c7 = Vector.zero, c8 = Vector.zero, c9 = Vector.zero, c10 = Vector.zero, c11 = Vector.zero
    if accumulate {
        @inline(__always) func load(_ index: Int) -> Vector { index < vectors ? c.vector(column(index, cPanel)) : .zero }
        c0 = load(0); c1 = load(1); c2 = load(2); c3 = load(3); c4 = load(4); c5 = load(5)
        c6 = load(6); c7 = load(7); c8 = load(8); c9 = load(9); c10 = load(10); c11 = load(11)
    }
    for k in 0 ..< count {
        let value = Vector(repeating: values[k]), b = b + Int(places[k])
        @inline(__always) func add(_ sum: Vector, _ index: Int) -> Vector {
            index < vectors ? fma(sum, value, b.vector(column(index, bPanel))) : sum
        }
        c0 = add(c0, 0); c1 = add(c1, 1); c2 = add(c2, 2); c3 = add(c3, 3); c4 = add(c4, 4); c5 = add(c5, 5)
        c6 = add(c6, 6); c7 = add(c7, 7); c8 = add(c8, 8); c9 = add(c9, 9); c10 = add(c10, 10); c11 = add(c11, 11)
    }
    @inline(__always) func store(_ sum: Vector, _ index: Int) { if index < vectors { c.store(sum, column(index, cPanel)) } }
    store(c0, 0); store(c1, 1); store(c2, 2); store(c3, 3); store(c4, 4); store(c5, 5)
    store(c6, 6); store(c7, 7); store(c8, 8); store(c9, 9); store(c10, 10); store(c11, 11)
}

/// The lists' products with some of the columns. Each number of vectors is a function of its own, because the optimizer stops inlining
/// in large ones.
private struct ListProducts {
    let count: Int
    let lists: dp_lists
    let order: UnsafePointer<Int32>?
    let b: UnsafePointer<Float>, bPanel: Int
    let c: UnsafeMutablePointer<Float>, cRow: Int, cPanel: Int
    let accumulate: Bool

    @inline(__always)
    private func rows(vectors: Int) {
        for row in 0 ..< count {
            let list = if let order { Int(order[row]) } else { row }
            let values = UnsafePointer(lists.values + list * lists.stride)
            let places = UnsafePointer(lists.places + list * lists.stride)
            // The loop over a list ends in a misprediction, and behind it the next list would be waited for.
            for line in 0 ..< 2 {
                dp_prefetch(values + (lists.stride + 16 * line))
                dp_prefetch(places + (lists.stride + 16 * line))
            }
            multiply(vectors: vectors, Int(lists.counts[list]), values, places, b, bPanel, c + row * cRow, cPanel, accumulate)
        }
    }

    @inline(never) func byTwelve() { rows(vectors: 12) }
    @inline(never) func byEight() { rows(vectors: 8) }
    @inline(never) func bySix() { rows(vectors: 6) }
    @inline(never) func byFour() { rows(vectors: 4) }
    @inline(never) func byPanel() { rows(vectors: 16 / lanes) }
}

func multiplyLists(count: Int, panels: Int, lists: dp_lists, order: UnsafePointer<Int32>?, b: UnsafePointer<Float>, bPanel: Int,
                   c: UnsafeMutablePointer<Float>, cRow: Int, cPanel: Int, accumulate: Bool) {
    let panel = 16 / lanes
    var done = 0
    while done < panels * panel {
        // Of the last vectors sixteen are twice eight: a list's beginning and end cost as much as four vectors.
        let left = panels * panel - done
        let width = left >= 12 && left != 16 ? 12 : left >= 8 ? 8 : left >= 6 ? 6 : left >= 4 ? 4 : panel
        let products = ListProducts(count: count, lists: lists, order: order, b: b + column(done, bPanel), bPanel: bPanel,
                                    c: c + column(done, cPanel), cRow: cRow, cPanel: cPanel, accumulate: accumulate)
        switch width {
        case 12: products.byTwelve()
        case 8: products.byEight()
        case 6 where lanes > 4: products.bySix()
        case 4: products.byFour()
        default: products.byPanel()
        }
        done += width
    }
}
