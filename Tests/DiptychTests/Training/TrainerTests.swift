import CDiptychPlatform
import Foundation
import Testing

@testable import Diptych

/// What training promises: the same bits whatever the threads, through checkpoints, and an end of every kind.
@Suite struct TrainerTests {
    typealias Architecture = NetworkDescription.Architecture

    /// 53 pairs in batches of 20: chunks and rows that come out uneven.
    static let recipes: [(String, @Sendable (inout TrainerOptions) -> Void)] = [
        ("adam", { _ in }),
        ("adam, shuffled, cosine, decay", { $0.shuffle = true; $0.schedule = .cosine; $0.weightDecay = 0.01 }),
        ("sgd, one cycle", { $0.optimizer = .sgd; $0.schedule = .oneCycle; $0.learningRate = 0.05; $0.lossRatio = 0 }),
        ("everything", {
            ($0.redraw, $0.labelSmoothing, $0.emaDecay) = (true, 0.1, 0.9)
            AugmentationTests.everything(&$0.augmentation)
        }),
    ]

    @Test(arguments: Architecture.allCases) func threadsDoNotShowInTheBits(_ architecture: Architecture) throws {
        let d = NetworkDescription.tiny(architecture), pairs = try Pairs.random(53, like: d)
        for (name, change) in Self.recipes {
            var expected: [UInt32] = [], loss = 0.0
            for threads in [1, 2, 3, 8] {
                let (model, progress) = try trained(d, pairs, tinyOptions(epochs: 3, batchSize: 20, threads: threads, change))
                if threads == 1 { (expected, loss) = (model.bits, progress.loss) }
                #expect(model.bits == expected && progress.loss == loss, "\(name), \(threads) threads")
            }
            #expect(expected != (try Model(d, seed: 3)).bits)
        }
    }

