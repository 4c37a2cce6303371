import CDiptychPlatform

/// The blank image, all of it background, in a block of its own: what a tile without anything on it sees and gives.
struct BlankImage {
    /// Standardised and bordered.
    let plane: UnsafeMutablePointer<Float>
    /// cl1's output.
    let act: UnsafeMutablePointer<Float>
    /// All of them.
    let tiles: LiveTiles
    /// For `conv_pool`.
    let scratch: UnsafeMutablePointer<Float>
    private let pooled: UnsafeMutablePointer<Float>
    private let block: Int
    private let separate: Bool

    /// Floats of the whole.
    static func floats(_ c: ConvolutionLayers) -> Int {
        padded(c.plane) + padded(c.plane * c.shape.channels) + LiveTiles.floats(c) + 2 * c.sides * c.featureBlock
            + dp_conv_pool_scratch(c.shape.channels)
    }

    init(_ c: ConvolutionLayers, at memory: UnsafeMutablePointer<Float>) {
        block = c.featureBlock
        separate = c.separate
        plane = memory
        act = plane + padded(c.plane)
        let tiles = act + padded(c.plane * c.shape.channels)
        self.tiles = LiveTiles(c, at: tiles)
        pooled = tiles + LiveTiles.floats(c)
        scratch = pooled + (separate ? 4 : 2) * block
    }

    /// To be called once for new memory: zeroes all but the scratch memory, because nobody writes the plane's border, and lists the tiles.
    func prepare() {
        memset(plane, 0, (scratch - plane) * MemoryLayout<Float>.stride)
        tiles.takeAll()
    }

    /// cl2's pooled output of a first (0) or second (1) image, and which of each window's four was greatest.
    func features(_ image: Int) -> UnsafeMutablePointer<Float> { pooled + (separate ? image * 2 * block : 0) }
    func choice(_ image: Int) -> UnsafeMutablePointer<UInt8> {
        UnsafeMutableRawPointer(features(image) + block).assumingMemoryBound(to: UInt8.self)
    }
}
