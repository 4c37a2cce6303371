import CDiptychPlatform

// cl2 and its pool, by Winograd's method (Winograd.swift) over tiles of 2x2 pool windows: a patch of 6x6 inputs gives 4x4
// outputs with 36 products a pair of channels instead of 144. Where the windows of a side are odd in number, the first
// row or column of tiles is one window wide, its patches four wide. Three passes: patches to their values at the points,
// a small matrix product for each point, and back with bias, ReLU and max at once.

/// What a tile's size is, known to the compiler.
private protocol TileKind {
    static var tall: Bool { get }
    static var wide: Bool { get }
}

private enum TallNarrow: TileKind {
    static var tall: Bool { true }
    static var wide: Bool { false }
}

private enum TallWide: TileKind {
    static var tall: Bool { true }
    static var wide: Bool { true }
}

private enum ShortWide: TileKind {
    static var tall: Bool { false }
    static var wide: Bool { true }
}

private enum ShortNarrow: TileKind {
    static var tall: Bool { false }
    static var wide: Bool { false }
}

/// How many tiles a vector holds the channels of: one, or two (Zipped.swift).
private protocol TileGroup {
    associatedtype Patch: VectorSource
    static var tiles: Int { get }
    static func patch(_ act: UnsafePointer<Float>, _ places: UnsafePointer<Place>, _ channel: Int) -> Patch
    static func bias(_ bias: UnsafePointer<Float>, _ channel: Int) -> Vector
    static func multiply(_ tiles: Int, _ channels: Int, _ v: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ m: UnsafeMutablePointer<Float>,
                         _ row: Int)
    /// A window of each tile, `offset` further on than its first.
    static func pool(_ v0: Vector, _ v1: Vector, _ v2: Vector, _ v3: Vector, _ bias: Vector, _ pooled: UnsafeMutablePointer<Float>,
                     _ choice: UnsafeMutablePointer<UInt8>, _ places: UnsafePointer<Place>, _ offset: Int)
}

private enum OneTile: TileGroup {
    static var tiles: Int { 1 }

    @inline(__always) static func patch(_ act: UnsafePointer<Float>, _ places: UnsafePointer<Place>, _ channel: Int) -> UnsafePointer<Float> {
        act + (Int(places[0].patch) + channel)
    }

    @inline(__always) static func bias(_ bias: UnsafePointer<Float>, _ channel: Int) -> Vector { bias.vector(channel) }

    @inline(__always)
    static func multiply(_ tiles: Int, _ channels: Int, _ v: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ m: UnsafeMutablePointer<Float>,
                         _ row: Int) {
        // AVX-512's last vector of odd eights goes eight further: there m has room, and b its next row or what is behind its last.
        let eight = lanes == 8 ? channels % 16 : 0, columns = lanes == 16 ? row : channels - eight
        if columns > 0 { multiplyTiles(tiles, columns, channels, v, row, weights, channels, 16, m, row, false) }
        if eight > 0 { multiplyEight(tiles, channels, v, row, weights + columns, channels, m + columns, row) }
    }

    @inline(__always)
    static func pool(_ v0: Vector, _ v1: Vector, _ v2: Vector, _ v3: Vector, _ bias: Vector, _ pooled: UnsafeMutablePointer<Float>,
                     _ choice: UnsafeMutablePointer<UInt8>, _ places: UnsafePointer<Place>, _ offset: Int) {
        let window = Int(places[0].window) + offset
        dp_max_pool(v0, v1, v2, v3, bias, pooled + window, choice + window)
    }
}

#if DIPTYCH_AVX512
/// Of eight channels.
private enum TwoTiles: TileGroup {
    static var tiles: Int { 2 }

    @inline(__always) static func patch(_ act: UnsafePointer<Float>, _ places: UnsafePointer<Place>, _ channel: Int) -> ZippedSource {
        ZippedSource(first: act + (Int(places[0].patch) + channel), second: act + (Int(places[1].patch) + channel))
    }

    @inline(__always) static func bias(_ bias: UnsafePointer<Float>, _ channel: Int) -> Vector { bias.doubled(channel) }

    @inline(__always)
    static func multiply(_ tiles: Int, _ channels: Int, _ v: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ m: UnsafeMutablePointer<Float>,
                         _ row: Int) {
        multiplyZipped(tiles / 2, v, weights, m)
    }

