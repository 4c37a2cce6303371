// A training run as a safetensors file: the model's own tensors and metadata, the optimizer's moments under
// "optimizer.", and the position under "trainer.". It can be loaded as a model, too.

extension Trainer {
    private static let firstPrefix = Model.optimizerPrefix + "first.", secondPrefix = Model.optimizerPrefix + "second."
    /// The weights as trained, where the model's own are their average.
    private static let weightsPrefix = Model.optimizerPrefix + "weights."

    /// Writes all that the run needs to go on. Throws `diverged`, and leaves the file at `path` as it was, where anything is
    /// not finite.
    public func save(path: String) throws(DiptychError) {
        guard sums.bce.isFinite && sums.auxiliary.isFinite else {
            throw DiptychError(.diverged, "a training whose loss is not finite, after step \(step), cannot be saved")
        }
        settle()
        var tensors = model.outputs(of: model.parameters, prefix: "") + model.outputs(of: optimizer.first, prefix: Self.firstPrefix)
        if let second = optimizer.second { tensors += model.outputs(of: second, prefix: Self.secondPrefix) }
        if let average { tensors += model.outputs(of: average.other, prefix: Self.weightsPrefix) }
        let o = options, a = o.augmentation
        var metadata = MetadataWriter()
        metadata.add("trainer.step", step)
        metadata.add("trainer.epochs", o.epochs)
        metadata.add("trainer.batch_size", o.batchSize)
        metadata.add("trainer.optimizer", Int(o.optimizer.rawValue))
        metadata.add("trainer.schedule", Int(o.schedule.rawValue))
        metadata.add("trainer.shuffle", o.shuffle)
        metadata.add("trainer.learning_rate", o.learningRate)
        metadata.add("trainer.momentum", o.momentum)
        metadata.add("trainer.beta1", o.beta1)
        metadata.add("trainer.beta2", o.beta2)
        metadata.add("trainer.epsilon", o.epsilon)
        metadata.add("trainer.weight_decay", o.weightDecay)
        metadata.add("trainer.loss_ratio", o.lossRatio)
        metadata.add("trainer.redraw", o.redraw)
        metadata.add("trainer.rotation", a.rotation)
        metadata.add("trainer.scale", a.scale)
        metadata.add("trainer.shear", a.shear)
        metadata.add("trainer.shift", a.shift)
        metadata.add("trainer.elastic", a.elastic)
        metadata.add("trainer.stroke", a.stroke)
        metadata.add("trainer.label_smoothing", o.labelSmoothing)
        metadata.add("trainer.ema_decay", o.emaDecay)
        metadata.add("trainer.seed", word: o.seed)
        metadata.add("trainer.pairs", word: pairs.fingerprint)
        metadata.add("trainer.pair_count", pairs.count)
        metadata.add("trainer.seconds", seconds)
        metadata.add("trainer.sums.pairs", sums.pairs)
        metadata.add("trainer.sums.bce", sums.bce)
        metadata.add("trainer.sums.auxiliary", sums.auxiliary)
        metadata.add("trainer.sums.wrong", sums.wrong)
        let file = try SafetensorsFile.encode(tensors: tensors, metadata: model.metadata + metadata.entries)
        try writeFileAtomically(path: path, bytes: UnsafeRawBufferPointer(file.span))
    }

    /// What a caller must know of a checkpoint's run to draw its pairs again.
    public static func saved(path: String) throws(DiptychError) -> (description: NetworkDescription, seed: UInt64, pairCount: Int) {
        let bytes = try readFile(path: path, limit: Model.fileLimit)
        defer { withExtendedLifetime(bytes) {} }
        let file = try SafetensorsFile.parse(bytes: UnsafeRawBufferPointer(bytes.span), name: path)
        let metadata = Metadata(file: file, name: path)
        guard metadata.has("trainer.step") else {
            throw DiptychError(.format, "\(path): a model, but no checkpoint of a training run")
        }
        return try (metadata.description(), metadata.word("trainer.seed"), metadata.integer("trainer.pair_count"))
    }

