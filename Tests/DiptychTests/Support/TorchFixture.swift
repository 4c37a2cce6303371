import Foundation
import Testing

/// What PyTorch computes for one network, and the network's weights and inputs, made again by the formula that made
/// them there. `Tests/Fixtures/torch/README.md` says how, and which tolerances are fair.
struct TorchFixture: Decodable, Sendable {
    let name: String
    /// "siamese", "rws" or "mlp".
    let architecture: String
    let height, width, classes, channels, fc1Width, fc2Width, headWidth: Int
    /// 0 where the width is the default.
    let mlpWidth1, mlpWidth2: Int
    let pairs: Int
    /// Pairs a training step; the last batch of an epoch may be smaller.
    let batch: Int
    let seed: UInt32
    /// Mean and standard deviation (with n - 1) of all the pairs' pixels.
    let mean, standardDeviation: Float
    let margin: Double
    /// [pairs][2]
    let digits: [Int32]
    let inputsChecksum: String
    /// In state_dict order.
    let tensors: [Tensor]
    /// [pairs]
    let probability: Values
    /// [pairs][classes]
    let firstLogits, secondLogits: Values
    /// Loss and gradients over all pairs at once, at loss ratio 0.7 and at 0.
    let losses: [Loss]
    /// Ten training steps each.
    let runs: [Run]

    struct Tensor: Decodable, Sendable {
        let name: String
        let shape: [Int]
        let checksum: String
        var count: Int { shape.reduce(1, *) }
    }

    /// Numbers in cases.f32.
    struct Values: Decodable, Sendable {
        let offset, count: Int
        var values: [Float] { TorchFixture.numbers(offset, count) }
    }

    struct Loss: Decodable, Sendable {
        let lossRatio: Float
        let loss, bce, auxiliary: Double
        let gradients: [Gradient]
    }

    struct Run: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        /// "adam" or "sgd"; Adam's decay is decoupled, SGD's is added to the gradient.
        let optimizer: String
        /// "constant", "cosine" or "one-cycle".
        let schedule: String
        let learningRate, momentum, weightDecay, lossRatio: Float
        /// Of each of the ten steps, before its update.
        let loss, bce, auxiliary, learningRates: [Double]
        /// All pairs' probabilities after the tenth update.
        let probabilityAfter: Values
        var testDescription: String { name }
    }

    /// A tensor's gradient: every `stride`-th element, and sums over all `size` of them.
    struct Gradient: Decodable, Sendable {
        let name: String
        let stride, offset, count, size: Int
        let sum, sumOfSquares: Double

        /// How far `gradient` (all of it, in PyTorch's order) is from PyTorch's, relative to its Euclidean norm: the
        /// worst of the stored elements, the sum and the sum of squares. Infinite where the size or a value is wrong.
        func difference(from gradient: UnsafeBufferPointer<Float>) -> Double {
            guard gradient.count == size, size > 0 else { return .infinity }
            let expected = TorchFixture.numbers(offset, count)
            var error = 0.0, norm = 0.0, total = 0.0, squares = 0.0
            for i in 0 ..< count {
                let e = Double(expected[i]), d = Double(gradient[i * stride]) - e
                error += d * d
                norm += e * e
            }
            for value in gradient {
                total += Double(value)
                squares += Double(value) * Double(value)
            }
            // A sum of n errors of one size is about sqrt(n) of them, as the norm is.
            let worst = [(error / norm).squareRoot(), abs(total - sum) / sumOfSquares.squareRoot(),
                         abs(squares - sumOfSquares) / (2 * sumOfSquares)]
            return worst.allSatisfy(\.isFinite) ? worst.max()! : .infinity
        }

        func difference(from gradient: [Float]) -> Double {
            gradient.withUnsafeBufferPointer { difference(from: $0) }
        }
    }

    /// 1 where the first digit is at most the second. [pairs]
    var targets: [Float] { (0 ..< pairs).map { digits[2 * $0] <= digits[2 * $0 + 1] ? 1 : 0 } }
}

// MARK: - Files

extension TorchFixture {
    static let all: [TorchFixture] = file.cases
    /// Names and shapes of the three presets' state_dict.
    static let stateDict: [String: [String: [Int]]] = decode("state_dict.json", JSONDecoder())

    static func named(_ name: String) -> TorchFixture { all.first { $0.name == name }! }

    private struct File: Decodable { let torch: String, cases: [TorchFixture] }

    private static let file: File = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decode("cases.json", decoder)
    }()

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures/torch")
    private static let data = try! Data(contentsOf: folder.appendingPathComponent("cases.f32"))

    private static func decode<T: Decodable>(_ name: String, _ decoder: JSONDecoder) -> T {
        try! decoder.decode(T.self, from: Data(contentsOf: folder.appendingPathComponent(name)))
    }

    static func numbers(_ offset: Int, _ count: Int) -> [Float] {
        data.withUnsafeBytes { bytes in
            (offset ..< offset + count).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
            }
        }
    }
}

// MARK: - The formula

extension TorchFixture {
    /// 32 bits to 32 bits: the finaliser of MurmurHash3 (Austin Appleby, public domain).
    @inline(__always)
    private static func mix(_ word: UInt32) -> UInt32 {
        var x = word
        x = (x ^ (x &>> 16)) &* 0x85EB_CA6B
        x = (x ^ (x &>> 13)) &* 0xC2B2_AE35
        return x ^ (x &>> 16)
    }

    /// The first word of the tensors (streams 0, 1, ... in state_dict order) or of the pixels (1000).
    private func start(of stream: Int) -> UInt32 { Self.mix(seed &* 65536 &+ UInt32(stream)) }

    /// Fills `values` with the tensor `tensors[index]` before training.
    func weights(_ index: Int, into values: UnsafeMutableBufferPointer<Float>) {
        // A bias follows its layer's weight, and has the same number of inputs.
        let shape = tensors[tensors[index].shape.count > 1 ? index : index - 1].shape
        let scale = Float(0x1p-22 / Double(shape.dropFirst().reduce(1, *)).squareRoot())
        let start = start(of: index)
        var i: UInt32 = 0
        while i < UInt32(values.count) {
            values[Int(i)] = Float(Int32(bitPattern: Self.mix(i &+ start) &>> 8) &- 8_388_608) * scale
            i &+= 1
        }
    }

    func weights(_ index: Int) -> [Float] {
        let count = tensors[index].count
        return Array(unsafeUninitializedCapacity: count) { buffer, filled in
            weights(index, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            filled = count
        }
    }

    /// Whole numbers from 0 to 255. [pairs][2][height][width]
    var pixels: [Float] {
        let start = start(of: 1000)
        return (0 ..< UInt32(pairs * 2 * height * width)).map { i in
            let word = Self.mix(i &+ start)
            return word & 255 < 96 ? 0 : Float(word &>> 24)
        }
    }

    /// The pixels, standardised: what PyTorch's networks were given. [pairs][2][height][width]
    var inputs: [Float] { pixels.map { ($0 - mean) / standardDeviation } }

    /// Sum of (2 i + 1) * (bits of value i), modulo 2^64, in hexadecimal.
    static func checksum(_ values: UnsafeBufferPointer<Float>) -> String {
        var sum: UInt64 = 0, odd: UInt64 = 1
        for value in values {
            sum &+= odd &* UInt64(value.bitPattern)
            odd &+= 2
        }
        let digits = String(sum, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension TorchFixture: CustomTestStringConvertible {
    var testDescription: String { name }
}
