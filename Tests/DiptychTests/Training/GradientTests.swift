import CDiptychPlatform
import DiptychReference
import Testing

@testable import Diptych

/// Gradients by finite differences, and losses, of the network in double precision (Sources/DiptychReference).
///
/// Central differences with a step of 1e-6 err by about step^2 where the loss is smooth, and by 1e-16 / step from rounding:
/// 1e-9 together, nothing beside the library's float32, whose gradients are within 1e-5 of their tensor's norm (PyTorch's
/// are, too; Winograd's transforms cost a little more). ReLU and max-pool have kinks: one that lies within a step, or
/// within float32's error of zero, changes the gradient by that unit's share. The fixed seeds here meet none that shows at
/// 1e-4 of the norm, which any wrong, missing or doubled term of the gradient does.
@Suite struct GradientTests {
    static let step = 1e-6
    static let tolerance = 1e-4

    struct Case: CustomTestStringConvertible, Sendable {
        var description: NetworkDescription
        var lossRatio: Float = 0.7
        var pairs = 3
        var smoothing: Float = 0
        /// Images without anything on them.
        var blank: [Int] = []
        var testDescription: String {
            let d = description
            return "\(d.architecture.name) \(d.height)x\(d.width), \(d.classes) classes, \(d.channels) channels, "
                + "dropout \(d.dropout), ratio \(lossRatio), \(pairs) pairs" + (smoothing > 0 ? ", smoothing \(smoothing)" : "")
        }
    }

    static let small: [Case] = NetworkDescription.Architecture.allCases.flatMap { architecture in
        [Case(description: .tiny(architecture, height: 5, width: 7, classes: 3, dropout: 0)),
         Case(description: .tiny(architecture, height: 6, width: 4, classes: 3, dropout: 0), lossRatio: 0),
         Case(description: .tiny(architecture, height: 4, width: 5, classes: 2, dropout: 0.5))]
    } + [Case(description: .tiny(.siamese, height: 5, width: 7, classes: 3, dropout: 0), smoothing: 0.2)]

    /// One step's gradients and loss by the library, and the same network in double precision with its inputs.
    struct Subject {
        let model: Model
        let gradients: Buffer<Float>
        let progress: Progress
        var reference: ReferenceNetwork
        let images: [[Double]]
        let targets: [Double]
        let digits: [Int]
        let ratio: Double
        let smoothing: Double

        init(_ c: Case) throws {
            let d = c.description, pairs = try Pairs.random(c.pairs, like: d, blank: c.blank)
            model = try Model(d, seed: 5)
            let options = tinyOptions(epochs: 1, batchSize: c.pairs) { ($0.lossRatio, $0.labelSmoothing) = (c.lossRatio, c.smoothing) }
            let trainer = try Trainer(model: model, pairs: pairs, options: options)
            gradients = try Buffer(count: model.network.parameterFloats, for: "a test")
            trainer.batch.gradientCapture = gradients
            progress = try trainer.trainStep()

            reference = ReferenceNetwork(d)
            for tensor in model.network.tensors { reference.tensors[tensor.name] = model.values(of: tensor, in: model.parameters).map(Double.init) }
            let masks = try Self.masks(model, images: 2 * c.pairs, seed: options.seed)
            if d.dropout > 0 { reference.dropout = { masks[$0][$1][$2] } }
            let size = d.height * d.width, mean = Double(model.mean), deviation = Double(model.standardDeviation)
            let pixels = pairs.images.array
            images = (0 ..< 2 * c.pairs).map { image in pixels[image * size ..< (image + 1) * size].map { (Double($0) - mean) / deviation } }
            targets = pairs.targets.array.map(Double.init)
            digits = pairs.digits?.array.map(Int.init) ?? []
            ratio = Double(c.lossRatio)
            smoothing = Double(c.smoothing)
        }

        func loss(_ network: ReferenceNetwork) -> Double { network.loss(images: images, targets: targets, digits: digits, ratio: ratio, smoothing: smoothing) }

        /// The first step's dropout factors, by dense layer, image and unit: what becomes of ones.
        static func masks(_ model: Model, images: Int, seed: UInt64) throws -> [[[Double]]] {
            let dropout = Dropout(seed: seed, step: 0, probability: model.description.dropout)
            return try model.network.dense.enumerated().map { index, layer in
                let ones = try Buffer<Float>(count: images * layer.outputs, for: "a test")
                for i in 0 ..< ones.count { ones[i] = 1 }
                withExtendedLifetime(ones) {
                    dropout.apply(layer: index, rows: 0 ..< images, columns: 0 ..< layer.outputs, width: layer.outputs, x: ones.pointer)
                }
                return (0 ..< images).map { image in (0 ..< layer.outputs).map { Double(ones[image * layer.outputs + $0]) } }
            }
        }
    }

