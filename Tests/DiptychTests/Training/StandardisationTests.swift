import Testing
@testable import Diptych

/// Pixels become (pixel - mean) / deviation: a deviation whose inverse is infinite must not make NaN of an answer.
@Suite struct StandardisationTests {
    static let tiny: Float = 1e-42

    @Test func imagesThatHardlyDifferCanBeTrainedOn() throws {
        var pixels = [Float](repeating: 0, count: 4 * 2 * 196)
        for i in stride(from: 0, to: pixels.count, by: 3) { pixels[i] = Self.tiny }
        let targets: [Float] = [0, 1, 1, 0]
        let pairs = try pixels.withUnsafeBufferPointer { pixels in
            try targets.withUnsafeBufferPointer { targets in
                try Pairs.fromMemory(images: pixels.baseAddress!, targets: targets.baseAddress!, digits: nil, count: 4, height: 14, width: 14)
            }
        }
        var options = TrainerOptions()
        options.lossRatio = 0
        options.epochs = 2
        let trainer = try Trainer(model: Model(NetworkDescription(), seed: 1), pairs: pairs, options: options)
        #expect(trainer.model.standardDeviation == 1)
        #expect(try trainer.trainEpoch().loss.isFinite)
    }

    @Test func aFileWithATinyDeviationIsRefused() throws {
        let model = try Model(NetworkDescription(), seed: 1)
        model.standardise(mean: 0, standardDeviation: Self.tiny)
        let file = try model.encoded()
        do {
            _ = try Model.load(bytes: UnsafeRawBufferPointer(file.span), name: "a file")
            Issue.record("loaded")
        } catch {
            #expect(error.status == .corrupt && error.message.contains("standard_deviation"))
        }
        withExtendedLifetime(file) {}
    }
}
