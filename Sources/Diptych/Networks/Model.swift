import CDiptychPlatform

/// A network with its weights and the standardisation of its inputs. Any number of threads may predict with one model
/// at once, as long as none changes it meanwhile.
public final class Model: @unchecked Sendable {
    /// Which of its two answers a model decides by.
    public enum Decision: Int32, Sendable {
        case head = 0
        case marginal = 1

        public var name: StaticString { self == .head ? "head" : "marginal" }
    }

    public var description: NetworkDescription {
        var description = network.description
        description.views = views
        return description
    }

    /// Over how many views of a pair `predict` averages the logits; see `NetworkDescription.views`.
    public private(set) var views: Int
    public var decision = Decision.head
    /// Pixels become (pixel - mean) / standardDeviation.
    public private(set) var mean: Float = 0
    public private(set) var standardDeviation: Float = 1
    /// What the logits are divided by before they become probabilities.
    public internal(set) var temperatures = Temperatures()

    let network: Network
    private(set) var parameters: Buffer<Float>
    /// cl2's weights in Winograd's domain, for the first and the second image: [2 or 1][36][in][out], and 8 floats behind them
    /// that `conv_pool` may read.
    private let transformed: Buffer<Float>?
    /// Where a `BlankImage` lies.
    private let blank: Buffer<Float>?
    /// Where one thread's block of pairs lies while it predicts.
    let predictLayout: PassLayout

    /// A model whose weights are all zero. Throws as `NetworkDescription.validate` does, or `outOfMemory`.
    convenience init(zeroed description: NetworkDescription) throws(DiptychError) {
        try description.validate()
        try self.init(zeroed: Network(description))
    }

    /// The same, of a network whose description is valid. Throws `outOfMemory`.
    init(zeroed network: Network) throws(DiptychError) {
        self.network = network
        views = network.description.views
        parameters = try Buffer(count: network.parameterFloats, for: "a model's weights")
        if let convolutions = network.convolutions {
            let channels = convolutions.shape.channels
            transformed = try Buffer(count: convolutions.sides * 36 * channels * channels + 8, for: "a model's weights")
            blank = try Buffer(unwritten: BlankImage.floats(convolutions), for: "a model's weights")
        } else {
            transformed = nil
            blank = nil
        }
        predictLayout = PassLayout(network, pairs: network.convolutions == nil ? 60 : 12)
        blankImage?.prepare()
    }

    /// A new model: weights and biases uniform within 1/sqrt(fan in), as PyTorch's layers begin.
    public convenience init(_ description: NetworkDescription, seed: UInt64) throws(DiptychError) {
        try self.init(zeroed: description)
        let random = Random(seed: seed, purpose: .weights)
        for (number, tensor) in network.tensors.enumerated() {
            // A panel's words at a time: those of sixteen outputs follow one another.
            let panel = 16 * tensor.inputs, words = try Buffer<UInt32>(unwritten: panel, for: "a model's weights")
            let bound = 1 / Float(tensor.fanIn).squareRoot()
            var first = -panel
            tensor.forEachByPanel { index, place in
                if index == first + panel {
                    first = index
                    kernels.random_words(panel, random.draw(step: UInt32(number), index: UInt64(index / 4)), words.pointer)
                }
                parameters.pointer[place] = bound * (2 * Random.uniform(words.pointer[index - first]) - 1)
            }
        }
        weightsChanged()
    }

    public var parameterCount: Int { description.parameterCount }

    /// Sets the standardisation: pixels become (pixel - mean) / standardDeviation.
    func standardise(mean: Float, standardDeviation: Float) {
        self.mean = mean
        self.standardDeviation = standardDeviation
        weightsChanged()
    }

    /// Throws `invalidArgument` where it is none of 1, 5 and 9.
    public func setViews(_ views: Int) throws(DiptychError) {
        try NetworkDescription.validate(views: views)
        self.views = views
    }

    /// A pixel of background, standardised.
    var background: Float { (0 - mean) * (1 / standardDeviation) }

    /// Takes other weights, laid out as these are, and returns these.
    func replaceParameters(with other: Buffer<Float>) -> Buffer<Float> {
        let old = parameters
        parameters = other
        weightsChanged()
        return old
    }

