import ArgumentParser
import Diptych

/// How a PNG becomes a network's input.
struct ImageFlags: ParsableArguments {
    @Option(help: "digit: find the ink on its paper and centre it, as MNIST does; plain: only resample (default: digit).")
    var mode: ImageOptions.Mode?

    @Option(help: "Whether ink is darker or lighter than the paper; auto finds out in digit mode (default: auto).")
    var polarity: ImageOptions.Polarity?

    @Option(help: ArgumentHelp("The grey behind transparent pixels, 0 to 255 (default: 255).", valueName: "grey"))
    var background: Int?

    /// Whether any is given.
    var isEmpty: Bool { mode == nil && polarity == nil && background == nil }

    func validate() throws { try validatingOptions { () throws(DiptychError) in try options(14, 14).validate() } }

    func options(_ height: Int, _ width: Int) -> ImageOptions {
        var options = ImageOptions()
        if let mode { options.mode = mode }
        if let polarity { options.polarity = polarity }
        if let background { options.background = background }
        options.height = height
        options.width = width
        return options
    }

    func options(for description: NetworkDescription) -> ImageOptions { options(description.height, description.width) }
}
