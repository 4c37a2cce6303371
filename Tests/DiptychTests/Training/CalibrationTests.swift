import Foundation
import Testing

@testable import Diptych

/// Temperatures: fitted, applied, kept in files.
@Suite struct CalibrationTests {
    /// A tiny model that knows the first 40 of 56 pairs of noise by heart: right on most, wrong on others.
    static func overfitted(_ architecture: NetworkDescription.Architecture = .siamese) throws -> (model: Model, pairs: Pairs) {
        let d = NetworkDescription.tiny(architecture, dropout: 0)
        let pairs = try Pairs.random(56, like: d)
        let model = try trained(d, pairs.part(0 ..< 40), tinyOptions(epochs: 60) { $0.learningRate = 0.01 }).model
        return (model, pairs)
    }

    /// The model's bare answers, in double precision: z [count], logits [2 * count][classes].
    static func logits(_ model: Model, _ pairs: Pairs) throws -> (z: [Double], classes: [[Double]]) {
        let classes = model.description.classes
        var z = [Float](repeating: 0, count: pairs.count), l = [Float](repeating: 0, count: 2 * pairs.count * classes)
        try model.bareLogits(of: pairs, threads: 1, head: &z, classes: &l)
        return (z.map(Double.init), (0 ..< 2 * pairs.count).map { l[$0 * classes ..< ($0 + 1) * classes].map(Double.init) })
    }

    static func softmax(_ logits: [Double], _ temperature: Double) -> [Double] {
        let shares = logits.map { exp(($0 - logits.max()!) / temperature) }
        return shares.map { $0 / shares.reduce(0, +) }
    }

    /// 400 temperatures from 0.05 to 20, each 1.5 % above the last.
    static let grid = (0 ..< 400).map { 0.05 * pow(400, Double($0) / 399) }

    @Test(arguments: NetworkDescription.Architecture.allCases)
    func theFitIsTheBestOfAGrid(_ architecture: NetworkDescription.Architecture) throws {
        let (model, pairs) = try Self.overfitted(architecture)
        let (z, logits) = try Self.logits(model, pairs)
        func headLoss(_ t: Double) -> Double {
            zip(z, pairs.targets.array).reduce(0) { $0 + log1p(exp(($1.1 > 0.5 ? -$1.0 : $1.0) / t)) }
        }
        func classLoss(_ t: Double) -> Double {
            zip(logits, pairs.digits!.array).reduce(0) { $0 - log(Self.softmax($1.0, t)[Int($1.1)]) }
        }
        let fitted = try model.calibrate(pairs, threads: 2)
        #expect(fitted == model.temperatures)
        for (temperature, loss) in [(Double(fitted.head), headLoss), (Double(fitted.classes), classLoss)] {
            let best = Self.grid.min { loss($0) < loss($1) }!
            // Within the grid, so that it is the slope's zero that was found.
            #expect(best > 0.06 && best < 19, "\(architecture.name) \(best)")
            #expect(abs(temperature / best - 1) < 0.016, "\(temperature), on the grid \(best)")
            // A minimum is flat: a rounding of the temperature to Float (6e-8) changes the loss by its square.
            #expect(loss(temperature) <= loss(best) * (1 + 1e-12))
            #expect(temperature > 1)  // what was learned by heart is held for too sure
        }
    }

