import ArgumentParser
import Diptych

/// How a PNG becomes a network's input.
struct ImageFlags: ParsableArguments {
    @Option(help: "digit: find the ink on its paper and centre it, as MNIST does; plain: only resample.")
    var mode = ImageOptions.Mode.digit

    @Option(help: "Whether ink is darker or lighter than the paper; auto finds out in digit mode.")
    var polarity = ImageOptions.Polarity.auto

    @Option(help: ArgumentHelp("The grey behind transparent pixels, 0 to 255.", valueName: "grey"))
    var background = 255

    func validate() throws { try validatingOptions { () throws(DiptychError) in try options(14, 14).validate() } }

    func options(_ height: Int, _ width: Int) -> ImageOptions {
        var options = ImageOptions()
        options.mode = mode
        options.polarity = polarity
        options.background = background
        options.height = height
        options.width = width
        return options
    }

    func options(for description: NetworkDescription) -> ImageOptions { options(description.height, description.width) }
}