    /// Goes on from a checkpoint, with the same pairs. `epochs` 0 keeps the saved number. Throws `mismatch` where the
    /// pairs are others than the saved run's.
    public static func resume(path: String, pairs: Pairs, epochs: Int, threads: Int) throws(DiptychError) -> Trainer {
        let bytes = try readFile(path: path, limit: Model.fileLimit)
        let file = try SafetensorsFile.parse(bytes: UnsafeRawBufferPointer(bytes.span), name: path)
        let metadata = Metadata(file: file, name: path)
        guard metadata.has("trainer.step") else {
            throw DiptychError(.format, "\(path): a model, but no checkpoint of a training run")
        }
        var o = TrainerOptions()
        o.epochs = try metadata.integer("trainer.epochs")
        o.batchSize = try metadata.integer("trainer.batch_size")
        o.optimizer = try metadata.value("trainer.optimizer") { TrainerOptions.Optimizer(rawValue: $0) }
        o.schedule = try metadata.value("trainer.schedule") { TrainerOptions.Schedule(rawValue: $0) }
        o.shuffle = try metadata.integer("trainer.shuffle") != 0
        o.learningRate = try metadata.float("trainer.learning_rate")
        o.momentum = try metadata.float("trainer.momentum")
        o.beta1 = try metadata.float("trainer.beta1")
        o.beta2 = try metadata.float("trainer.beta2")
        o.epsilon = try metadata.float("trainer.epsilon")
        o.weightDecay = try metadata.float("trainer.weight_decay")
        o.lossRatio = try metadata.float("trainer.loss_ratio")
        // Files of before these options have none of them.
        func added(_ key: String) throws(DiptychError) -> Float { try metadata.has(key) ? metadata.float(key) : 0 }
        o.redraw = try added("trainer.redraw") != 0
        o.augmentation.rotation = try added("trainer.rotation")
        o.augmentation.scale = try added("trainer.scale")
        o.augmentation.shear = try added("trainer.shear")
        o.augmentation.shift = try added("trainer.shift")
        o.augmentation.elastic = try added("trainer.elastic")
        o.augmentation.stroke = try added("trainer.stroke")
        o.labelSmoothing = try added("trainer.label_smoothing")
        o.emaDecay = try added("trainer.ema_decay")
        o.seed = try metadata.word("trainer.seed")
        do throws(DiptychError) { try o.validate() } catch { throw DiptychError(.corrupt, "\(path): \(error.message)") }
        try require(epochs, in: 0 ... 1_000_000, "epochs")
        if epochs > 0 { o.epochs = epochs }
        o.threads = threads
        guard try metadata.word("trainer.pairs") == pairs.fingerprint else {
            throw DiptychError(.mismatch, "\(path): the run was trained on other pairs than the \(pairs.count) given")
        }

        let trainer = try Trainer(prepared: Model.load(file, name: path), pairs: pairs, options: o)
        try trainer.model.fill(trainer.optimizer.first, from: file, prefix: firstPrefix, name: path)
        if let second = trainer.optimizer.second { try trainer.model.fill(second, from: file, prefix: secondPrefix, name: path) }
        if let average = trainer.average { try trainer.model.fill(average.other, from: file, prefix: weightsPrefix, name: path) }
        trainer.step = try metadata.integer("trainer.step")
        guard trainer.step >= 0 && trainer.step <= trainer.steps else {
            throw DiptychError(epochs > 0 ? .invalidArgument : .corrupt, "\(path): \(trainer.step) steps are done, but \(o.epochs) epochs have only \(trainer.steps)")
        }
        trainer.seconds = try metadata.double("trainer.seconds")
        trainer.sums.pairs = try metadata.integer("trainer.sums.pairs")
        trainer.sums.bce = try metadata.double("trainer.sums.bce")
        trainer.sums.auxiliary = try metadata.double("trainer.sums.auxiliary")
        trainer.sums.wrong = try metadata.integer("trainer.sums.wrong")
        return trainer
    }
}

extension Metadata {
    /// A whole number that `make` knows.
    func value<T>(_ key: String, _ make: (Int32) -> T?) throws(DiptychError) -> T {
        guard let number = Int32(exactly: try integer(key)), let value = make(number) else {
            throw DiptychError(.corrupt, "\(name): '\(key)' in the metadata is '\(try text(key))', which this version does not know")
        }
        return value
    }
}
