extension Model {
    /// Reads two PNG files and compares them; the result's size in `options` is the model's.
    public func classify(first: String, second: String, options: ImageOptions) throws(DiptychError) -> Prediction {
        var options = options
        options.height = description.height
        options.width = description.width
        return try compare(loadPNG(path: first, options: options), loadPNG(path: second, options: options))
    }

    /// The same for two PNG files in memory.
    public func classify(first: UnsafeRawBufferPointer, second: UnsafeRawBufferPointer, options: ImageOptions) throws(DiptychError) -> Prediction {
        var options = options
        options.height = description.height
        options.width = description.width
        return try compare(loadPNG(bytes: first, name: "the first image", options: options),
                           loadPNG(bytes: second, name: "the second image", options: options))
    }

    /// The answer for two images of height * width pixels.
    public func compare(_ first: Buffer<Float>, _ second: Buffer<Float>) throws(DiptychError) -> Prediction {
        let pixels = description.height * description.width
        let pair = try Buffer<Float>(count: 2 * pixels, for: "a pair of images")
        pair.pointer.copy(from: first.pointer, count: min(pixels, first.count))
        (pair.pointer + pixels).copy(from: second.pointer, count: min(pixels, second.count))
        let answer = try Buffer<Prediction>(count: 1, for: "an answer")
        try predict(pair.pointer, count: 1, threads: 1, into: answer.pointer)
        return answer[0]
    }
}
