import Foundation
import Testing

@testable import Diptych

/// Random numbers, and what is drawn with them.
@Suite struct RandomTests {
    /// The vectors of Random123's kat_vectors for philox4x32-10.
    @Test func knownAnswers() {
        func words(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32) -> SIMD4<UInt32> { SIMD4(a, b, c, d) }
        let ones = UInt32.max
        #expect(Random.philox(words(0, 0, 0, 0), key: SIMD2(0, 0)) == words(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8))
        #expect(Random.philox(words(ones, ones, ones, ones), key: SIMD2(ones, ones)) == words(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD))
        #expect(Random.philox(words(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344), key: SIMD2(0xA409_3822, 0x299F_31D0))
            == words(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1))
    }

    /// The place of every part in counter and key: saved runs and default models rest on it.
    @Test func theKeyIsSeedAndTheCounterIsIndexStepPurpose() {
        let random = Random(seed: 0x0123_4567_89AB_CDEF, purpose: .dropout)
        #expect(random.words(step: 77, index: 0xFEDC_BA98_7654_3210)
            == Random.philox(SIMD4(0x7654_3210, 0xFEDC_BA98, 77, 4), key: SIMD2(0x89AB_CDEF, 0x0123_4567)))
        #expect([Random.Purpose.weights, .pairs, .shuffle, .dropout, .augmentation].map(\.rawValue) == [1, 2, 3, 4, 6])
    }

    /// Mean 1/2 and variance 1/12 of 100,000 draws, within 5 standard errors: 5 * 0.289 / 316 and 5 * 0.0745 / 316.
    @Test func uniform() {
        let random = Random(seed: 9, purpose: .weights)
        let values = (0 ..< 100_000).map { Double(random.uniform(step: 0, index: UInt64($0))) }
        let mean = values.reduce(0, +) / 1e5, variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 1e5
        #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(mean - 0.5) < 0.0046 && abs(variance - 1 / 12.0) < 0.0012)
    }

    private func permutation(_ random: Random, of count: Int, first: Int, step: UInt32 = 0) throws -> [Int] {
        var order = [Int](repeating: -1, count: first)
        try order.withUnsafeMutableBufferPointer { try random.permutation(of: count, step: step, into: $0) }
        return order
    }

    @Test func aPermutationHasEveryNumberOnce() throws {
        let random = Random(seed: 1, purpose: .shuffle)
        for count in [1, 2, 3, 100, 4097] {
            let whole = try permutation(random, of: count, first: count)
            #expect(whole.sorted() == Array(0 ..< count))
            #expect(try permutation(random, of: count, first: count / 2) == Array(whole.prefix(count / 2)))
        }
        #expect(try permutation(random, of: 100, first: 100, step: 1) != permutation(random, of: 100, first: 100, step: 2))
        #expect(try permutation(random, of: 5, first: 0) == [])
    }

    /// Chi-square over all 120 permutations of five, 24,000 drawn: 119 degrees of freedom, so mean 119 and standard
    /// deviation 15.4; 5 of them are 196. A shuffle that swaps with any place (the usual mistake) gives over 1000.
    @Test func permutationsAreAllAsLikely() throws {
        let random = Random(seed: 4, purpose: .shuffle)
        var counts: [[Int]: Int] = [:]
        for step in 0 ..< 24_000 { counts[try permutation(random, of: 5, first: 5, step: UInt32(step)), default: 0] += 1 }
        #expect(counts.count == 120)
        let chiSquare = counts.values.reduce(0.0) { $0 + (Double($1) - 200) * (Double($1) - 200) / 200 }
        #expect(chiSquare < 196, "\(chiSquare)")
    }

    /// The share that is kept, within 5 standard deviations of a binomial's, and the scale of what is kept.
    @Test(arguments: [Float(0), 0.1, 0.25, 0.5, 0.9]) func dropout(_ probability: Float) throws {
        let rows = 100, width = 160, dropout = Dropout(seed: 3, step: 12, probability: probability)
        let x = try Buffer<Float>(count: rows * width, for: "a test")
        for i in 0 ..< x.count { x[i] = 3 }
        withExtendedLifetime(x) { dropout.apply(layer: 1, rows: 0 ..< rows, columns: 0 ..< width, width: width, x: x.pointer) }
        let kept = x.array.filter { $0 != 0 }
        #expect(kept.allSatisfy { $0 == 3 * (1 / (1 - probability)) })
        let p = Double(probability), n = Double(rows * width)
        #expect(abs(Double(kept.count) - n * (1 - p)) <= 5 * (n * p * (1 - p)).squareRoot())

        // Part by part it is the same mask, and what is outside stays.
        let parts = try Buffer<Float>(count: rows * width, for: "a test")
        for i in 0 ..< parts.count { parts[i] = 3 }
        withExtendedLifetime(parts) {
            for row in 10 ..< rows {
                for column in stride(from: 32, to: width, by: 16) {
                    dropout.apply(layer: 1, rows: row ..< row + 1, columns: column ..< column + 16, width: width, x: parts.pointer)
                }
            }
        }
        #expect(parts.array.indices.allSatisfy { parts[$0] == ($0 / width >= 10 && $0 % width >= 32 ? x[$0] : 3) })
    }

    /// PyTorch's start: uniform within 1/sqrt(fan in). The largest value comes near the bound, and mean and variance are
    /// within 5 standard errors of 0 and bound^2 / 3. Each is the draw of its tensor's number and its place in PyTorch's order.
    @Test(arguments: NetworkDescription.Architecture.allCases) func initialWeights(_ architecture: NetworkDescription.Architecture) throws {
        var d = NetworkDescription(architecture)
        (d.mlpWidth1, d.mlpWidth2) = (300, 200)
        let model = try Model(d, seed: 11)
        let random = Random(seed: 11, purpose: .weights)
        for (number, tensor) in model.network.tensors.enumerated() {
            // A bias follows its layer's weights, and shares their fan in.
            let weights = model.network.tensors.first { $0.name.hasPrefix(tensor.name.prefix { $0 != "." } + ".weight") }!
            let bound = 1 / Double(weights.shape.dropFirst().reduce(1, *)).squareRoot()
            let drawn = model.values(of: tensor, in: model.parameters), values = drawn.map(Double.init), n = Double(values.count)
            #expect(values.allSatisfy { abs($0) <= bound * (1 + 1e-6) }, "\(tensor.name)")
            #expect(drawn.indices.allSatisfy {
                drawn[$0] == 1 / Float(tensor.fanIn).squareRoot() * (2 * random.uniform(step: UInt32(number), index: UInt64($0)) - 1)
            }, "\(tensor.name)")
            guard values.count >= 200 else { continue }
            #expect(values.map { abs($0) }.max()! > 0.95 * bound, "\(tensor.name)")
            let mean = values.reduce(0, +) / n, square = values.reduce(0) { $0 + $1 * $1 } / n
            #expect(abs(mean) < 5 * bound / (3 * n).squareRoot(), "\(tensor.name)")
            // The square of a uniform value has the variance 4/45 of the fourth power of its bound.
            #expect(abs(square - bound * bound / 3) < 5 * bound * bound * (4 / 45 / n).squareRoot(), "\(tensor.name)")
        }
        #expect(try Model(d, seed: 11).bits == model.bits && Model(d, seed: 12).bits != model.bits)
    }
}