    /// A last batch of one pair, of fewer pairs than threads, of too few for a sum over the background, of chunks that are not whole.
    @Test(arguments: Architecture.allCases) func threadsDoNotShowInTheLastBatch(_ architecture: Architecture) throws {
        let d = NetworkDescription.tiny(architecture)
        for last in [1, 3, 15, 16, 18, 19] {
            let pairs = try Pairs.random(20 + last, like: d)
            let one = try trained(d, pairs, tinyOptions(batchSize: 20)).model.bits
            for threads in [2, 3, 8] { #expect(try trained(d, pairs, tinyOptions(batchSize: 20, threads: threads)).model.bits == one) }
        }
    }

    /// The wide layers, which are shared out by panels.
    @Test func threadsDoNotShowInAWideNetwork() throws {
        var d = NetworkDescription.tiny(.mlp)
        (d.mlpWidth1, d.mlpWidth2, d.fc1Width) = (700, 300, 257)
        let pairs = try Pairs.random(130, like: d)
        let one = try trained(d, pairs, tinyOptions(batchSize: 125)).model.bits
        for threads in [2, 3, 8] { #expect(try trained(d, pairs, tinyOptions(batchSize: 125, threads: threads)).model.bits == one) }
    }

    /// The presets' convolutions, whose way back follows fc1's by shares: on two, four and five threads, not on three. The last batch's last
    /// chunk of pairs is not whole.
    @Test(arguments: [Architecture.siamese, .rws]) func threadsDoNotShowInThePresets(_ architecture: Architecture) throws {
        let d = NetworkDescription(architecture), pairs = try Pairs.random(233, like: d)
        let one = try trained(d, pairs, tinyOptions(batchSize: 100)).model.bits
        for threads in [2, 3, 4, 5] { #expect(try trained(d, pairs, tinyOptions(batchSize: 100, threads: threads)).model.bits == one, "\(threads) threads") }
    }

    /// Flushed and written past the caches, neither, or now so and now so. The MLP is wide enough for live inputs.
    @Test(arguments: Architecture.allCases) func whatSharingCostsDoesNotShow(_ architecture: Architecture) throws {
        var d = NetworkDescription(architecture)
        if architecture == .mlp { (d.mlpWidth1, d.mlpWidth2) = (800, 400) }
        let pairs = try Pairs.random(230, like: d)
        for (name, change) in Self.recipes {
            let one = try trained(d, pairs, tinyOptions(batchSize: 100, change)).model.bits
            for (dear, threads) in [([true], 2), ([true], 3), ([false], 2), ([true, false, false], 2)] {
                let trainer = try Trainer(model: Model(d, seed: 3), pairs: pairs, options: tinyOptions(batchSize: 100, threads: threads, change))
                let lines = trainer.batch.sharedLines, optimizer = trainer.optimizer
                #expect((lines != nil) == dp_can_flush())
                while trainer.step < trainer.steps {
                    let dear = dear[trainer.step % dear.count], isLast = trainer.step == trainer.steps - 1
                    lines?.forced = dear
                    _ = try trainer.trainStep(lazily: true)
                    #expect(trainer.batch.sharedLinesAreDear == (dear && lines != nil))
                    if !isLast {
                        #expect(optimizer.updates[optimizer.done - 1].streamed == (dear && lines != nil && trainer.average == nil))
                    }
                }
                #expect(trainer.model.bits == one, "\(name), \(dear), \(threads) threads")
            }
        }
    }

    @Test func oneThreadSharesNoLines() throws {
        let d = NetworkDescription.tiny(.siamese)
        let trainer = try Trainer(model: Model(d, seed: 3), pairs: Pairs.random(30, like: d), options: tinyOptions(threads: 1))
        #expect(trainer.batch.sharedLines == nil)
    }

    /// Either all threads have done their own part, and an answer follows, or there is none.
    @Test func sharedLines() throws {
        let pool = try WorkerPool(threads: 3)
        guard let lines = try SharedLines.make(on: pool) else { return }
        for _ in 0 ..< 100 {
            let answer = try lines.measure(on: pool), seconds = lines.seconds.array
            #expect((answer == nil) == seconds.contains { $0.isNaN })
            #expect(seconds.allSatisfy { $0.isNaN || $0 > 0 })
            #expect(answer == nil || answer == (seconds.filter { $0 > 256 * 7e-9 }.count >= 2))
        }
    }

    /// What is flushed is kept.
    @Test func flush() throws {
        guard dp_can_flush() else { return }
        let buffer = try Buffer<Float>(count: 1000, for: "a test")
        for i in 0 ..< 1000 { buffer[i] = Float(i) }
        dp_flush(buffer.pointer, 1000)
        #expect((0 ..< 1000).allSatisfy { buffer[$0] == Float($0) })
    }

    @Test(arguments: Architecture.allCases) func seedsShow(_ architecture: Architecture) throws {
        let d = NetworkDescription.tiny(architecture), pairs = try Pairs.random(30, like: d)
        let first = try trained(d, pairs, tinyOptions()).model.bits
        #expect(try trained(d, pairs, tinyOptions()).model.bits == first)
        #expect(try trained(d, pairs, tinyOptions { $0.seed = 8 }).model.bits != first)
        #expect(try trained(d, pairs, tinyOptions { $0.shuffle = true }).model.bits != first)
    }

    // MARK: Checkpoints

    @Test(arguments: Architecture.allCases) func resumingInMidEpochGivesTheSameBits(_ architecture: Architecture) throws {
        let d = NetworkDescription.tiny(architecture), pairs = try Pairs.random(53, like: d), folder = TemporaryFolder()
        for (name, change) in Self.recipes {
            let options = tinyOptions(epochs: 3, batchSize: 20, threads: 2, change)
            let (whole, end) = try trained(d, pairs, options)

            let model = try Model(d, seed: 3)
            let trainer = try Trainer(model: model, pairs: pairs, options: options)
            for _ in 0 ..< 5 { _ = try trainer.trainStep() }
            try trainer.save(path: folder.path("run"))
            let resumed = try Trainer.resume(path: folder.path("run"), pairs: pairs, epochs: 0, threads: 3)
            #expect(resumed.step == 5 && resumed.model.bits == model.bits)
            // The epoch's means count the steps before the break, too; the interrupted run itself may go on as well.
            var progress = try resumed.trainEpoch()
            let same = try trainer.trainEpoch()
            #expect(progress.loss == same.loss && progress.bce == same.bce && progress.trainError == same.trainError, "\(name)")
            repeat { progress = try resumed.trainEpoch() } while !progress.finished
            #expect(resumed.model.bits == whole.bits, "\(name)")
            #expect(resumed.model.mean == whole.mean && resumed.model.standardDeviation == whole.standardDeviation)
            #expect(progress.loss == end.loss && progress.trainError == end.trainError, "\(name)")
            repeat { progress = try trainer.trainEpoch() } while !progress.finished
            #expect(model.bits == whole.bits)
        }
    }

    @Test func resumingWithMoreEpochsOrOtherPairs() throws {
        let d = NetworkDescription.tiny(.siamese), pairs = try Pairs.random(20, like: d), folder = TemporaryFolder()
        let trainer = try Trainer(model: Model(d, seed: 3), pairs: pairs, options: tinyOptions(epochs: 2))
        for _ in 0 ..< 4 { _ = try trainer.trainStep() }
        try trainer.save(path: folder.path("run"))
        let more = try Trainer.resume(path: folder.path("run"), pairs: pairs, epochs: 3, threads: 1)
        _ = try more.trainEpoch()
        #expect(more.model.bits == (try trained(d, pairs, tinyOptions(epochs: 3)).model.bits))
        expectError(.invalidArgument, "4 steps are done") {
            _ = try Trainer.resume(path: folder.path("run"), pairs: pairs, epochs: 1, threads: 1)
        }
        let others = try Pairs.random(20, like: d, key: 2)
        expectError(.mismatch, "other pairs") { _ = try Trainer.resume(path: folder.path("run"), pairs: others, epochs: 0, threads: 1) }
        try trainer.model.save(path: folder.path("model"))
        expectError(.format, "no checkpoint") { _ = try Trainer.resume(path: folder.path("model"), pairs: pairs, epochs: 0, threads: 1) }
        // A checkpoint is a model, too.
        #expect(try Model.load(path: folder.path("run")).bits == trainer.model.bits)
    }

    // MARK: Ends

    @Test func finished() throws {
        let d = NetworkDescription.tiny(.siamese), trainer = try Trainer(model: Model(d, seed: 3), pairs: .random(23, like: d), options: tinyOptions())
        #expect(trainer.stepsPerEpoch == 3 && trainer.steps == 6)
        for step in 1 ... 6 {
            let progress = try trainer.trainStep()
            #expect(progress.step == step && progress.steps == 6 && progress.epoch == (step + 2) / 3 && progress.epochs == 2)
            #expect(progress.finished == (step == 6))
        }
        let bits = trainer.model.bits
        expectError(.finished, "6 steps") { _ = try trainer.trainStep() }
        expectError(.finished) { _ = try trainer.trainEpoch() }
        #expect(trainer.model.bits == bits)
    }

    @Test func cancelStopsTheNextStepAlone() throws {
        let d = NetworkDescription.tiny(.siamese), trainer = try Trainer(model: Model(d, seed: 3), pairs: .random(20, like: d), options: tinyOptions())
        _ = try trainer.trainStep()
        let bits = trainer.model.bits
        trainer.cancel()
        expectError(.cancelled, "step 1 of 4") { _ = try trainer.trainStep() }
        #expect(trainer.model.bits == bits && trainer.step == 1)
        for _ in 0 ..< 3 { _ = try trainer.trainStep() }
        #expect(trainer.model.bits == (try trained(d, trainer.pairs, tinyOptions()).model.bits))
    }

    /// From another thread, in the middle of a run that would take days.
    @Test func cancelFromAnotherThread() throws {
        let d = NetworkDescription.tiny(.siamese)
        let trainer = try Trainer(model: Model(d, seed: 3), pairs: .random(20, like: d), options: tinyOptions(epochs: 1_000_000, batchSize: 1))
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 0.05)
            trainer.cancel()
        }
        expectError(.cancelled) { while true { _ = try trainer.trainEpoch() } }
    }

    @Test(arguments: Architecture.allCases, [Float(0.7), 0]) func divergingIsReported(_ architecture: Architecture, _ ratio: Float) throws {
        let d = NetworkDescription.tiny(architecture, dropout: 0), pairs = try Pairs.random(20, like: d)
        let options = tinyOptions(epochs: 1000) { ($0.optimizer, $0.learningRate, $0.lossRatio, $0.weightDecay) = (.sgd, 100, ratio, 10) }
        let trainer = try Trainer(model: Model(d, seed: 3), pairs: pairs, options: options)
        expectError(.diverged, "learning_rate", "100") { while true { _ = try trainer.trainStep() } }
    }

    /// A bias that ReLU makes 0 of, so that the loss stays finite, and that weight decay takes from -3e38 beyond all floats.
    @Test(arguments: [Float(0), 0.9]) func theLastUpdateMayDiverge(_ emaDecay: Float) throws {
        let d = NetworkDescription.tiny(.siamese), pairs = try Pairs.random(20, like: d), folder = TemporaryFolder()
        func trainer(epochs: Int) throws -> Trainer {
            let model = try Model(d, seed: 3)
            try [Float](repeating: -3e38, count: d.fc1Width).withUnsafeBufferPointer { try model.setTensor("fc1.bias", to: $0) }
            return try Trainer(model: model, pairs: pairs, options: tinyOptions(epochs: epochs, batchSize: 20) {
                ($0.optimizer, $0.learningRate, $0.weightDecay, $0.emaDecay) = (.sgd, 100, 10, emaDecay)
            })
        }
        let fresh = try trainer(epochs: 1)
        try fresh.save(path: folder.path("run"))
        try fresh.model.save(path: folder.path("model"))
        let files = try ["run", "model"].map { try Data(contentsOf: URL(fileURLWithPath: folder.path($0))) }

        // No error yet where there is a next step, which would tell.
        let more = try trainer(epochs: 2)
        #expect(try more.trainStep().loss.isFinite)
        // There the next step makes NaN of every tensor; in the run that ends only the bias is gone.
        for (run, tensor) in [(more, "cl1.weight"), (try trainer(epochs: 1), "fc1.bias")] {
            expectError(.diverged, "learning_rate") { _ = try run.trainStep() }
            expectError(.diverged) { try run.save(path: folder.path("run")) }
            expectError(.diverged, tensor) { try run.model.save(path: folder.path("model")) }
            expectError(.diverged, tensor) { _ = try run.model.encoded() }
        }
        #expect(try ["run", "model"].map { try Data(contentsOf: URL(fileURLWithPath: folder.path($0))) } == files)
    }

    // MARK: Batches

    @Test func withoutAuxiliaryLossNoDigitsAreNeeded() throws {
        for architecture in Architecture.allCases {
            let d = NetworkDescription.tiny(architecture)
            let bare = try Pairs.random(20, like: d, withDigits: false), labelled = try Pairs.random(20, like: d)
            let options = tinyOptions { $0.lossRatio = 0 }
            let (model, progress) = try trained(d, bare, options)
            #expect(model.bits == (try trained(d, labelled, options).model.bits))
            #expect(progress.auxiliary == 0 && progress.loss == progress.bce)
            expectError(.mismatch, "loss_ratio", "no digits") { try trained(d, bare, tinyOptions()) }
        }
    }

    @Test func digitsMustBeClasses() throws {
        let d = NetworkDescription.tiny(.siamese, classes: 5), pairs = try Pairs.random(20, like: .tiny(.siamese, classes: 6))
        expectError(.mismatch, "classes 0 to 4") { try trained(d, pairs, tinyOptions()) }
        expectError(.mismatch, "9x6") { try trained(d, Pairs.random(2, like: .tiny(.siamese, height: 10)), tinyOptions()) }
    }

    /// The last batch's gradients and loss are means over its own pairs.
    @Test(arguments: Architecture.allCases) func theLastBatchMayBeSmaller(_ architecture: Architecture) throws {
        let d = NetworkDescription.tiny(architecture, dropout: 0), pairs = try Pairs.random(23, like: d)
        func captured(_ pairs: Pairs, _ options: TrainerOptions, standardisedAs other: Model?, steps: Int) throws -> (Diptych.Progress, [UInt32], Model) {
            let model = try Model(d, seed: 3)
            let trainer = try Trainer(model: model, pairs: pairs, options: options)
            if let other { model.standardise(mean: other.mean, standardDeviation: other.standardDeviation) }
            let gradients = try Buffer<Float>(count: model.network.parameterFloats, for: "a test")
            trainer.batch.gradientCapture = gradients
            var progress = Diptych.Progress()
            for _ in 0 ..< steps { progress = try trainer.trainStep() }
            return (progress, gradients.array.map(\.bitPattern), model)
        }
        let (last, gradients, model) = try captured(pairs, tinyOptions(), standardisedAs: nil, steps: 3)
        let (alone, expected, _) = try captured(pairs.part(20 ..< 23), tinyOptions(), standardisedAs: model, steps: 1)
        #expect(gradients == expected)
        // The epoch's sums were taken off again, which rounds.
        #expect(abs(last.loss - alone.loss) < 1e-12 && last.trainError == alone.trainError)
    }

    @Test(arguments: Architecture.allCases) func aBatchMayBeLargerThanThePairs(_ architecture: Architecture) throws {
        let d = NetworkDescription.tiny(architecture), pairs = try Pairs.random(7, like: d)
        let (model, progress) = try trained(d, pairs, tinyOptions(batchSize: 65536))
        #expect(progress.steps == 2)
        #expect(model.bits == (try trained(d, pairs, tinyOptions(batchSize: 7)).model.bits))
    }

    @Test(arguments: Architecture.allCases) func onePair(_ architecture: Architecture) throws {
        let d = NetworkDescription.tiny(architecture), pairs = try Pairs.random(1, like: d)
        let (model, progress) = try trained(d, pairs, tinyOptions { $0.shuffle = true })
        #expect(progress.loss.isFinite && progress.steps == 2)
        #expect(model.bits == (try trained(d, pairs, tinyOptions(threads: 3)).model.bits))
    }

    /// The epoch's mean is over pairs, not over batches.
    @Test func anEpochsLossIsTheMeanOverItsPairs() throws {
        let d = NetworkDescription.tiny(.siamese), pairs = try Pairs.random(23, like: d)
        let steps = try Trainer(model: Model(d, seed: 3), pairs: pairs, options: tinyOptions())
        let losses = try (0 ..< 3).map { _ in try steps.trainStep().loss }
        let epoch = try Trainer(model: Model(d, seed: 3), pairs: pairs, options: tinyOptions()).trainEpoch().loss
        #expect(abs(epoch - (10 * losses[0] + 10 * losses[1] + 3 * losses[2]) / 23) < 1e-12)
    }

    /// What the rows' padding holds must stay zero: widths that are no multiples of 16, and a step of every kind.
    @Test(arguments: Architecture.allCases) func paddingStaysZero(_ architecture: Architecture) throws {
        let d = NetworkDescription.tiny(architecture)
        let model = try trained(d, .random(30, like: d), tinyOptions { $0.weightDecay = 0.1 }).model
        var used = [Bool](repeating: false, count: model.parameters.count)
        for tensor in model.network.tensors { tensor.forEach { _, place in used[place] = true } }
        #expect(used.contains(false))
        #expect(model.parameters.array.indices.allSatisfy { used[$0] || model.parameters[$0] == 0 })
    }
}
