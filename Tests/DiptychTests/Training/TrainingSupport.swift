import Testing

@testable import Diptych

extension NetworkDescription {
    /// Small, with widths that are no multiples of anything.
    static func tiny(_ architecture: Architecture, height: Int = 9, width: Int = 6, classes: Int = 5, dropout: Float = 0.5) -> NetworkDescription {
        var d = NetworkDescription(architecture)
        d.height = height
        d.width = width
        d.classes = classes
        d.channels = 5
        d.fc1Width = 19
        d.fc2Width = 7
        d.headWidth = 6
        d.mlpWidth1 = 21
        d.mlpWidth2 = 18
        d.dropout = dropout
        return d
    }
}

extension NetworkDescription.Architecture: CustomTestStringConvertible {
    public var testDescription: String { "\(name)" }
}

extension Pairs {
    /// Random digits; random pixels of 0 ... 255 in a random rectangle of each image, and background (0) around it, or nothing else.
    static func random(_ count: Int, like d: NetworkDescription, key: Int = 1, withDigits: Bool = true, blank: [Int] = []) throws -> Pairs {
        var random = Keyed(key)
        var images: [Float] = []
        for image in 0 ..< 2 * count {
            if blank.contains(image) {
                images += [Float](repeating: 0, count: d.height * d.width)
                continue
            }
            let top = Int.random(in: 0 ..< d.height, using: &random), left = Int.random(in: 0 ..< d.width, using: &random)
            let bottom = Int.random(in: top ..< d.height, using: &random), right = Int.random(in: left ..< d.width, using: &random)
            for y in 0 ..< d.height {
                for x in 0 ..< d.width {
                    images.append((top ... bottom).contains(y) && (left ... right).contains(x) ? Float.random(in: 0 ... 255, using: &random) : 0)
                }
            }
        }
        let digits = (0 ..< 2 * count).map { _ in Int32.random(in: 0 ..< Int32(d.classes), using: &random) }
        let targets = (0 ..< count).map { digits[2 * $0] <= digits[2 * $0 + 1] ? Float(1) : 0 }
        return try Pairs.fromMemory(images: images, targets: targets, digits: withDigits ? digits : nil, count: count, height: d.height, width: d.width)
    }
}

extension Model {
    /// All parameters, padding included, to the bit.
    var bits: [UInt32] { parameters.array.map(\.bitPattern) }

    /// By PyTorch's names and in its order.
    func values(of tensor: Tensor, in source: Buffer<Float>) -> [Float] {
        var values = [Float](repeating: 0, count: tensor.count)
        withExtendedLifetime(source) { values.withUnsafeMutableBufferPointer { copy(tensor, of: source.pointer, to: $0.baseAddress!) } }
        return values
    }

    func predictions(_ images: [Float], threads: Int) throws -> [Prediction] {
        let count = images.count / (2 * description.height * description.width)
        var result = [Prediction](repeating: Prediction(), count: count)
        try result.withUnsafeMutableBufferPointer { try predict(images, count: count, threads: threads, into: $0.baseAddress!) }
        return result
    }
}

extension Prediction {
    init() {
        self.init(probability: .nan, marginal: .nan, firstDigit: -1, secondDigit: -1, firstConfidence: .nan, secondConfidence: .nan,
                  lessOrEqual: -1, agrees: -1)
    }

    var words: [UInt32] {
        withUnsafeBytes(of: self) { Array($0.bindMemory(to: UInt32.self)) }
    }
}

/// Options for `tiny` networks.
func tinyOptions(epochs: Int = 2, batchSize: Int = 10, threads: Int = 1, _ change: (inout TrainerOptions) -> Void = { _ in }) -> TrainerOptions {
    var o = TrainerOptions()
    o.epochs = epochs
    o.batchSize = batchSize
    o.threads = threads
    o.seed = 7
    change(&o)
    return o
}

/// A new model after all of its steps, and what the last one said.
@discardableResult
func trained(_ d: NetworkDescription, _ pairs: Pairs, _ options: TrainerOptions) throws -> (model: Model, progress: Progress) {
    let model = try Model(d, seed: 3)
    let trainer = try Trainer(model: model, pairs: pairs, options: options)
    var progress = Progress()
    repeat { progress = try trainer.trainEpoch() } while !progress.finished
    return (model, progress)
}
