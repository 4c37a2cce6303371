import CDiptychPlatform

/// What of an image is not background, in a block of its own: the tiles that see anything else (`live_tiles` in kernels.h), the runs of
/// their windows, and the area of cl1's output that cl2 sees in them.
struct LiveTiles {
    private let memory: UnsafeMutablePointer<Int32>
    private let shape: dp_conv_shape
    private let tiles: Int

    /// Floats of a block.
    static func floats(_ c: ConvolutionLayers) -> Int {
        padded(6 + 2 * dp_runs_capacity(dp_conv_shape(c)) + c.tiles)
    }

    init(_ c: ConvolutionLayers, at block: UnsafeMutablePointer<Float>) {
        memory = UnsafeMutableRawPointer(block).assumingMemoryBound(to: Int32.self)
        shape = dp_conv_shape(c)
        tiles = c.tiles
    }

    var count: Int { Int(memory[0]) }
    var runCount: Int { Int(memory[1]) }
    var area: dp_area { areaPlace.pointee }
    var list: UnsafeMutablePointer<Int32> { memory + 6 }
    var runs: UnsafeMutablePointer<dp_run> { UnsafeMutableRawPointer(list + tiles).assumingMemoryBound(to: dp_run.self) }

    /// Those of the standardised image x.
    func find(in x: UnsafePointer<Float>, background: Float) { take(kernels.live_tiles(shape, x, background, list)) }

    /// All, as if there were no background.
    func takeAll() {
        for tile in 0 ..< tiles { list[tile] = Int32(truncatingIfNeeded: tile) }
        take(tiles)
    }

    private var areaPlace: UnsafeMutablePointer<dp_area> { UnsafeMutableRawPointer(memory + 2).assumingMemoryBound(to: dp_area.self) }

    private func take(_ count: Int) {
        memory[0] = Int32(truncatingIfNeeded: count)
        memory[1] = Int32(truncatingIfNeeded: dp_window_runs(shape, count, list, runs, areaPlace))
    }
}