    @inline(__always)
    static func pool(_ v0: Vector, _ v1: Vector, _ v2: Vector, _ v3: Vector, _ bias: Vector, _ pooled: UnsafeMutablePointer<Float>,
                     _ choice: UnsafeMutablePointer<UInt8>, _ places: UnsafePointer<Place>, _ offset: Int) {
        let first = Int(places[0].window) + offset, second = Int(places[1].window) + offset
        dp_max_pool_zipped(v0, v1, v2, v3, bias, pooled + first, choice + first, pooled + second, choice + second)
    }
}
#endif

/// Tiles that go through the three passes together: v and m are [36 points][slot][channel], `point` floats a point and `slotRow` a slot. The
/// slots of a group are one: [channel][tile].
private struct TileBlock<Group: TileGroup> {
    let channels: Int
    let act: UnsafePointer<Float>, transformed: UnsafePointer<Float>, bias: UnsafePointer<Float>
    let pooled: UnsafeMutablePointer<Float>, choice: UnsafeMutablePointer<UInt8>
    /// The floats of a row of act, and of a row of windows.
    let line: Int, windowRow: Int
    let places: UnsafePointer<Place>
    let v: UnsafeMutablePointer<Float>, m: UnsafeMutablePointer<Float>, point: Int, slotRow: Int
    /// Whether another thread's cache may hold what was in the windows: asked for with the patches, it is given up before `pool` writes them.
    let shared: Bool
    /// A group's transform under way.
    let scratch: UnsafeMutablePointer<Float>

    /// `count`, but not as a constant: loops would be unrolled, to 5 KB of code more and nothing gained.
    @inline(__always) private func times(_ count: Int) -> Int { min(count, point) }

    /// For the library's size not in the baseline, and not for two tiles, which were 3 % slower to predict only for passing it by.
    @inline(__always) private static var mayAsk: Bool { Group.tiles == 1 && lanes > 4 }

    /// The channels that a vector holds from `c` on. A last one that would go too far begins earlier, and makes some of them again.
    @inline(__always) private func first(_ c: Int) -> Int { lanes == 16 && Group.tiles == 1 ? min(c, channels - lanes) : c }

    /// Asks for `floats` of a row of windows from `window` on, or of two.
    @inline(never)
    private func ask(_ window: Int, _ floats: Int, _ both: Bool) {
        var place = window
        while place < window + floats {
            dp_prefetch_write(pooled + place)
            if both { dp_prefetch_write(pooled + (place + windowRow)) }
            place += 16
        }
    }

    // The passes are functions of their own, because the optimizer stops inlining in large ones; they are mutating, so that what is above
    // is passed as one pointer.

    /// The patches of inputs of tiles of one kind, to their rows of v.
    @inline(never)
    mutating func transform<Kind: TileKind>(_ kind: Kind.Type, _ slots: Range<Int>) {
        let row = lanes * points.tall
        var slot = slots.lowerBound
        while slot < slots.upperBound {
            let places = places + slot
            if shared && Self.mayAsk { ask(Int(places[0].window), Kind.wide ? 2 * channels : channels, Kind.tall) }
            var done = 0
            while done < channels {
                let c = first(done), v = v + (slot * slotRow + c * Group.tiles)
                for x in 0 ..< times(Kind.wide ? points.tall : points.short) {
                    let source = Group.patch(act + x * channels, places, c), target = scratch + lanes * x
                    Kind.tall ? inputLine6(source, line, target, row) : inputLine4(source, line, target, row)
                }
                for y in 0 ..< times(Kind.tall ? points.tall : points.short) {
                    let source = UnsafePointer(scratch + y * row), target = v + points.tall * y * point
                    Kind.wide ? inputLine6(source, lanes, target, point) : inputLine4(source, lanes, target, point)
                }
                done += lanes / Group.tiles
            }
            slot += Group.tiles
        }
    }

    /// A point's products, for the tiles that have it.
    func multiply(_ slots: Range<Int>, point number: Int) {
        let offset = number * point + slots.lowerBound * slotRow
        Group.multiply(slots.count, channels, v + offset, transformed + number * channels * channels, m + offset, slotRow)
    }

