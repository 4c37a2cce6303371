import ArgumentParser
import Diptych

/// The shape of a network. What is not given is nil, so that resuming can tell.
struct NetworkFlags: ParsableArguments {
    @Option(name: .shortAndLong, help: "The network (default: siamese).")
    var architecture: NetworkDescription.Architecture?

    @Option(help: ArgumentHelp("Height of an image in pixels, 4 to 256 (default: 14).", valueName: "pixels"))
    var height: Int?

    @Option(help: ArgumentHelp("Width of an image in pixels, 4 to 256 (default: 14).", valueName: "pixels"))
    var width: Int?

    @Option(help: ArgumentHelp("Classes, 2 to 1000 (default: 10, or more where the data have more).", valueName: "n"))
    var classes: Int?

    @Option(help: ArgumentHelp("Channels of both convolutions, 1 to 256 (default: 32).", valueName: "n"))
    var channels: Int?

    @Option(name: .customLong("fc1-width"), help: ArgumentHelp("Width of fc1, 1 to 4096 (default: 64).", valueName: "n"))
    var fc1Width: Int?

    @Option(name: .customLong("fc2-width"), help: ArgumentHelp("Width of fc2, 1 to 4096 (default: 64).", valueName: "n"))
    var fc2Width: Int?

    @Option(help: ArgumentHelp("Width of fc4, in the head, 1 to 4096 (default: 16).", valueName: "n"))
    var headWidth: Int?

    @Option(name: .customLong("mlp-width1"), help: ArgumentHelp("Width of the MLP's l1 (default: 6272 for 14x14).", valueName: "n"))
    var mlpWidth1: Int?

    @Option(name: .customLong("mlp-width2"), help: ArgumentHelp("Width of the MLP's l2 (default: 1568 for 14x14).", valueName: "n"))
    var mlpWidth2: Int?

    @Option(help: ArgumentHelp("Probability of zeroing a unit in training, from 0 to below 1 (default: 0.5).", valueName: "p"))
    var dropout: Float?

    @Option(help: ArgumentHelp("Predict from so many views of each pair, 1, 5 or 9: as it is, moved by a pixel up, down, left and right, and diagonally (default: 1; 9 with --recipe best).", valueName: "n"))
    var views: Int?

    func validate() throws { try validatingOptions { () throws(DiptychError) in try description.validate() } }

    var description: NetworkDescription {
        var d = NetworkDescription(architecture ?? .siamese)
        if let height { d.height = height }
        if let width { d.width = width }
        if let classes { d.classes = classes }
        if let channels { d.channels = channels }
        if let fc1Width { d.fc1Width = fc1Width }
        if let fc2Width { d.fc2Width = fc2Width }
        if let headWidth { d.headWidth = headWidth }
        if let mlpWidth1 { d.mlpWidth1 = mlpWidth1 }
        if let mlpWidth2 { d.mlpWidth2 = mlpWidth2 }
        if let dropout { d.dropout = dropout }
        if let views { d.views = views }
        return d
    }

    /// Whether any is given.
    var isEmpty: Bool {
        architecture == nil && dropout == nil && views == nil
            && [height, width, classes, channels, fc1Width, fc2Width, headWidth, mlpWidth1, mlpWidth2].allSatisfy { $0 == nil }
    }
}
