import CDiptychPlatform
import Foundation
import Testing

@testable import Diptych

/// Answers do not depend on what else is asked, nor on how many threads ask.
@Suite struct PredictTests {
    static let descriptions: [NetworkDescription] = NetworkDescription.Architecture.allCases.flatMap { architecture in
        var wide = NetworkDescription.tiny(architecture, height: 12, width: 10, classes: 33)
        (wide.channels, wide.fc1Width, wide.mlpWidth1, wide.mlpWidth2) = (24, 100, 500, 129)
        wide.views = 5
        return [.tiny(architecture), wide]
    }

    @Test func neitherTheSplitNorTheThreadsShow() throws {
        for d in Self.descriptions {
            // More than one block of 60 (MLP) or 12 pairs.
            let model = try Model(d, seed: 2), count = 131, pixels = 2 * d.height * d.width
            model.standardise(mean: 120, standardDeviation: 70)
            let images = try Pairs.random(count, like: d).images.array
            let expected = try model.predictions(images, threads: 1).map(\.words)
            for threads in [2, 3, 8, 0] { #expect(try model.predictions(images, threads: threads).map(\.words) == expected) }
            for size in [1, 7, 60, 61] {
                let parts = try stride(from: 0, to: count, by: size).flatMap { start in
                    try model.predictions(Array(images[start * pixels ..< min(count, start + size) * pixels]), threads: 1).map(\.words)
                }
                #expect(parts == expected, "\(d.architecture.name) \(size)")
            }
        }
    }

    /// A thread's scratch memory is not zeroed, and holds what the last call left there.
    @Test func whatScratchMemoryHoldsDoesNotShow() throws {
        for d in Self.descriptions {
            let model = try Model(d, seed: 2), count = 13
            model.standardise(mean: 120, standardDeviation: 70)
            let images = try Pairs.random(count, like: d).images.array
            // Every bit set: not a number, and as an integer far outside of everything.
            let answers = try [0, 0xFF as Int32].map { byte in
                memset(dp_thread_scratch(8 << 20), byte, 8 << 20)
                return try model.predictions(images, threads: 1).map(\.words)
            }
            #expect(answers[0] == answers[1], "\(d.architecture.name)")
        }
    }

    /// Pairs that leave more and less than half of fc1's inputs, so that it goes by lists or not as their block decides.
    @Test func emptyNeighboursDoNotShow() throws {
        var d = NetworkDescription.tiny(.siamese, height: 14, width: 14)
        d.channels = 16
        let model = try Model(d, seed: 2), count = 24, pixels = 2 * d.height * d.width
        model.standardise(mean: 120, standardDeviation: 70)
        // The biases decide what a blank image leaves: nothing.
        let bias = model.network.tensor(named: "cl2.bias")!
        try [Float](repeating: -1.5, count: bias.count).withUnsafeBufferPointer { try model.setTensor("cl2.bias", to: $0) }
        var random = Keyed(32)
        let images = (0 ..< count * pixels).map { $0 / pixels % 3 == 0 ? Float.random(in: 0 ... 10_000, using: &random) : 120 }
        func pair(_ index: Int) -> [Float] { Array(images[index * pixels ..< (index + 1) * pixels]) }
        let together = try model.predictions(images, threads: 1).map(\.words)
        #expect(try (0 ..< count).flatMap { try model.predictions(pair($0), threads: 1).map(\.words) } == together)
        func alive(_ index: Int) throws -> Double {
            let features = try Self.features(model, pair(index))
            return Double(features.filter { $0 != 0 }.count) / Double(features.count)
        }
        #expect(try alive(0) > 0.6)
        #expect(try alive(1) < 0.25)
    }

    /// fc1's inputs for one pair.
    private static func features(_ model: Model, _ images: [Float]) throws -> [Float] {
        let layout = PassLayout(model.network, pairs: 1), row = model.network.dense[0].inputs
        let memory = try Buffer<Float>(count: layout.floats + Pass.scratch(model.network), for: "a test")
        let pass = Pass(model: model, layout: layout, base: memory.pointer)
        return withExtendedLifetime(memory) {
            for image in 0 ..< 2 {
                images.withUnsafeBufferPointer { pass.load($0.baseAddress! + image * images.count / 2, image: image) }
            }
            pass.run(pairs: 1, scratch: memory.pointer + layout.floats)
            return Array(UnsafeBufferPointer(start: memory.pointer + layout.features, count: 2 * row))
        }
    }

    @Test func bytesAreTheSameAsFloats() throws {
        for d in Self.descriptions {
            let model = try Model(d, seed: 2), count = 20
            var random = Keyed(31)
            let bytes = (0 ..< count * 2 * d.height * d.width).map { _ in UInt8.random(in: 0 ... 255, using: &random) }
            var result = [Prediction](repeating: Prediction(), count: count)
            try result.withUnsafeMutableBufferPointer { try model.predict(bytes, count: count, threads: 2, into: $0.baseAddress!) }
            #expect(result.map(\.words) == (try model.predictions(bytes.map(Float.init), threads: 1).map(\.words)))
        }
    }

    /// Against moved images, predicted one by one. Within the roundings of a logit from its probability and back: some 1e-6 at
    /// probabilities from 0.01 to 0.99.
    @Test(arguments: NetworkDescription.Architecture.allCases, [(height: 7, width: 9), (height: 8, width: 21)])
    func viewsAreAveraged(architecture: NetworkDescription.Architecture, size: (height: Int, width: Int)) throws {
        var d = NetworkDescription.tiny(architecture, height: size.height, width: size.width)
        let moves = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)], count = 30
        let images = try Pairs.random(count, like: d).images.array
        func moved(_ down: Int, _ right: Int) -> [Float] {
            images.indices.map { index in
                let x = index % d.width - right, y = index / d.width % d.height - down
                return (0 ..< d.width).contains(x) && (0 ..< d.height).contains(y) ? images[index - down * d.width - right] : 0
            }
        }
        func answers(_ images: [Float]) throws -> (heads: [Double], classes: [[Double]]) {
            let model = try Model(d, seed: 6)
            model.standardise(mean: 100, standardDeviation: 60)
            var predictions = [Prediction](repeating: Prediction(), count: count)
            var classes = [Float](repeating: .nan, count: count * 2 * d.classes)
            try predictions.withUnsafeMutableBufferPointer {
                try model.predict(images, count: count, threads: 1, into: $0.baseAddress!, classProbabilities: &classes)
            }
            return (predictions.map { log(Double($0.probability) / (1 - Double($0.probability))) },
                    stride(from: 0, to: classes.count, by: d.classes).map { row in classes[row ..< row + d.classes].map { log(Double($0)) } })
        }
        for views in [1, 5, 9] {
            d.views = 1
            let single = try moves.prefix(views).map { try answers(moved($0, $1)) }
            d.views = views
            let mean = try answers(images)
            for pair in 0 ..< count {
                #expect(abs(mean.heads[pair] - single.map { $0.heads[pair] }.reduce(0, +) / Double(views)) < 1e-5)
            }
            for image in 0 ..< 2 * count {
                // Logits' means, up to the constant that a softmax takes off.
                let logits = (0 ..< d.classes).map { j in single.map { $0.classes[image][j] }.reduce(0, +) / Double(views) }
                let total = log(logits.map { exp($0) }.reduce(0, +))
                for j in 0 ..< d.classes { #expect(abs(mean.classes[image][j] - (logits[j] - total)) < 1e-5) }
            }
        }
    }

