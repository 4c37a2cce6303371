import DiptychReference
import Foundation
import Testing

@testable import Diptych

/// What happens to training images.
@Suite struct AugmentationTests {
    private static func augmented(_ change: (inout Augmentation) -> Void) -> Augmentation {
        var a = Augmentation()
        change(&a)
        return a
    }

    private func augmenter(_ a: Augmentation, seed: UInt64 = 5, height: Int = 14, width: Int = 14) throws -> Augmenter {
        try Augmenter(a, seed: seed, height: height, width: width)
    }

    private func apply(_ augmenter: Augmenter, _ draw: Augmenter.Draw, _ image: [Float]) throws -> [Float] {
        let out = try Buffer<Float>(count: augmenter.outputFloats, for: "a test"), scratch = try Buffer<Float>(count: augmenter.scratch, for: "a test")
        // Whatever lay there before must not show.
        for i in 0 ..< out.count { out[i] = -7 }
        for i in 0 ..< scratch.count { scratch[i] = .nan }
        augmenter.apply(draw, image, into: out.pointer, scratch: scratch.pointer)
        return Array(out.array.prefix(image.count))
    }

    private func noise(_ count: Int, _ key: Int) -> [Float] {
        var random = Keyed(key)
        return (0 ..< count).map { _ in Float.random(in: 0 ... 255, using: &random) }
    }

    static let everything: @Sendable (inout Augmentation) -> Void = {
        ($0.rotation, $0.scale, $0.shear, $0.shift, $0.elastic, $0.stroke) = (40, 0.3, 0.4, 3, 1.5, 0.6)
    }

    // MARK: Resampling

    /// Places are rounded to 1/256 of a pixel, by up to half of that each way (single precision adds little), and the spline
    /// through pixels of 0 to 255 has a slope below 2 * 255: so the difference is below 2, and mostly far below.
    @Test(arguments: [(14, 14), (4, 4), (9, 6), (5, 256), (28, 28), (17, 33), (256, 7)])
    func matchesThePlainOne(_ height: Int, _ width: Int) throws {
        let augmenter = try augmenter(Self.augmented(Self.everything), height: height, width: width)
        let image = noise(height * width, height + width)
        var strokes: Set<Bool> = []
        for step in 0 ..< 12 {
            let draw = augmenter.draw(step: UInt32(step), image: 3), m = draw.matrix
            strokes.insert(draw.stroke > 0)
            let expected = Reference.augment(
                image.map(Double.init), height: height, width: width, matrix: (0 ..< 4).map { Double(m[$0]) },
                shift: (Double(draw.shift.x), Double(draw.shift.y)),
                nodes: ((0 ..< 16).map { Double(draw.elastic.x[$0]) }, (0 ..< 16).map { Double(draw.elastic.y[$0]) }), stroke: Double(draw.stroke))
            let differences = zip(try apply(augmenter, draw, image), expected).map { abs(Double($0) - $1) }
            #expect((differences.max() ?? .infinity) < 2, "step \(step)")
            #expect(differences.reduce(0, +) / Double(differences.count) < 0.3, "step \(step)")
        }
        #expect(strokes == [true, false])
    }

    @Test func nothingDrawnIsNothingDone() throws {
        for (height, width) in [(14, 14), (5, 13), (4, 8)] {
            let image = noise(height * width, 1), augmenter = try augmenter(Self.augmented { $0.elastic = 1 }, height: height, width: width)
            #expect(try apply(augmenter, Augmenter.Draw(), image) == image)
        }
    }

    /// Blank windows are told by their bits.
    @Test func blankStaysBlank() throws {
        let augmenter = try augmenter(Self.augmented(Self.everything))
        for step in 0 ..< 20 {
            #expect(try apply(augmenter, augmenter.draw(step: UInt32(step), image: 0), [Float](repeating: 0, count: 196)).allSatisfy { $0.bitPattern == 0 })
        }
    }

    @Test func directions() throws {
        let augmenter = try augmenter(Self.augmented { $0.shift = 1 })
        var image = [Float](repeating: 0, count: 196)
        (image[5 * 14 + 6], image[5 * 14 + 7]) = (100, 40)
        var draw = Augmenter.Draw()
        draw.shift = [2, 1]
        let shifted = try apply(augmenter, draw, image)
        #expect(shifted[6 * 14 + 8] == 100 && shifted[6 * 14 + 9] == 40 && shifted.reduce(0, +) == 140)
        // Background comes in; what leaves is gone.
        draw.shift = [-7, 0]
        #expect(try apply(augmenter, draw, image).enumerated().allSatisfy { $1 == ($0 == 5 * 14 ? 40 : 0) })
        // 3x3 maximum and minimum.
        draw.shift = [0, 0]
        draw.stroke = 1
        let thick = try apply(augmenter, draw, image)
        #expect(thick.filter { $0 == 100 }.count == 9 && thick.filter { $0 == 40 }.count == 3 && thick.filter { $0 == 0 }.count == 184)
        draw.stroke = -1
        #expect(try apply(augmenter, draw, image).allSatisfy { $0 == 0 })
    }

    // MARK: Draw

