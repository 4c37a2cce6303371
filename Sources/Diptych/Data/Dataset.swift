/// Labelled grey images, all of one size, as bytes: 0 background, 255 ink. Immutable, so any thread may read it.
public final class Dataset: @unchecked Sendable {
    public let count: Int
    public let height: Int
    public let width: Int
    /// [count][height][width]
    public let images: Buffer<UInt8>
    /// [count], each 0 to 999; nil where the images have no labels.
    public let labels: Buffer<Int32>?

    init(count: Int, height: Int, width: Int, images: Buffer<UInt8>, labels: Buffer<Int32>?) {
        self.count = count
        self.height = height
        self.width = width
        self.images = images
        self.labels = labels
    }

    /// The largest class number that a label may have.
    public static let largestLabel = 999
}