    /// The products of tiles of one kind, to their windows.
    @inline(never)
    mutating func pool<Kind: TileKind>(_ kind: Kind.Type, _ slots: Range<Int>) {
        let row = lanes * points.tall
        var slot = slots.lowerBound
        while slot < slots.upperBound {
            let places = places + slot
            var done = 0
            while done < channels {
                let c = first(done), m = m + (slot * slotRow + c * Group.tiles)
                for x in 0 ..< times(Kind.wide ? points.tall : points.short) {
                    let source = UnsafePointer(m + x * point), target = scratch + lanes * x
                    if Kind.tall {
                        let o = outputLine6(source, points.tall * point)
                        target.store(o.0, 0)
                        target.store(o.1, row)
                        target.store(o.2, 2 * row)
                        target.store(o.3, 3 * row)
                    } else {
                        let o = outputLine4(source, points.tall * point)
                        target.store(o.0, 0)
                        target.store(o.1, row)
                    }
                }
                let b = Group.bias(bias, c)
                for y in 0 ..< times(Kind.tall ? 2 : 1) {
                    let upper = UnsafePointer(scratch + 2 * y * row), lower = upper + row, window = y * windowRow + c
                    if Kind.wide {
                        let u = outputLine6(upper, lanes), l = outputLine6(lower, lanes)
                        Group.pool(u.0, u.1, l.0, l.1, b, pooled, choice, places, window)
                        Group.pool(u.2, u.3, l.2, l.3, b, pooled, choice, places, window + channels)
                    } else {
                        let u = outputLine4(upper, lanes), l = outputLine4(lower, lanes)
                        Group.pool(u.0, u.1, l.0, l.1, b, pooled, choice, places, window)
                    }
                }
                done += lanes / Group.tiles
            }
            slot += Group.tiles
        }
    }
}

func convolvePool(_ shape: dp_conv_shape, count: Int, list: UnsafePointer<Int32>, act: UnsafePointer<Float>,
                  transformed: UnsafePointer<Float>, bias: UnsafePointer<Float>, pooled: UnsafeMutablePointer<Float>,
                  choice: UnsafeMutablePointer<UInt8>, shared: Bool, scratch: UnsafeMutablePointer<Float>) {
    #if DIPTYCH_AVX512
    if shape.channels == 8 {
        return convolvePool(TwoTiles.self, shape, count: count, list: list, act: act, transformed: transformed, bias: bias, pooled: pooled,
                            choice: choice, shared: shared, scratch: scratch)
    }
    #endif
    convolvePool(OneTile.self, shape, count: count, list: list, act: act, transformed: transformed, bias: bias, pooled: pooled, choice: choice,
                 shared: shared, scratch: scratch)
}

private func convolvePool<Group: TileGroup>(_ group: Group.Type, _ shape: dp_conv_shape, count: Int, list: UnsafePointer<Int32>,
                                            act: UnsafePointer<Float>, transformed: UnsafePointer<Float>, bias: UnsafePointer<Float>,
                                            pooled: UnsafeMutablePointer<Float>, choice: UnsafeMutablePointer<UInt8>, shared: Bool,
                                            scratch: UnsafeMutablePointer<Float>) {
    let channels = shape.channels, allPoints = points.tall * points.tall, largest = Int(DP_CONV_POOL_TILES)
    let places = UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: Place.self)
    let lines = scratch + Int(DP_CONV_POOL_PLACES), v = lines + Int(DP_WIDEST) * allPoints
    var done = 0
    while done < count {
        let size = min(largest, count - done)
        let kinds = sortByKind(shape, size, list + done, places, multiple: Group.tiles)
        // Not a multiple of the first-level cache's 4 KB: a tile's points would all fall into one of its sets.
        let slotRow = lanes == 16 ? dp_conv_pool_row(channels) : channels, point = kinds.end * slotRow + 16
        var block = TileBlock<Group>(channels: channels, act: act, transformed: transformed, bias: bias, pooled: pooled, choice: choice,
                                     line: (shape.width + 2) * channels, windowRow: shape.width / 2 * channels, places: places, v: v,
                                     m: v + allPoints * point, point: point, slotRow: slotRow, shared: shared, scratch: lines)
        let tallNarrow = 0 ..< kinds.wideStart, tallWide = kinds.wideStart ..< kinds.tallEnd
        let shortWide = kinds.tallEnd ..< kinds.wideEnd, shortNarrow = kinds.wideEnd ..< kinds.end

        block.transform(TallNarrow.self, tallNarrow)
        block.transform(TallWide.self, tallWide)
        block.transform(ShortWide.self, shortWide)
        block.transform(ShortNarrow.self, shortNarrow)
        for y in 0 ..< points.tall {
            for x in 0 ..< points.tall {
                let first = x < points.short ? 0 : kinds.wideStart
                let end = y >= points.short ? kinds.tallEnd : x >= points.short ? kinds.wideEnd : kinds.end
                block.multiply(first ..< end, point: points.tall * y + x)
            }
        }
        block.pool(TallNarrow.self, tallNarrow)
        block.pool(TallWide.self, tallWide)
        block.pool(ShortWide.self, shortWide)
        block.pool(ShortNarrow.self, shortNarrow)
        done += size
    }
}

