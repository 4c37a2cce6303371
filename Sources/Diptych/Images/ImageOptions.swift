/// How a PNG becomes a network's input: `diptych_image_options` of the C API, with its values and defaults.
public struct ImageOptions: Sendable {
    public enum Mode: Int32, Sendable {
        /// MNIST's recipe for a photo or drawing of one digit: see `digitCanvas`.
        case digit = 0
        /// Grey, resampled by area.
        case plain = 1
    }

    public enum Polarity: Int32, Sendable {
        /// Digit mode: the border's shade is paper. Plain mode: as `lightInk`.
        case auto = 0
        /// Dark on light: the shades are inverted.
        case darkInk = 1
        /// Light on dark, as MNIST: the shades are kept.
        case lightInk = 2
    }

    public var mode = Mode.digit
    /// Of the result in pixels, 1 to 256.
    public var height = 14
    public var width = 14
    public var polarity = Polarity.auto
    /// The grey that transparent pixels are composited on, 0 to 255.
    public var background = 255
    /// A larger image is refused before it is decoded; 1 to 32768.
    public var maxHeight = 4096
    public var maxWidth = 4096

    public init() {}

    public func validate() throws(DiptychError) {
        try require(height, in: 1 ... 256, "height")
        try require(width, in: 1 ... 256, "width")
        try require(background, in: 0 ... 255, "background")
        try require(maxHeight, in: 1 ... 32768, "max_height")
        try require(maxWidth, in: 1 ... 32768, "max_width")
    }
}
