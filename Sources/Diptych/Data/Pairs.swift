/// Pairs of images to train on or to test with. Immutable, so any thread may read it.
public final class Pairs: @unchecked Sendable {
    public let count: Int
    public let height: Int
    public let width: Int
    /// [count][2][height][width], in pixels' own unit (0 background, 255 ink), not standardised.
    public let images: Buffer<Float>
    /// [count], each 0 or 1.
    public let targets: Buffer<Float>
    /// [count][2] classes, 0 to 999; nil where they are not known.
    public let digits: Buffer<Int32>?

    init(count: Int, height: Int, width: Int, images: Buffer<Float>, targets: Buffer<Float>, digits: Buffer<Int32>?) {
        self.count = count
        self.height = height
        self.width = width
        self.images = images
        self.targets = targets
        self.digits = digits
    }
}
