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

    public var description: NetworkDescription { network.description }
    public var decision = Decision.head
    /// Pixels become (pixel - mean) / standardDeviation.
    public var mean: Float = 0
    public var standardDeviation: Float = 1

    let network: Network
    let parameters: Buffer<Float>
    /// cl2's weights in Winograd's domain, for the first and the second image: [2 or 1][16][in][out].
    private let transformed: Buffer<Float>?
    /// Where one thread's block of pairs lies while it predicts.
    let predictLayout: PassLayout

    /// A model whose weights are all zero. Throws as `NetworkDescription.validate` does, or `outOfMemory`.
    init(zeroed description: NetworkDescription) throws(DiptychError) {
        try description.validate()
        network = Network(description)
        parameters = try Buffer(count: network.parameterFloats, for: "a model's weights")
        if let convolutions = network.convolutions {
            let channels = convolutions.shape.channels
            transformed = try Buffer(count: (convolutions.separate ? 2 : 1) * 16 * channels * channels, for: "a model's weights")
        } else {
            transformed = nil
        }
        predictLayout = PassLayout(network, pairs: network.convolutions == nil ? 60 : 12)
    }

    /// A new model: weights and biases uniform within 1/sqrt(fan in), as PyTorch's layers begin.
    public convenience init(_ description: NetworkDescription, seed: UInt64) throws(DiptychError) {
        try self.init(zeroed: description)
        let random = Random(seed: seed, purpose: .weights)
        for (number, tensor) in network.tensors.enumerated() {
            let bound = 1 / Float(tensor.fanIn).squareRoot()
            tensor.forEach { index, place in
                parameters.pointer[place] = bound * (2 * random.uniform(step: UInt32(number), index: UInt64(index)) - 1)
            }
        }
        weightsChanged()
    }

    public var parameterCount: Int { description.parameterCount }

    /// To be called after every change of `parameters`: renews what is derived from them.
    func weightsChanged() {
        guard let convolutions = network.convolutions, let transformed else { return }
        let channels = convolutions.shape.channels
        kernels.winograd_weights(channels, parameters.pointer + convolutions.weights2.0, transformed.pointer)
        if convolutions.separate {
            kernels.winograd_weights(channels, parameters.pointer + convolutions.weights2.1,
                                     transformed.pointer + 16 * channels * channels)
        }
    }

    /// cl2's weights in Winograd's domain for the first (0) or second (1) image.
    func transformedWeights(_ image: Int) -> UnsafePointer<Float>? {
        guard let convolutions = network.convolutions, let transformed else { return nil }
        let channels = convolutions.shape.channels
        return UnsafePointer(transformed.pointer) + (convolutions.separate ? image * 16 * channels * channels : 0)
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
        tensor.forEach { index, place in target[index] = source[place] }
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
        tensor.forEach { index, place in parameters.pointer[place] = values[index] }
        weightsChanged()
    }
}

func checkFinite(_ values: UnsafeBufferPointer<Float>, in name: String) throws(DiptychError) {
    for (index, value) in values.enumerated() where !value.isFinite {
        throw DiptychError(.invalidArgument, "value \(index) of tensor '\(name)' is \(text(value)), but must be finite")
    }
}