    /// To be called after every change of `parameters`: renews what is derived from them, after `flushing` what of it
    /// other threads have read.
    func weightsChanged(flushing: Bool = false) {
        guard let c = network.convolutions, let transformed, let blank else { return }
        let channels = c.shape.channels, shape = dp_conv_shape(c), image = BlankImage(c, at: blank.pointer)
        if flushing { dp_flush(transformed.pointer, transformed.count) }
        for y in 1 ... c.shape.height {
            for x in 1 ... c.shape.width { image.plane[y * (c.shape.width + 2) + x] = background }
        }
        shape.kernels.conv_first(shape, image.tiles.area, image.plane, parameters.pointer + c.weights1, parameters.pointer + c.bias1, image.act)
        for side in 0 ..< c.sides {
            let u = transformed.pointer + side * 36 * channels * channels
            kernels.winograd_weights(channels, parameters.pointer + (side == 0 ? c.weights2.0 : c.weights2.1), u)
            shape.kernels.conv_pool(shape, image.tiles.count, image.tiles.list, image.act, u,
                                    parameters.pointer + (side == 0 ? c.bias2.0 : c.bias2.1), image.features(side), image.choice(side), false,
                                    image.scratch)
        }
    }

    /// What the convolutions make of an image without anything on it.
    var blankImage: BlankImage? {
        guard let c = network.convolutions, let blank else { return nil }
        return BlankImage(c, at: blank.pointer)
    }

    /// cl2's weights in Winograd's domain for the first (0) or second (1) image.
    func transformedWeights(_ image: Int) -> UnsafePointer<Float>? {
        guard let convolutions = network.convolutions, let transformed else { return nil }
        let channels = convolutions.shape.channels
        return UnsafePointer(transformed.pointer) + (convolutions.separate ? image * 36 * channels * channels : 0)
    }

    // MARK: Tensors

    /// The names and shapes of all tensors, in PyTorch's order.
    public var tensorShapes: [(name: String, shape: [Int])] { network.tensors.map { ($0.name, $0.shape) } }

    func tensor(named name: String) throws(DiptychError) -> Tensor {
        guard let tensor = network.tensor(named: name) else {
            var names = ""
            for tensor in network.tensors { names += (names.isEmpty ? "" : ", ") + tensor.name }
            throw DiptychError(.notFound, "the model has no tensor '\(name)'; it has \(names)")
        }
        return tensor
    }

    /// Copies a tensor out of `source`, which is laid out as the parameters are (the weights, or a moment of Adam's).
    func copy(_ tensor: Tensor, of source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>) {
        tensor.forEachByPanel { index, place in target[index] = source[place] }
    }

    /// The name of a tensor of `source` and its first value that is not finite; nil where all are.
    func firstNotFinite(in source: Buffer<Float>) -> (name: String, value: Float)? {
        guard indexOfNotFinite(source.pointer, network.parameterFloats) != nil else { return nil }
        for tensor in network.tensors {
            var found: Float?
            tensor.forEach { _, place in
                if found == nil && !source.pointer[place].isFinite { found = source.pointer[place] }
            }
            if let found { return (tensor.name, found) }
        }
        return nil
    }

    /// The number of values in a tensor.
    public func count(ofTensor name: String) throws(DiptychError) -> Int { try tensor(named: name).count }

    /// Copies a tensor's values, in PyTorch's order, to `target`, which has room for all.
    public func copyTensor(_ name: String, to target: UnsafeMutablePointer<Float>) throws(DiptychError) {
        copy(try tensor(named: name), of: parameters.pointer, to: target)
    }

    /// Replaces a tensor's values; `values` are as many as the tensor has, all finite.
    public func setTensor(_ name: String, to values: UnsafeBufferPointer<Float>) throws(DiptychError) {
        let tensor = try tensor(named: name)
        guard values.count == tensor.count else {
            throw DiptychError(.mismatch, "tensor '\(name)' has \(tensor.count) values, but \(values.count) were given")
        }
        try checkFinite(values, in: name)
        tensor.forEachByPanel { index, place in parameters.pointer[place] = values[index] }
        weightsChanged()
    }
}

func checkFinite(_ values: UnsafeBufferPointer<Float>, in name: String) throws(DiptychError) {
    guard let start = values.baseAddress else { return }
    if let index = indexOfNotFinite(start, values.count) {
        throw DiptychError(.invalidArgument, "value \(index) of tensor '\(name)' is \(text(values[index])), but must be finite")
    }
}