/// Where a tile's patch begins in act, and its first window in pooled.
private struct Place {
    let patch: Int32, window: Int32
}

/// The places of the listed tiles by kind: tall and narrow, tall and wide, short and wide, short and narrow. So the tiles
/// that have a point follow one another, whichever point it is. Each kind's places are a multiple of `multiple`, 1 or 2, in
/// number: the last is there twice where need be. places has room for 2 * (count + 4), and a byte for each of count.
private func sortByKind(_ shape: dp_conv_shape, _ count: Int, _ list: UnsafePointer<Int32>, _ places: UnsafeMutablePointer<Place>,
                        multiple: Int) -> (wideStart: Int, tallEnd: Int, wideEnd: Int, end: Int) {
    let multiple = lanes < 16 ? 1 : multiple
    let grid = TileGrid(shape), perImage = grid.rows * grid.columns, byImage = Divisor(perImage)
    let unsorted = places + (count + 4), kinds = UnsafeMutableRawPointer(unsorted + count).assumingMemoryBound(to: UInt8.self)
    // Sixteen bits for each kind: a counter in memory would be waited for.
    var sizes: UInt64 = 0
    for i in 0 ..< count {
        let number = Int(list[i]), image = byImage.divide(number), tile = grid.tile(number - image * perImage)
        let kind: UInt8 = tile.tall ? (tile.wide ? 1 : 0) : (tile.wide ? 2 : 3)
        let patch = (image * (shape.height + 2) + 2 * tile.row) * (shape.width + 2) + 2 * tile.column
        let window = (image * grid.windowRows + tile.row) * grid.windowColumns + tile.column
        unsorted[i] = Place(patch: Int32(truncatingIfNeeded: patch * shape.channels), window: Int32(truncatingIfNeeded: window * shape.channels))
        kinds[i] = kind
        sizes &+= 1 &<< (16 &* UInt64(kind))
    }
    @inline(__always) func of(_ kind: UInt8, _ packed: UInt64) -> Int { Int(packed &>> (16 &* UInt64(kind)) & 0xFFFF) }
    @inline(__always) func rounded(_ size: Int) -> Int { (size + multiple - 1) & -multiple }
    let wideStart = rounded(of(0, sizes)), tallEnd = wideStart + rounded(of(1, sizes)), wideEnd = tallEnd + rounded(of(2, sizes))
    let end = wideEnd + rounded(of(3, sizes))
    var next = UInt64(wideStart) &<< 16 | UInt64(tallEnd) &<< 32 | UInt64(wideEnd) &<< 48
    for i in 0 ..< count {
        places[of(kinds[i], next)] = unsorted[i]
        next &+= 1 &<< (16 &* UInt64(kinds[i]))
    }
    if of(0, next) < wideStart { places[wideStart - 1] = places[wideStart - 2] }
    if of(1, next) < tallEnd { places[tallEnd - 1] = places[tallEnd - 2] }
    if of(2, next) < wideEnd { places[wideEnd - 1] = places[wideEnd - 2] }
    if of(3, next) < end { places[end - 1] = places[end - 2] }
    return (wideStart, tallEnd, wideEnd, end)
}
