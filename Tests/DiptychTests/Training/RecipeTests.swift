import CDiptych
import DiptychABI
import Foundation
import Testing

@testable import Diptych

/// Redrawn pairs, label smoothing, the weights' average, recipes.
@Suite struct RecipeTests {
    // MARK: Redrawn pairs

    @Test func redrawnPairsAreOfTheTrainingImagesEachOnce() throws {
        let d = NetworkDescription.tiny(.siamese), pairs = try Pairs.random(23, like: d)
        let trainer = try Trainer(model: Model(d, seed: 3), pairs: pairs, options: tinyOptions { $0.redraw = true })
        var epochs: [[Int]] = []
        for _ in 0 ..< 2 {
            var images: [Int] = []
            for count in [10, 10, 3] {
                _ = try trainer.trainStep()
                for pair in 0 ..< count {
                    let (first, second) = (trainer.batch.source(2 * pair), trainer.batch.source(2 * pair + 1))
                    images += [first, second]
                    #expect(trainer.batch.target(pair) == (pairs.digits![first] <= pairs.digits![second] ? 1 : 0))
                }
            }
            #expect(images.sorted() == Array(0 ..< 46))
            epochs.append(images)
        }
        #expect(epochs[0] != epochs[1])
        // Partners change, unlike in shuffling, which keeps pairs together.
        #expect(stride(from: 0, to: 46, by: 2).contains { epochs[0][$0] / 2 != epochs[0][$0 + 1] / 2 })
        let shuffled = try Trainer(model: Model(d, seed: 3), pairs: pairs, options: tinyOptions { $0.shuffle = true })
        _ = try shuffled.trainStep()
        #expect((0 ..< 10).allSatisfy { shuffled.batch.source(2 * $0) + 1 == shuffled.batch.source(2 * $0 + 1) })
    }

    @Test func redrawingTakesTargetsThatFollowFromTheDigits() throws {
        let d = NetworkDescription.tiny(.siamese), pairs = try Pairs.random(20, like: d)
        var targets = pairs.targets.array
        targets[7] = 1 - targets[7]
        let own = try Pairs.fromMemory(images: pairs.images.array, targets: targets, digits: pairs.digits!.array, count: 20, height: d.height, width: d.width)
        expectError(.mismatch, "redraw", "pair 7") { try trained(d, own, tinyOptions { $0.redraw = true }) }
        let bare = try Pairs.random(20, like: d, withDigits: false)
        expectError(.mismatch, "redraw", "no digits") { try trained(d, bare, tinyOptions { ($0.redraw, $0.lossRatio) = (true, 0) }) }
        // Digits without auxiliary loss are enough.
        try trained(d, pairs, tinyOptions { ($0.redraw, $0.lossRatio) = (true, 0) })
    }

    // MARK: The weights' average

    /// The average of another run's weights, by the formula, in double precision; float32 rounds once a step.
    @Test(arguments: NetworkDescription.Architecture.allCases) func theModelHoldsTheAverage(_ architecture: NetworkDescription.Architecture) throws {
        let d = NetworkDescription.tiny(architecture), pairs = try Pairs.random(20, like: d), decay = 0.6
        let plain = try Trainer(model: Model(d, seed: 3), pairs: pairs, options: tinyOptions(epochs: 4))
        let averaged = try Trainer(model: Model(d, seed: 3), pairs: pairs, options: tinyOptions(epochs: 4) { $0.emaDecay = Float(decay) })
        var expected = plain.model.parameters.array.map(Double.init)
        for step in 0 ..< 8 {
            let loss = try plain.trainStep().loss
            #expect(try averaged.trainStep().loss == loss)
            #expect(averaged.average?.other.array == plain.model.parameters.array)
            let share = 1 - min(decay, Double(1 + step) / Double(10 + step))
            expected = zip(expected, plain.model.parameters.array).map { $0 + share * (Double($1) - $0) }
            let difference = zip(expected, averaged.model.parameters.array).map { abs($0 - Double($1)) }.max() ?? .infinity
            #expect(difference < 8 * 6e-8, "step \(step): \(difference)")
        }
        #expect(averaged.model.bits != plain.model.bits)
        // Predictions are the averaged weights' own: nothing derived from the others is left.
        let images = pairs.images.array
        let bytes = try averaged.model.encoded(), copy = try Model.load(bytes: UnsafeRawBufferPointer(bytes.span), name: "copy")
        #expect(try averaged.model.predictions(images, threads: 1).map(\.words) == copy.predictions(images, threads: 1).map(\.words))
    }

