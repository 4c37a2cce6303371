import CDiptychPlatform

extension Model {
    /// A copy of the model inside the library: siamese, trained on all 60,000 of MNIST's training digits.
    public static func builtIn() throws(DiptychError) -> Model {
        let asset = dp_asset_default_model()
        guard asset.size > 0 else { throw DiptychError(.notFound, "this build has no default model inside") }
        return try load(bytes: UnsafeRawBufferPointer(start: asset.bytes, count: asset.size), name: "the default model")
    }
}
