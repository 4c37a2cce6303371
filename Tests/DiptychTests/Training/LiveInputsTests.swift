import Testing

@testable import Diptych

/// A wide layer's step leaves out the inputs that are zero for the whole batch, and their weights make up for the updates
/// later. None of it may show in the bits.
@Suite struct LiveInputsTests {
    /// Just wide enough; one whose rows are an even number of panels; one whose l1 is narrow, and cut by rows.
    static let networks: [NetworkDescription] = [(1100, 260), (1024, 256), (128, 2064)].map { widths in
        var d = NetworkDescription.tiny(.mlp)
        (d.mlpWidth1, d.mlpWidth2) = widths
        return d
    }

    /// 66 steps an epoch of 131 pairs: more than the optimizer remembers.
    private static func options(_ change: (inout TrainerOptions) -> Void = { _ in }) -> TrainerOptions {
        tinyOptions(epochs: 2, batchSize: 2, threads: 2) {
            ($0.schedule, $0.weightDecay, $0.shuffle) = (.cosine, 0.01, true)
            change(&$0)
        }
    }

    /// Of l1's outputs only every `nth` can be positive.
    private static func model(_ d: NetworkDescription, nth: Int) throws -> Model {
        let model = try Model(d, seed: 3)
        let bias = (0 ..< d.mlpWidth1).map { $0 % nth == 0 ? Float(0.1) : -1000 }
        try bias.withUnsafeBufferPointer { try model.setTensor("l1.bias", to: $0) }
        return model
    }

    /// The weights after two epochs, and the moments.
    private static func state(_ trainer: Trainer) -> [[UInt32]] {
        let weights = trainer.average?.other ?? trainer.model.parameters
        return [weights, trainer.optimizer.first, trainer.optimizer.second].compactMap { $0?.array.map(\.bitPattern) }
    }

    /// An average of the weights, which sees every step, lets nothing wait; and nothing is left waiting between calls, so a call for
    /// every step lets nothing wait, either.
    @Test(arguments: networks, [1, 2, 3, 50]) func waitingDoesNotShowInTheBits(_ d: NetworkDescription, _ nth: Int) throws {
        let pairs = try Pairs.random(131, like: d)
        let waiting = try Trainer(model: Self.model(d, nth: nth), pairs: pairs, options: Self.options())
        #expect(waiting.batch.mayPutOff)
        _ = try waiting.trainEpoch()
        let live = try #require(waiting.batch.live)
        #expect(live.count <= (d.mlpWidth1 - 1) / nth + 1 && live.count > 0)
        _ = try waiting.trainEpoch()
        let expected = Self.state(waiting)

        let averaged = try Trainer(model: Self.model(d, nth: nth), pairs: pairs, options: Self.options { $0.emaDecay = 0.5 })
        #expect(!averaged.batch.mayPutOff)
        for _ in 0 ..< 2 { _ = try averaged.trainEpoch() }
        #expect(Self.state(averaged) == expected)

        let stepwise = try Trainer(model: Self.model(d, nth: nth), pairs: pairs, options: Self.options())
        for _ in 0 ..< stepwise.steps { _ = try stepwise.trainStep() }
        #expect(Self.state(stepwise) == expected)
        let lazy = try Trainer(model: Self.model(d, nth: nth), pairs: pairs, options: Self.options())
        for _ in 0 ..< lazy.steps { _ = try lazy.trainStep(lazily: true) }
        #expect(Self.state(lazy) == expected)
        let lazyEpochs = try Trainer(model: Self.model(d, nth: nth), pairs: pairs, options: Self.options())
        for _ in 0 ..< 2 { _ = try lazyEpochs.trainEpoch(lazily: true) }
        #expect(Self.state(lazyEpochs) == expected)
        for threads in [1, 3] {
            let other = try Trainer(model: Self.model(d, nth: nth), pairs: pairs, options: Self.options { $0.threads = threads })
            for _ in 0 ..< 2 { _ = try other.trainEpoch() }
            #expect(Self.state(other) == expected, "\(threads) threads")
        }
    }