    @Test func predictingDividesTheLogits() throws {
        let (model, pairs) = try Self.overfitted(.rws)
        let (z, logits) = try Self.logits(model, pairs)
        let before = try model.predictions(pairs.images.array, threads: 1), classes = model.description.classes
        for temperatures in [Temperatures(head: 2.5, classes: 3), Temperatures(head: 0.05, classes: 0.05), Temperatures(head: 20, classes: 20)] {
            try model.setTemperatures(temperatures)
            var probabilities = [Float](repeating: .nan, count: pairs.count * 2 * classes)
            var answers = [Prediction](repeating: Prediction(), count: pairs.count)
            try answers.withUnsafeMutableBufferPointer {
                try model.predict(pairs.images.pointer, count: pairs.count, threads: 2, into: $0.baseAddress!, classProbabilities: &probabilities)
            }
            for (pair, answer) in answers.enumerated() {
                // Float32 against double: exp of up to 20 * |z| magnifies a rounding of its argument, 6e-8, by as much.
                #expect(abs(Double(answer.probability) - 1 / (1 + exp(-z[pair] / Double(temperatures.head)))) < 1e-5)
                let a = Self.softmax(logits[2 * pair], Double(temperatures.classes)), b = Self.softmax(logits[2 * pair + 1], Double(temperatures.classes))
                var marginal = 0.0
                for i in 0 ..< classes { for j in i ..< classes { marginal += a[i] * b[j] } }
                #expect(abs(Double(answer.marginal) - marginal) < 1e-5)
                for (i, share) in (a + b).enumerated() { #expect(abs(Double(probabilities[2 * pair * classes + i]) - share) < 1e-5) }
                #expect(abs(Double(answer.firstConfidence) - a.max()!) < 1e-5)
                #expect(answer.lessOrEqual == before[pair].lessOrEqual && answer.firstDigit == before[pair].firstDigit)
            }
        }
        try model.setTemperatures(Temperatures())
        #expect(try model.predictions(pairs.images.array, threads: 1).map(\.words) == before.map(\.words))
    }

    @Test func neitherThreadsNorEarlierTemperaturesShow() throws {
        let (model, pairs) = try Self.overfitted()
        let expected = try model.calibrate(pairs, threads: 1)
        for threads in [2, 5, 0] {
            try model.setTemperatures(Temperatures(head: 0.2, classes: 11))
            #expect(try model.calibrate(pairs, threads: threads) == expected)
        }
    }

    @Test func withoutDigitsTheClassesStay() throws {
        let (model, pairs) = try Self.overfitted()
        let expected = try model.calibrate(pairs, threads: 1)
        try model.setTemperatures(Temperatures(head: 1, classes: 4))
        let bare = try Pairs.fromMemory(images: pairs.images.pointer, targets: pairs.targets.pointer, digits: nil, count: pairs.count,
                                        height: pairs.height, width: pairs.width)
        #expect(try model.calibrate(bare, threads: 1) == Temperatures(head: expected.head, classes: 4))
    }

    /// Where every answer is right the likelihood grows without end as the temperature falls; where every one is wrong, as it
    /// rises.
    @Test func whatIsAlwaysRightTellsNoTemperature() throws {
        let (model, pairs) = try Self.overfitted()
        let answers = try model.predictions(pairs.images.array, threads: 1)
        func pairsOf(_ right: Bool) throws -> Pairs {
            let targets = answers.map { Float(($0.lessOrEqual == 1) == right ? 1 : 0) }
            let digits = answers.flatMap { right ? [$0.firstDigit, $0.secondDigit] : [($0.firstDigit + 1) % 5, ($0.secondDigit + 1) % 5] }
            return try Pairs.fromMemory(images: pairs.images.pointer, targets: targets, digits: digits, count: pairs.count,
                                        height: pairs.height, width: pairs.width)
        }
        #expect(try model.calibrate(pairsOf(true), threads: 1) == Temperatures())
        #expect(try model.calibrate(pairsOf(false), threads: 1).head == Temperatures.largest)
        #expect(model.temperatures.classes > 1)
        // A network that knows nothing: all logits 0.
        let blank = try Model(zeroed: model.description)
        #expect(try blank.calibrate(pairs, threads: 1) == Temperatures())
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let (model, pairs) = try Self.overfitted()
        try model.setTemperatures(Temperatures(head: 2, classes: 3))
        let other = try Pairs.random(4, like: .tiny(.siamese, height: 8))
        expectError(.mismatch, "8x6") { try model.calibrate(other, threads: 1) }
        let more = try Pairs.random(50, like: .tiny(.siamese, classes: 50))
        expectError(.mismatch, "classes 0 to 4") { try model.calibrate(more, threads: 1) }
        expectError(.invalidArgument, "threads") { try model.calibrate(pairs, threads: -1) }
        for value: Float in [0, -1, 0.0499, 20.01, .nan, .infinity] {
            expectError(.invalidArgument, "head_temperature") { try model.setTemperatures(Temperatures(head: value)) }
            expectError(.invalidArgument, "class_temperature") { try model.setTemperatures(Temperatures(classes: value)) }
        }
        // 3e38 squared is infinite.
        for tensor in ["fc4.bias", "fc5.weight"] {
            try [Float](repeating: 3e38, count: 6).withUnsafeBufferPointer { try model.setTensor(tensor, to: $0) }
        }
        expectError(.invalidArgument, "pair 0", "finite") { try model.calibrate(pairs, threads: 1) }
        #expect(model.temperatures == Temperatures(head: 2, classes: 3))
    }

    @Test func aFreshRunBeginsAtOneAndResumingKeeps() throws {
        let (model, pairs) = try Self.overfitted(), folder = TemporaryFolder()
        let untouched = try trained(model.description, pairs, tinyOptions()).model
        let again = try Model(model.description, seed: 3)
        try again.setTemperatures(Temperatures(head: 2, classes: 3))
        let trainer = try Trainer(model: again, pairs: pairs, options: tinyOptions())
        #expect(again.temperatures == Temperatures())
        // Training knows no temperature, not even one that is set meanwhile.
        try again.setTemperatures(Temperatures(head: 2, classes: 3))
        _ = try trainer.trainEpoch()
        try trainer.save(path: folder.path("run"))
        _ = try trainer.trainEpoch()
        #expect(again.bits == untouched.bits)
        #expect(try Trainer.resume(path: folder.path("run"), pairs: pairs, epochs: 0, threads: 1).model.temperatures == Temperatures(head: 2, classes: 3))
    }

    // MARK: Files

    @Test(arguments: [StoragePrecision.single, .half])
    func filesKeepThem(_ precision: StoragePrecision) throws {
        let model = try Model(.tiny(.siamese), seed: 1)
        let plain = try model.encoded(precision)
        #expect(!String(decoding: plain.array, as: UTF8.self).contains("temperature"))
        #expect(try Model.load(bytes: UnsafeRawBufferPointer(plain.span), name: "plain").temperatures == Temperatures())
        for temperatures in [Temperatures(head: 1.7), Temperatures(classes: 0.3), Temperatures(head: 0.05, classes: 20)] {
            try model.setTemperatures(temperatures)
            let file = try model.encoded(precision)
            let loaded = try Model.load(bytes: UnsafeRawBufferPointer(file.span), name: "calibrated")
            #expect(loaded.temperatures == temperatures)
            #expect(try loaded.encoded(precision).array == file.array)
            if precision == .single { #expect(try model.encodedSize() == file.count) }
        }
    }

    @Test func hostileFilesAreRefused() throws {
        let model = try Model(.tiny(.siamese), seed: 1)
        for key in ["head_temperature", "class_temperature"] {
            for value in ["0", "-1", "0.01", "21", "1e999", "nan", "inf", "", "warm", "1e-400"] {
                let file = try SafetensorsFile.encode(tensors: model.outputs(of: model.parameters, prefix: ""),
                                                      metadata: model.metadata + [(key, value)])
                expectError(.corrupt, key) { _ = try Model.load(bytes: UnsafeRawBufferPointer(file.span), name: "hostile") }
            }
        }
    }

    // MARK: Reliability

    @Test func binsAndTheirError() throws {
        var reliability = Reliability()
        #expect(reliability.expectedCalibrationError.isNaN && reliability.bins.count == 15)
        for probability: Float in [.nan, -0.1, 1.1, .infinity] { reliability.add(probability, happened: true) }
        #expect(reliability.expectedCalibrationError.isNaN)
        // 0 and 1 lie in the first and the last bin, 0.2 (a hair above 3/15 in Float) in the fourth.
        for (probability, happened) in [(Float(0), false), (0.04, true), (0.2, true), (1, true), (0.95, false), (0.99, true)] {
            reliability.add(probability, happened: happened)
        }
        #expect(reliability.bins.map(\.count) == [2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3])
        #expect(reliability.bins[0].frequency == 0.5 && abs(reliability.bins[0].meanProbability - 0.02) < 1e-7)
        #expect(reliability.bins[1].frequency.isNaN && reliability.bins[1].meanProbability.isNaN)
        #expect(abs(reliability.bins[14].frequency - 2.0 / 3) < 1e-12 && abs(reliability.bins[14].meanProbability - 0.98) < 1e-7)
        // (2 * |0.5 - 0.02| + |1 - 0.2| + 3 * |2/3 - 0.98|) / 6
        #expect(abs(reliability.expectedCalibrationError - (0.96 + 0.8 + 0.94) / 6) < 1e-7)
    }

    @Test func evaluatingCountsWhatPredictAnswers() throws {
        let (model, pairs) = try Self.overfitted()
        try model.calibrate(pairs, threads: 1)
        let answers = try model.predictions(pairs.images.array, threads: 1), result = try model.evaluate(pairs, threads: 2)
        for (reliability, probability) in [(result.head, \Prediction.probability), (result.marginal, \Prediction.marginal)] {
            var expected = 0.0
            for bin in 0 ..< 15 {
                let members = (0 ..< pairs.count).filter { min(14, Int(Double(answers[$0][keyPath: probability]) * 15)) == bin }
                #expect(reliability.bins[bin].count == members.count)
                expected += abs(members.reduce(0.0) { $0 + Double(pairs.targets[$1]) - Double(answers[$1][keyPath: probability]) })
            }
            #expect(abs(reliability.expectedCalibrationError - expected / Double(pairs.count)) < 1e-12)
        }
        let bce = zip(answers, pairs.targets.array).reduce(0.0) { $0 - log(Double($1.1 > 0.5 ? $1.0.probability : 1 - $1.0.probability)) }
        #expect(abs(result.bce - bce / Double(pairs.count)) < 1e-9)
    }

    @Test func aPartOfADrawIsTheSmallerDraw() throws {
        let digits = try Dataset.sample(.train)
        let large = try Pairs.draw(from: digits, count: 50, height: 14, width: 14, seed: 4)
        let small = try Pairs.draw(from: digits, count: 30, height: 14, width: 14, seed: 4)
        #expect(try large.part(0 ..< 30).fingerprint == small.fingerprint)
        let rest = try large.part(30 ..< 50)
        #expect(rest.images.array == Array(large.images.array[30 * 392 ..< 50 * 392]) && rest.count == 20)
        for range in [0 ..< 0, -1 ..< 3, 40 ..< 51] { expectError(.invalidArgument) { _ = try large.part(range) } }
    }
}
