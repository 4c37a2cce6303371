/// What a model's logits are divided by before they become probabilities (Guo et al., 2017, "On Calibration of Modern Neural
/// Networks"): above 1 the answers are less sure of themselves, below 1 surer. At 1 they are the network's own.
public struct Temperatures: Equatable, Sendable {
    /// Of the head's logit.
    public var head: Float = 1
    /// Of both images' class logits, and so of the marginal.
    public var classes: Float = 1

    public init(head: Float = 1, classes: Float = 1) {
        self.head = head
        self.classes = classes
    }

    public static let smallest: Float = 0.05
    public static let largest: Float = 20

    func validate() throws(DiptychError) {
        try require(head, from: Self.smallest, to: Self.largest, "head_temperature")
        try require(classes, from: Self.smallest, to: Self.largest, "class_temperature")
    }
}

extension Model {
    /// Sets what `predict` divides the logits by. Throws `invalidArgument` where one is not from 0.05 to 20.
    public func setTemperatures(_ new: Temperatures) throws(DiptychError) {
        try new.validate()
        temperatures = new
    }
}