    @Test(arguments: small) func everyParameter(_ c: Case) throws {
        var subject = try Subject(c)
        // A float32 loss is a sum of few logarithms: some 1e-7.
        #expect(abs(subject.progress.loss - subject.loss(subject.reference)) < 1e-5)
        for tensor in subject.model.network.tensors {
            let gradient = subject.model.values(of: tensor, in: subject.gradients)
            var error = 0.0, norm = 0.0
            for i in gradient.indices {
                let value = subject.reference.tensors[tensor.name]![i]
                subject.reference.tensors[tensor.name]![i] = value + Self.step
                let above = subject.loss(subject.reference)
                subject.reference.tensors[tensor.name]![i] = value - Self.step
                let below = subject.loss(subject.reference)
                subject.reference.tensors[tensor.name]![i] = value
                let difference = (above - below) / (2 * Self.step)
                error += (Double(gradient[i]) - difference) * (Double(gradient[i]) - difference)
                norm += difference * difference
            }
            #expect(norm > 0, "\(tensor.name): nothing to compare")
            #expect(error.squareRoot() <= Self.tolerance * norm.squareRoot() + 1e-8, "\(tensor.name): \(error.squareRoot()) of \(norm.squareRoot())")
        }
    }

    /// Dropout really drops here, and differently for the two images of a pair.
    @Test func masksAreNotTrivial() throws {
        let model = try Model(.tiny(.mlp), seed: 1)
        let masks = try Subject.masks(model, images: 2, seed: 7)
        for layer in masks {
            #expect(Set(layer[0]) == [0, 2] && Set(layer[1]) == [0, 2])
            #expect(layer[0] != layer[1])
        }
        #expect(Array(masks[1][0].prefix(16)) != Array(masks[2][0].prefix(16)))
    }

    static let sizes: [Case] = [
        (NetworkDescription.Architecture.siamese, 8, 8, 2, 8), (.siamese, 64, 64, 10, 20), (.siamese, 9, 33, 100, 32), (.siamese, 4, 4, 10, 1),
        (.rws, 13, 8, 1000, 12), (.rws, 8, 64, 3, 33), (.rws, 28, 28, 10, 16),
        (.mlp, 8, 8, 1000, 4), (.mlp, 64, 63, 7, 1), (.mlp, 5, 64, 17, 3),
    ].enumerated().map { index, values in
        var d = NetworkDescription(values.0)
        (d.height, d.width, d.classes, d.channels) = (values.1, values.2, values.3, values.4)
        d.fc1Width = [1, 64, 65, 100][index % 4]
        d.fc2Width = [31, 1, 48][index % 3]
        d.headWidth = [1, 16, 33][index % 3]
        (d.mlpWidth1, d.mlpWidth2) = (index * 20 + 1, 300)
        d.dropout = index % 2 == 0 ? 0 : 0.3
        return Case(description: d, pairs: 2)
    } + [{
        // An l2 wide enough for LiveInputs, with more images than a list holds.
        var d = NetworkDescription.tiny(.mlp, height: 6, width: 7, classes: 4, dropout: 0.5)
        (d.mlpWidth1, d.mlpWidth2) = (1030, 260)
        return Case(description: d, pairs: Int(DP_LIST_DEPTH) / 2 + 1)
    }()] + [NetworkDescription.Architecture.rws, .mlp].map { architecture in
        // More rows than a list holds, of each image alone, too.
        var d = NetworkDescription.tiny(architecture, height: 6, width: 7, classes: 4, dropout: 0.5)
        (d.fc1Width, d.fc2Width) = (300, 20)
        return Case(description: d, pairs: Int(DP_LIST_DEPTH) + 9)
    } + [(NetworkDescription.Architecture.siamese, 15, 17, 16), (.siamese, 20, 23, 21), (.rws, 17, 16, 16), (.rws, 16, 22, 15)].map { values in
        // Images large enough for tiles of background, whose way back is taken once for 16 pairs and more.
        let d = NetworkDescription.tiny(values.0, height: values.1, width: values.2, classes: 4, dropout: 0.3)
        return Case(description: d, pairs: values.3, blank: [4, 7])
    }

    /// Other sizes, classes and widths: the loss, and every tensor's gradient along a random direction of ones and minus
    /// ones, whose product with the gradient is as large as the gradient's norm. All of a tensor's values move at once, and
    /// networks a hundred times as large have that many more kinks: so the step is 1e-8 (1e-8 from rounding, still small)
    /// and the tolerance 1e-3, about the share of a few units among so many.
    @Test(arguments: sizes) func otherSizes(_ c: Case) throws {
        let subject = try Subject(c)
        #expect(subject.model.network.tensors.reduce(0) { $0 + $1.count } == c.description.parameterCount)
        #expect(abs(subject.progress.loss - subject.loss(subject.reference)) < 1e-5 * max(1, subject.progress.loss))
        var random = Keyed(21)
        for tensor in subject.model.network.tensors {
            let gradient = subject.model.values(of: tensor, in: subject.gradients)
            let direction = gradient.map { _ in Bool.random(using: &random) ? 1.0 : -1.0 }
            func loss(_ step: Double) -> Double {
                var moved = subject.reference
                moved.tensors[tensor.name] = zip(moved.tensors[tensor.name]!, direction).map { $0 + step * $1 }
                return subject.loss(moved)
            }
            let difference = (loss(1e-8) - loss(-1e-8)) / 2e-8
            let product = zip(gradient, direction).reduce(0.0) { $0 + Double($1.0) * $1.1 }
            let norm = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            #expect(abs(product - difference) <= 1e-3 * norm + 1e-6, "\(tensor.name): \(product), \(difference), norm \(norm)")
        }
    }
}
