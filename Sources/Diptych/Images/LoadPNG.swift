/// Reads a PNG file into `options.height * options.width` shades, 0 (background) ... 255 (ink), rows from the top.
///
/// Throws `invalidArgument` (options), `notFound`, `io`, `format` (not a PNG), `corrupt`, `limit`, `outOfMemory`, and
/// in digit mode `blankImage`.
public func loadPNG(path: String, options: ImageOptions) throws(DiptychError) -> Buffer<Float> {
    try options.validate()
    let file = try readFile(path: path, limit: largestPNGFile)
    return try loadPNG(bytes: UnsafeRawBufferPointer(file.span), name: path, options: options)
}

/// The same from memory; `name` is what messages call it.
public func loadPNG(bytes: UnsafeRawBufferPointer, name: String, options: ImageOptions) throws(DiptychError) -> Buffer<Float> {
    try options.validate()
    let image = try decodePNG(bytes, name: name, options: options)
    let result = try Buffer<Float>(count: options.height * options.width, for: "an image")
    switch options.mode {
    case .digit:
        let canvas = try digitCanvas(image, polarity: options.polarity, name: name)
        resampleByArea(canvas.pixels.pointer, height: canvas.height, width: canvas.width, into: result.pointer,
                       height: options.height, width: options.width)
    case .plain:
        resampleByArea(image.pixels.pointer, height: image.height, width: image.width, into: result.pointer,
                       height: options.height, width: options.width)
        if options.polarity == .darkInk {
            for i in 0 ..< result.count { result[i] = 255 - result[i] }
        }
    }
    return result
}

/// The 28x28 canvas of digit mode, before it is averaged to a network's size; options' mode and size are ignored.
public func loadPNGCanvas(path: String, options: ImageOptions) throws(DiptychError) -> Buffer<Float> {
    try options.validate()
    let file = try readFile(path: path, limit: largestPNGFile)
    let image = try decodePNG(UnsafeRawBufferPointer(file.span), name: path, options: options)
    return try digitCanvas(image, polarity: options.polarity, name: path).pixels
}
