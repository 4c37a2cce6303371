/// A set of options for network and training, by name.
public enum Recipe: Int32, CaseIterable, Sendable {
    /// The report's: all defaults.
    case report = 0
    /// The lowest error on the report's data; docs/best_recipe.md tells how it was chosen.
    case best = 1

    public var trainerOptions: TrainerOptions {
        var o = TrainerOptions()
        guard self == .best else { return o }
        o.epochs = 200
        o.batchSize = 25
        o.schedule = .oneCycle
        o.shuffle = true
        o.lossRatio = 2
        o.augmentation.rotation = 15
        o.augmentation.scale = 0.15
        o.augmentation.shear = 0.15
        o.augmentation.shift = 1.5
        o.augmentation.elastic = 0.7
        o.augmentation.stroke = 0.4
        return o
    }

    public var dropout: Float { self == .best ? 0.1 : NetworkDescription().dropout }

    /// See `NetworkDescription.views`.
    public var views: Int { self == .best ? 9 : 1 }

    /// How the model decides.
    public var decision: Model.Decision { self == .best ? .marginal : .head }
}
