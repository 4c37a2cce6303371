/// Shades in rows from the top, without padding; bytes as decoded, floats while worked on, both 0 ... 255.
struct GreyImage<Shade: BitwiseCopyable> {
    let height: Int
    let width: Int
    let pixels: Buffer<Shade>

    /// Throws `outOfMemory`.
    init(height: Int, width: Int) throws(DiptychError) {
        self.height = height
        self.width = width
        pixels = try Buffer(count: try product(height, width, of: "an image"), for: "an image")
    }

    var longestSide: Int { max(height, width) }
    var shortestSide: Int { min(height, width) }
}