    /// With no input left a layer's outputs are its biases, and its weights only decay.
    @Test func noInputMayBeLive() throws {
        let d = Self.networks[0], pairs = try Pairs.random(60, like: d)
        let model = try Self.model(d, nth: d.mlpWidth1 + 1)
        try [Float](repeating: -1000, count: d.mlpWidth1).withUnsafeBufferPointer { try model.setTensor("l1.bias", to: $0) }
        let trainer = try Trainer(model: model, pairs: pairs, options: Self.options())
        let l2 = try model.tensor(named: "l2.weight"), before = model.values(of: l2, in: model.parameters)
        for _ in 0 ..< 2 { _ = try trainer.trainEpoch() }
        #expect(trainer.batch.live?.count == 0)
        var decay: Float = 1
        for step in 0 ..< trainer.steps { decay *= Float(1 - 0.01 * trainer.options.learningRate(step: step, of: trainer.steps)) }
        // As many roundings as steps, on either side.
        #expect(zip(before, model.values(of: l2, in: model.parameters)).allSatisfy { abs($1 - decay * $0) <= 200 * 0x1p-24 * abs($0) })
    }

    /// SGD has all inputs take part, and more rows than a list is long.
    @Test(arguments: networks) func largeBatchesAndSGD(_ d: NetworkDescription) throws {
        let pairs = try Pairs.random(300, like: d)
        for optimizer in [TrainerOptions.Optimizer.adam, .sgd] {
            let recipe = { (o: inout TrainerOptions) in (o.batchSize, o.optimizer, o.lossRatio) = (300, optimizer, 0) }
            let plain = try Trainer(model: Self.model(d, nth: 3), pairs: pairs, options: Self.options(recipe))
            let averaged = try Trainer(model: Self.model(d, nth: 3), pairs: pairs, options: Self.options { recipe(&$0); $0.emaDecay = 0.5 })
            for _ in 0 ..< 2 { _ = (try plain.trainEpoch(), try averaged.trainEpoch()) }
            #expect(Self.state(plain) == Self.state(averaged), "\(optimizer)")
        }
    }

    /// After lazy steps `settle` does what is left, and so does an error.
    @Test func settling() throws {
        let d = Self.networks[0], pairs = try Pairs.random(131, like: d)
        let plain = try Trainer(model: Self.model(d, nth: 2), pairs: pairs, options: Self.options())
        for _ in 0 ..< 7 { _ = try plain.trainStep() }
        for cancels in [false, true] {
            let lazy = try Trainer(model: Self.model(d, nth: 2), pairs: pairs, options: Self.options())
            for _ in 0 ..< 7 { _ = try lazy.trainStep(lazily: true) }
            #expect(Self.state(lazy) != Self.state(plain))
            if cancels {
                lazy.cancel()
                expectError(.cancelled, "7") { try lazy.trainStep(lazily: true) }
            } else {
                lazy.settle()
            }
            #expect(Self.state(lazy) == Self.state(plain))
        }
    }

    /// The last step's check of the weights sees those that waited, too.
    @Test func whatWaitedMayDiverge() throws {
        let d = Self.networks[0], pairs = try Pairs.random(3, like: d), model = try Self.model(d, nth: 2)
        var weights = model.values(of: try model.tensor(named: "l2.weight"), in: model.parameters)
        weights[1] = -3e38 // of an input that is never live
        try weights.withUnsafeBufferPointer { try model.setTensor("l2.weight", to: $0) }
        let options = Self.options { ($0.epochs, $0.batchSize, $0.schedule, $0.learningRate, $0.weightDecay) = (1, 3, .constant, 100, 10) }
        let trainer = try Trainer(model: model, pairs: pairs, options: options)
        expectError(.diverged, "l2.weight") { _ = try trainer.trainEpoch() }
    }

    /// A checkpoint holds what a run without waiting would hold, in the middle of an epoch, too, and goes on with the same bits.
    @Test func checkpointsHoldNothingThatWaits() throws {
        let d = Self.networks[0], pairs = try Pairs.random(131, like: d), folder = TemporaryFolder()
        let whole = try Trainer(model: Self.model(d, nth: 2), pairs: pairs, options: Self.options())
        _ = try whole.trainEpoch()
        for _ in 0 ..< 7 { _ = try whole.trainStep(lazily: true) }
        #expect(whole.optimizer.done > 0)
        try whole.save(path: folder.path("half"))
        #expect(whole.optimizer.done == 0)
        _ = try whole.trainEpoch()
        let resumed = try Trainer.resume(path: folder.path("half"), pairs: pairs, epochs: 0, threads: 1)
        _ = try resumed.trainEpoch()
        #expect(Self.state(resumed) == Self.state(whole))
    }
}