    /// Threads of the host at once on one model, each asking for two threads of ours.
    @Test func manyCallersAtOnce() throws {
        let d = Self.descriptions[1], model = try Model(d, seed: 2), images = try Pairs.random(50, like: d).images.array
        let expected = try model.predictions(images, threads: 1).map(\.words)
        let callers = 8, right = UnsafeMutableBufferPointer<Bool>.allocate(capacity: callers)
        defer { right.deallocate() }
        nonisolated(unsafe) let answers = right
        DispatchQueue.concurrentPerform(iterations: callers) { caller in
            answers[caller] = (0 ..< 5).allSatisfy { _ in (try? model.predictions(images, threads: 2).map(\.words)) == expected }
        }
        #expect(right.allSatisfy { $0 })
    }

    @Test func theMarginalIsTheSumOverOrderedPairs() throws {
        let d = NetworkDescription.tiny(.rws), model = try Model(d, seed: 2), count = 20
        let images = try Pairs.random(count, like: d).images.array
        var probabilities = [Float](repeating: .nan, count: count * 2 * d.classes)
        var predictions = [Prediction](repeating: Prediction(), count: count)
        try predictions.withUnsafeMutableBufferPointer {
            try model.predict(images, count: count, threads: 1, into: $0.baseAddress!, classProbabilities: &probabilities)
        }
        for (pair, prediction) in predictions.enumerated() {
            let a = probabilities[2 * pair * d.classes ..< (2 * pair + 1) * d.classes].map(Double.init)
            let b = probabilities[(2 * pair + 1) * d.classes ..< (2 * pair + 2) * d.classes].map(Double.init)
            // Five float32 probabilities add up to 1 within a few roundings.
            #expect(abs(a.reduce(0, +) - 1) < 1e-6 && abs(b.reduce(0, +) - 1) < 1e-6)
            var marginal = 0.0
            for i in 0 ..< d.classes { for j in i ..< d.classes { marginal += a[i] * b[j] } }
            #expect(abs(marginal - Double(prediction.marginal)) < 1e-6)
            #expect(Double(prediction.firstConfidence) == a.max() && a[Int(prediction.firstDigit)] == a.max())
            #expect(Double(prediction.secondConfidence) == b.max() && b[Int(prediction.secondDigit)] == b.max())
            #expect(prediction.lessOrEqual == (prediction.probability > 0.5 ? 1 : 0))
            #expect((prediction.agrees == 1) == ((prediction.probability > 0.5) == (prediction.marginal > 0.5)))
        }
    }
}