    @Test func anInterruptedRunHoldsTheAverage() throws {
        let d = NetworkDescription.tiny(.siamese), pairs = try Pairs.random(20, like: d)
        let trainer = try Trainer(model: Model(d, seed: 3), pairs: pairs, options: tinyOptions { $0.emaDecay = 0.5 })
        _ = try trainer.trainStep()
        let bits = trainer.model.bits
        trainer.cancel()
        expectError(.cancelled) { _ = try trainer.trainEpoch() }
        #expect(trainer.model.bits == bits)
        for _ in 0 ..< 3 { _ = try trainer.trainStep() }
        #expect(trainer.model.bits == (try trained(d, pairs, tinyOptions { $0.emaDecay = 0.5 }).model.bits))
        let end = trainer.model.bits
        expectError(.finished) { _ = try trainer.trainStep() }
        #expect(trainer.model.bits == end)
    }

    // MARK: Checkpoints

    /// A file without the options that came later is one of a run without them.
    @Test func olderCheckpointsLoad() throws {
        let d = NetworkDescription.tiny(.siamese), pairs = try Pairs.random(20, like: d), folder = TemporaryFolder()
        let trainer = try Trainer(model: Model(d, seed: 3), pairs: pairs, options: tinyOptions())
        _ = try trainer.trainStep()
        try trainer.save(path: folder.path("run"))
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path("run")))
        for key in ["redraw", "rotation", "scale", "shear", "shift", "elastic", "stroke", "label_smoothing", "ema_decay"] {
            let range = try #require(bytes.range(of: Data("\"trainer.\(key)\"".utf8)), "\(key) is not stored")
            bytes.replaceSubrange(range, with: Data("\"unknown_\(key)\"".utf8))
        }
        try bytes.write(to: URL(fileURLWithPath: folder.path("old")))
        let old = try Trainer.resume(path: folder.path("old"), pairs: pairs, epochs: 0, threads: 1)
        #expect(old.options == trainer.options)
        for _ in 0 ..< 3 { _ = try old.trainStep() }
        #expect(old.model.bits == (try trained(d, pairs, tinyOptions()).model.bits))
    }

    @Test func everyOptionIsStored() throws {
        let d = NetworkDescription.tiny(.siamese), pairs = try Pairs.random(20, like: d), folder = TemporaryFolder()
        let options = tinyOptions {
            ($0.redraw, $0.labelSmoothing, $0.emaDecay, $0.threads) = (true, 0.1, 0.9, 1)
            AugmentationTests.everything(&$0.augmentation)
        }
        try Trainer(model: Model(d, seed: 3), pairs: pairs, options: options).save(path: folder.path("run"))
        #expect(try Trainer.resume(path: folder.path("run"), pairs: pairs, epochs: 0, threads: 1).options == options)
    }

    // MARK: Recipes

    @Test func theReportsRecipeIsTheDefaults() {
        #expect(Recipe.report.trainerOptions == TrainerOptions() && Recipe.report.dropout == NetworkDescription().dropout)
        #expect(Recipe.report.decision == .head && Recipe.report.views == 1)
    }

    @Test(arguments: Recipe.allCases) func recipesThroughTheABI(_ recipe: Recipe) throws {
        try recipe.trainerOptions.validate()
        var trainer = diptych_trainer_options(), model = diptych_model_options()
        #expect(diptych_trainer_options_recipe(&trainer, MemoryLayout.size(ofValue: trainer), recipe.rawValue) == 0)
        #expect(diptych_model_options_recipe(&model, MemoryLayout.size(ofValue: model), recipe.rawValue) == 0)
        let o = recipe.trainerOptions
        #expect(trainer.epochs == Int32(o.epochs) && trainer.schedule == o.schedule.rawValue && trainer.redraw == (o.redraw ? 1 : 0))
        #expect(trainer.rotation == o.augmentation.rotation && trainer.loss_ratio == o.lossRatio && trainer.struct_size == 104)
        #expect(model.dropout == recipe.dropout && model.decision == recipe.decision.rawValue && model.struct_size == 64)
        #expect(model.views == recipe.views)
        #expect(diptych_trainer_options_recipe(&trainer, MemoryLayout.size(ofValue: trainer), 2) == -1)
        #expect(String(cString: diptych_last_error()) == "recipe is 2, but must be from 0 to 1")
        // A program of the first version has a shorter struct.
        #expect(diptych_trainer_options_recipe(&trainer, 64, recipe.rawValue) == 0 && trainer.struct_size == 64)
    }
}
