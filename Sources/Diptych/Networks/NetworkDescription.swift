/// The shape of a network: what a model file stores of it, and what a host chooses.
public struct NetworkDescription: Equatable, Sendable {
    public enum Architecture: Int32, Sendable, CaseIterable {
        /// Convolutions; both images pass the same branch.
        case siamese = 0
        /// Reduced weight sharing: cl2 and fc2 of their own for each image.
        case rws = 1
        /// Dense layers instead of convolutions.
        case mlp = 2

        public var name: StaticString {
            switch self {
            case .siamese: "siamese"
            case .rws: "rws"
            case .mlp: "mlp"
            }
        }
    }

    public var architecture = Architecture.siamese
    /// Of an image, in pixels.
    public var height = 14
    public var width = 14
    public var classes = 10
    /// Of both convolutions.
    public var channels = 32
    public var fc1Width = 64
    public var fc2Width = 64
    /// Of fc4.
    public var headWidth = 16
    /// Of the MLP's l1 and l2; 0 stands for the size of the convolutions' outputs.
    public var mlpWidth1 = 0
    public var mlpWidth2 = 0
    /// The probability of zeroing a unit in training.
    public var dropout: Float = 0.5
    /// Over how many views of a pair `predict` averages the logits: 1, 5 or 9; see `PredictJob.offset`.
    public var views = 1

    public init(_ architecture: Architecture = .siamese) { self.architecture = architecture }

    /// The widths that l1 and l2 come to.
    var mlpWidths: (Int, Int) {
        (mlpWidth1 == 0 ? channels * height * width : mlpWidth1,
         mlpWidth2 == 0 ? channels * (height / 2) * (width / 2) : mlpWidth2)
    }

    public static let sizes = 4 ... 256
    public static let largestParameterCount = 1 << 28

    /// Throws `invalidArgument` naming the first value out of its range, or `limit` for too large a network.
    public func validate() throws(DiptychError) {
        try require(height, in: Self.sizes, "height")
        try require(width, in: Self.sizes, "width")
        try require(classes, in: 2 ... 1000, "classes")
        try require(channels, in: 1 ... 256, "channels")
        try require(fc1Width, in: 1 ... 4096, "fc1_width")
        try require(fc2Width, in: 1 ... 4096, "fc2_width")
        try require(headWidth, in: 1 ... 4096, "head_width")
        try require(mlpWidth1, in: 0 ... 65536, "mlp_width1")
        try require(mlpWidth2, in: 0 ... 65536, "mlp_width2")
        guard dropout >= 0 && dropout < 1 else {
            throw DiptychError(.invalidArgument, "dropout is \(text(dropout)), but must be from 0 to below 1")
        }
        try Self.validate(views: views)
        let count = parameterCount
        guard count <= Self.largestParameterCount else {
            throw DiptychError(.limit, "the network would have \(count) parameters, but at most \(Self.largestParameterCount) are allowed")
        }
    }

    /// Throws `invalidArgument` where it is none of 1, 5 and 9.
    public static func validate(views: Int) throws(DiptychError) {
        guard views == 1 || views == 5 || views == 9 else {
            throw DiptychError(.invalidArgument, "views is \(views), but must be 1, 5 or 9")
        }
    }
}
