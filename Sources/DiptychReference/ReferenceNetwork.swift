import CDiptychPlatform
import Diptych

/// A network's forward pass and loss in double precision, straight from the table of layers and in PyTorch's layout
/// ([channel][row][column]). Differences of its loss are what the gradients are checked against.
public struct ReferenceNetwork {
    public let description: NetworkDescription
    /// By PyTorch's names, in its order.
    public var tensors: [String: [Double]] = [:]
    /// What a unit of the branch's dense layer `layer` (from 0) is multiplied by for image `image` of the batch
    /// (2 * pair, 2 * pair + 1); nil leaves dropout out.
    public var dropout: ((_ layer: Int, _ image: Int, _ unit: Int) -> Double)?

    public init(_ description: NetworkDescription) { self.description = description }

    /// The mean loss over pairs: images [pairs][2][height * width], standardised; digits may be empty where ratio is 0.
    /// With smoothing the losses' targets are blended with an even share for each outcome.
    public func loss(images: [[Double]], targets: [Double], digits: [Int], ratio: Double, smoothing: Double = 0) -> Double {
        var sum = 0.0
        for pair in targets.indices {
            let a = logits(images[2 * pair], image: 2 * pair), b = logits(images[2 * pair + 1], image: 2 * pair + 1)
            let z = headLogit(a, b)
            // -log sigmoid(z) and -log(1 - sigmoid(z)), without overflow.
            let target = (1 - smoothing) * targets[pair] + smoothing / 2, rest = log1p(exp(-abs(z)))
            sum += target * (max(-z, 0) + rest) + (1 - target) * (max(z, 0) + rest)
            if ratio > 0 {
                sum += ratio * (crossEntropy(a, digits[2 * pair], smoothing) + crossEntropy(b, digits[2 * pair + 1], smoothing))
            }
        }
        return sum / Double(targets.count)
    }

    /// The digit logits of image `image` of the batch, from its standardised pixels.
    public func logits(_ pixels: [Double], image: Int) -> [Double] {
        var x = pixels, denseIndex = 0
        for layer in description.branch {
            let suffix = layer.separate && image % 2 == 1 ? "b" : ""
            x = output(layer, of: x, suffix)
            guard case .dense = layer.kind else { continue }
            if layer.dropout, let dropout { for unit in x.indices { x[unit] *= dropout(denseIndex, image, unit) } }
            denseIndex += 1
        }
        return x
    }

    /// The head's logit of P(a <= b).
    public func headLogit(_ a: [Double], _ b: [Double]) -> Double {
        description.head.reduce(a + b) { output($1, of: $0, "") }[0]
    }

    private func output(_ layer: Layer, of x: [Double], _ suffix: String) -> [Double] {
        guard let weights = tensors["\(layer.name)\(suffix).weight"], let bias = tensors["\(layer.name)\(suffix).bias"] else { return [] }
        var y: [Double]
        switch layer.kind {
        case .convolution(let height, let width):
            y = convolve(x, layer, height, width, weights, bias)
        case .dense:
            y = (0 ..< layer.outputs).map { o in (0 ..< layer.inputs).reduce(bias[o]) { $0 + weights[o * layer.inputs + $1] * x[$1] } }
        }
        if layer.relu { y = y.map { max($0, 0) } }
        if layer.pool, case .convolution(let height, let width) = layer.kind { y = pool(y, layer.outputs, height, width) }
        return y
    }

    private func convolve(_ x: [Double], _ layer: Layer, _ height: Int, _ width: Int, _ weights: [Double], _ bias: [Double]) -> [Double] {
        var y = [Double](repeating: 0, count: layer.outputs * height * width)
        for o in 0 ..< layer.outputs {
            for row in 0 ..< height {
                for column in 0 ..< width {
                    var sum = bias[o]
                    for dy in max(-1, -row) ... min(1, height - 1 - row) {
                        for dx in max(-1, -column) ... min(1, width - 1 - column) {
                            for i in 0 ..< layer.inputs {
                                sum += weights[((o * layer.inputs + i) * 3 + dy + 1) * 3 + dx + 1]
                                    * x[(i * height + row + dy) * width + column + dx]
                            }
                        }
                    }
                    y[(o * height + row) * width + column] = sum
                }
            }
        }
        return y
    }

    private func pool(_ x: [Double], _ channels: Int, _ height: Int, _ width: Int) -> [Double] {
        var y: [Double] = []
        for c in 0 ..< channels {
            for row in 0 ..< height / 2 {
                for column in 0 ..< width / 2 {
                    let corner = (c * height + 2 * row) * width + 2 * column
                    y.append(max(x[corner], x[corner + 1], x[corner + width], x[corner + width + 1]))
                }
            }
        }
        return y
    }

    private func crossEntropy(_ logits: [Double], _ digit: Int, _ smoothing: Double) -> Double {
        let greatest = logits.max() ?? 0, mean = logits.reduce(0, +) / Double(logits.count)
        return greatest + log(logits.reduce(0) { $0 + exp($1 - greatest) }) - (1 - smoothing) * logits[digit] - smoothing * mean
    }
}
