/// One line of a network's table. Shapes are the field's: PyTorch's names, sizes and order.
public struct Layer: Sendable {
    public enum Kind: Sendable {
        /// 3x3, padding 1, over images of height x width.
        case convolution(height: Int, width: Int)
        case dense
    }

    public let name: StaticString
    public let kind: Kind
    /// Channels of a convolution, features of a dense layer.
    public let inputs: Int
    public let outputs: Int
    public var relu = true
    /// 2x2 max-pool after ReLU.
    public var pool = false
    /// Dropout after ReLU, in training.
    public var dropout = false
    /// The second image has weights of its own, named with a "b" behind.
    public var separate = false

    public var weightsPerOutput: Int {
        switch kind {
        case .convolution: 9 * inputs
        case .dense: inputs
        }
    }

    /// Trainable numbers, the second image's own included.
    public var parameters: Int { (weightsPerOutput + 1) * outputs * (separate ? 2 : 1) }

    /// For one image (or, in the head, one pair).
    public var multiplyAdds: Int {
        switch kind {
        case .convolution(let height, let width): weightsPerOutput * outputs * height * width
        case .dense: weightsPerOutput * outputs
        }
    }
}

extension NetworkDescription {
    /// The layers that each image passes: the report's table.
    public var branch: [Layer] {
        let own = architecture == .rws
        let image = Layer.Kind.convolution(height: height, width: width)
        let features: [Layer]
        let featureCount: Int
        switch architecture {
        case .siamese, .rws:
            featureCount = channels * (height / 2) * (width / 2)
            features = [
                Layer(name: "cl1", kind: image, inputs: 1, outputs: channels),
                Layer(name: "cl2", kind: image, inputs: channels, outputs: channels, pool: true, separate: own),
            ]
        case .mlp:
            let (width1, width2) = mlpWidths
            featureCount = width2
            features = [
                Layer(name: "l1", kind: .dense, inputs: height * width, outputs: width1),
                Layer(name: "l2", kind: .dense, inputs: width1, outputs: width2, dropout: true),
            ]
        }
        return features + [
            Layer(name: "fc1", kind: .dense, inputs: featureCount, outputs: fc1Width, dropout: true),
            Layer(name: "fc2", kind: .dense, inputs: fc1Width, outputs: fc2Width, separate: own),
            Layer(name: "fc3", kind: .dense, inputs: fc2Width, outputs: classes, relu: false),
        ]
    }

    /// The layers that both images' logits pass together, to one logit.
    public var head: [Layer] {
        [
            Layer(name: "fc4", kind: .dense, inputs: 2 * classes, outputs: headWidth),
            Layer(name: "fc5", kind: .dense, inputs: headWidth, outputs: 1, relu: false),
        ]
    }

    public var parameterCount: Int { (branch + head).reduce(0) { $0 + $1.parameters } }

    /// Multiplications of one pair's forward pass.
    public var multiplyAdds: Int {
        2 * branch.reduce(0) { $0 + $1.multiplyAdds } + head.reduce(0) { $0 + $1.multiplyAdds }
    }
}
