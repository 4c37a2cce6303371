import ArgumentParser
import Diptych

/// How to train. What is not given is nil: the recipe says it.
struct RecipeFlags: ParsableArguments {
    @Option(help: "Where the options that are not given come from: report, whose values are the defaults below, or best: 200 epochs, augmentation, a one-cycle learning rate, nine views, and the marginal decides.")
    var recipe: Recipe?

    @Option(help: ArgumentHelp("Weight of the auxiliary loss on the digits, 0 to 1000; 0 trains without (default: 0.7).", valueName: "r"))
    var lossRatio: Float?

    @Option(name: .shortAndLong, help: ArgumentHelp("Epochs, 1 to 1,000,000 (default: 25).", valueName: "n"))
    var epochs: Int?

    @Option(help: ArgumentHelp("Pairs a step, 1 to 65536 (default: 100).", valueName: "n"))
    var batchSize: Int?

    @Option(help: "The rule of the weights' update (default: adam).")
    var optimizer: TrainerOptions.Optimizer?

    @Option(name: [.long, .customLong("lr")], help: ArgumentHelp("Learning rate, above 0, at most 100 (default: 0.005).", valueName: "rate"))
    var learningRate: Float?

    @Option(help: "How the learning rate changes over the run (default: constant).")
    var schedule: TrainerOptions.Schedule?

    @Option(help: ArgumentHelp("Weight decay, 0 to 10: decoupled with adam (default: 0).", valueName: "rate"))
    var weightDecay: Float?

    @Option(help: ArgumentHelp("SGD's momentum, from 0 to below 1 (default: 0.9).", valueName: "share"))
    var momentum: Float?

    @Option(name: .customLong("beta1"), help: ArgumentHelp("Adam's decay of the first moment (default: 0.9).", valueName: "share"))
    var beta1: Float?

    @Option(name: .customLong("beta2"), help: ArgumentHelp("Adam's decay of the second moment (default: 0.999).", valueName: "share"))
    var beta2: Float?

    @Option(help: ArgumentHelp("Adam's epsilon, above 0, at most 1 (default: 1e-8).", valueName: "value"))
    var epsilon: Float?

    @Flag(inversion: .prefixedNo, help: "New batches every epoch, instead of the same ones.")
    var shuffle: Bool?

    @Flag(inversion: .prefixedNo, help: "New pairs every epoch, of all training images; includes --shuffle. Takes pairs whose targets are first <= second, as those drawn here are.")
    var redraw: Bool?

    @Option(help: ArgumentHelp("Label smoothing, from 0 to below 1 (default: 0).", valueName: "share"))
    var labelSmoothing: Float?

    @Option(help: ArgumentHelp("End with an exponential moving average of the weights: its decay a step, from 0 to below 1 (default: 0, none).", valueName: "share"))
    var emaDecay: Float?

    @Option(help: ArgumentHelp("Turn images at random by up to so many degrees (default: 0).", valueName: "degrees"))
    var rotation: Float?

    @Option(help: ArgumentHelp("Let images grow or shrink by up to this share, at most 0.9 (default: 0).", valueName: "share"))
    var scale: Float?

    @Option(help: ArgumentHelp("Slant images by up to this share of the height, at most 10 (default: 0).", valueName: "share"))
    var shear: Float?

    @Option(help: ArgumentHelp("Shift images by up to so many pixels, at most 256 (default: 0).", valueName: "pixels"))
    var shift: Float?

    @Option(help: ArgumentHelp("Deform images elastically by up to so many pixels, at most 256 (default: 0).", valueName: "pixels"))
    var elastic: Float?

    @Option(help: ArgumentHelp("Make strokes thicker or thinner by up to this share of a pixel on each side, at most 1 (default: 0).", valueName: "share"))
    var stroke: Float?

    func validate() throws { try validatingOptions { () throws(DiptychError) in try options.validate() } }

    var options: TrainerOptions {
        var o = (recipe ?? .report).trainerOptions
        if let lossRatio { o.lossRatio = lossRatio }
        if let epochs { o.epochs = epochs }
        if let batchSize { o.batchSize = batchSize }
        if let optimizer { o.optimizer = optimizer }
        if let learningRate { o.learningRate = learningRate }
        if let schedule { o.schedule = schedule }
        if let weightDecay { o.weightDecay = weightDecay }
        if let momentum { o.momentum = momentum }
        if let beta1 { o.beta1 = beta1 }
        if let beta2 { o.beta2 = beta2 }
        if let epsilon { o.epsilon = epsilon }
        if let shuffle { o.shuffle = shuffle }
        if let redraw { o.redraw = redraw }
        if let labelSmoothing { o.labelSmoothing = labelSmoothing }
        if let emaDecay { o.emaDecay = emaDecay }
        if let rotation { o.augmentation.rotation = rotation }
        if let scale { o.augmentation.scale = scale }
        if let shear { o.augmentation.shear = shear }
        if let shift { o.augmentation.shift = shift }
        if let elastic { o.augmentation.elastic = elastic }
        if let stroke { o.augmentation.stroke = stroke }
        return o
    }

    /// How a recipe's model decides; nil where no recipe is given, and where the digits are not learned, because the marginal
    /// then means nothing.
    var decision: Model.Decision? { options.lossRatio > 0 ? recipe?.decision : nil }

    /// Whether nothing but the number of epochs is given.
    var isEmptyButEpochs: Bool {
        recipe == nil && batchSize == nil && optimizer == nil && schedule == nil && shuffle == nil && redraw == nil
            && [lossRatio, learningRate, weightDecay, momentum, beta1, beta2, epsilon, labelSmoothing, emaDecay, rotation, scale,
                shear, shift, elastic, stroke].allSatisfy { $0 == nil }
    }
}
