import CDiptychPlatform

extension Dataset {
    public enum Split: Int32, Sendable {
        case train = 0
        case test = 1
    }

    /// The digits inside the library, 28x28 in 8 shades of grey: 5,000 of MNIST's training or 2,500 of its test files.
    /// MNIST: Yann LeCun, Corinna Cortes, Christopher J. C. Burges; CC BY-SA 3.0.
    public static func sample(_ split: Split) throws(DiptychError) -> Dataset {
        let asset = dp_asset_sample()
        guard let bytes = asset.bytes else {
            throw DiptychError(.notFound, "this build of the library has no bundled sample")
        }
        let sample = try SampleDecoder(UnsafeRawBufferPointer(start: bytes, count: asset.size))
        return switch split {
        case .train: try sample.decode(skipping: 0, count: sample.trainCount)
        case .test: try sample.decode(skipping: sample.trainCount, count: sample.testCount)
        }
    }
}