    @Test func aDrawIsKeyed() throws {
        let a = Self.augmented(Self.everything)
        func numbers(_ seed: UInt64, _ step: UInt32, _ image: Int) throws -> [Float] {
            let draw = try augmenter(a, seed: seed).draw(step: step, image: image)
            return (0 ..< 4).map { draw.matrix[$0] } + [draw.shift.x, draw.shift.y, draw.stroke]
                + (0 ..< 16).flatMap { [draw.elastic.x[$0], draw.elastic.y[$0]] }
        }
        let first = try numbers(1, 2, 3)
        #expect(try numbers(1, 2, 3) == first && Set(first).count == first.count)
        for other in [try numbers(2, 2, 3), try numbers(1, 3, 3), try numbers(1, 2, 4)] {
            #expect(zip(other, first).allSatisfy { $0 != $1 })
        }
    }

    /// Each is uniform from minus to plus its amount: mean 0 and variance amount^2 / 3 within 5 standard errors of 20,000
    /// draws (0.577 and 0.298 of the amount and its square, over 141), all within the amount, some close to it.
    @Test(arguments: ["rotation", "scale", "shear", "shift", "stroke", "elastic"]) func moments(_ name: String) throws {
        var a = Augmentation()
        let amount: Double
        let values: (Augmenter.Draw) -> [Float]
        switch name {
        case "rotation": (a.rotation, amount, values) = (20, 20, { [atan2(-$0.matrix[2], $0.matrix[0]) * 180 / Float.pi] })
        case "scale": (a.scale, amount, values) = (0.2, 0.2, { [1 / $0.matrix[0] - 1] })
        case "shear": (a.shear, amount, values) = (0.3, 0.3, { [-$0.matrix[1]] })
        case "shift": (a.shift, amount, values) = (2, 2, { [$0.shift.x, $0.shift.y] })
        case "stroke": (a.stroke, amount, values) = (0.5, 0.5, { [$0.stroke] })
        default: (a.elastic, amount, values) = (1.5, 1.5, { draw in (0 ..< 16).map { draw.elastic.x[$0] } + (0 ..< 16).map { draw.elastic.y[$0] } })
        }
        let augmenter = try augmenter(a), n = 20_000.0
        let draws = (0 ..< 20_000).map { values(augmenter.draw(step: UInt32($0 % 100), image: $0 / 100)).map(Double.init) }
        for i in draws[0].indices {
            let column = draws.map { $0[i] / amount }
            let mean = column.reduce(0, +) / n, square = column.reduce(0) { $0 + $1 * $1 } / n
            #expect(abs(mean) < 5 * 0.577 / n.squareRoot() && abs(square - 1 / 3.0) < 5 * 0.298 / n.squareRoot(), "\(name) \(i): \(mean), \(square)")
            #expect((column.map(abs).max() ?? 0) < 1.0001 && (column.max() ?? 0) > 0.99 && (column.min() ?? 0) < -0.99)
            // The product of two independent ones has the deviation 1/3.
            for j in 0 ..< i {
                let product = draws.reduce(0) { $0 + $1[i] * $1[j] } / (n * amount * amount)
                #expect(abs(product) < 5 / (3 * n.squareRoot()), "\(name) \(i), \(j): \(product)")
            }
        }
        // And nothing else happens.
        let only = augmenter.draw(step: 1, image: 1), none = Augmenter.Draw()
        #expect(name == "shift" || only.shift == none.shift)
        #expect(name == "stroke" || only.stroke == 0)
        #expect(name == "elastic" || only.elastic.x == .zero)
        #expect(["rotation", "scale", "shear"].contains(name) || only.matrix == none.matrix)
    }

    // MARK: Training

    /// Every image of a batch is changed in its own way, and otherwise in the next step.
    @Test func trainingSeesChangedImages() throws {
        let d = NetworkDescription.tiny(.siamese), pairs = try Pairs.random(20, like: d)
        let plain = try trained(d, pairs, tinyOptions()).model.bits
        let changes: [(inout Augmentation) -> Void] = [
            { $0.rotation = 5 }, { $0.scale = 0.1 }, { $0.shear = 0.1 }, { $0.shift = 0.5 }, { $0.elastic = 0.5 }, { $0.stroke = 0.2 },
        ]
        for change in changes {
            let bits = try trained(d, pairs, tinyOptions { change(&$0.augmentation) }).model.bits
            #expect(bits != plain)
            #expect(try trained(d, pairs, tinyOptions { change(&$0.augmentation) }).model.bits == bits)
        }
    }

    @Test func amountsHaveRanges() throws {
        func refused(_ name: String, _ change: (inout Augmentation) -> Void) {
            expectError(.invalidArgument, name) { try tinyOptions { change(&$0.augmentation) }.validate() }
        }
        refused("rotation") { $0.rotation = 181 }
        refused("scale") { $0.scale = 0.95 }
        refused("shear") { $0.shear = .nan }
        refused("shift") { $0.shift = -1 }
        refused("elastic") { $0.elastic = .infinity }
        refused("stroke") { $0.stroke = 1.5 }
        // The ends of the ranges, on the smallest and the longest image, do no harm.
        var most = Augmentation()
        (most.rotation, most.scale, most.shear, most.shift, most.elastic, most.stroke) = (180, 0.9, 10, 256, 256, 1)
        try most.validate()
        for (height, width) in [(4, 4), (4, 256)] {
            let augmenter = try augmenter(most, height: height, width: width), image = noise(height * width, 3)
            for step in 0 ..< 50 {
                let bounds = 0 ... (image.max() ?? 0)
                #expect(try apply(augmenter, augmenter.draw(step: UInt32(step), image: step), image).allSatisfy(bounds.contains))
            }
        }
    }
}
