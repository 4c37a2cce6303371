import ArgumentParser
import Diptych

/// A set of training options by name.
enum Recipe: Int32, Choice {
    case report

    static var choices: [(word: String, value: Self)] { [("report", .report)] }
}

/// How to train. What is not given is nil: the recipe says it.
struct RecipeFlags: ParsableArguments {
    @Option(help: "Where the options that are not given come from: report is Adam at 0.005, 25 epochs of 10 batches.")
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

    @Flag(help: "New batches every epoch, instead of the same ones.")
    var shuffle = false

    func validate() throws { try validatingOptions { () throws(DiptychError) in try options.validate() } }

    var options: TrainerOptions {
        var o = TrainerOptions()
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
        o.shuffle = shuffle
        return o
    }

    /// Whether nothing but the number of epochs is given.
    var isEmptyButEpochs: Bool {
        recipe == nil && batchSize == nil && optimizer == nil && schedule == nil && !shuffle
            && [lossRatio, learningRate, weightDecay, momentum, beta1, beta2, epsilon].allSatisfy { $0 == nil }
    }
}
