import CDiptych
import CDiptychPlatform
import Diptych

private var defaultOptions: diptych_trainer_options { .init(TrainerOptions()) }

extension diptych_trainer_options {
    fileprivate init(_ o: TrainerOptions) {
        let a = o.augmentation
        self.init(
            struct_size: UInt32(MemoryLayout<diptych_trainer_options>.size), epochs: Int32(o.epochs), batch_size: Int32(o.batchSize),
            optimizer: o.optimizer.rawValue, schedule: o.schedule.rawValue, shuffle: o.shuffle ? 1 : 0, threads: Int32(o.threads),
            learning_rate: o.learningRate, momentum: o.momentum, beta1: o.beta1, beta2: o.beta2, epsilon: o.epsilon,
            weight_decay: o.weightDecay, loss_ratio: o.lossRatio, seed: o.seed, redraw: o.redraw ? 1 : 0,
            label_smoothing: o.labelSmoothing, ema_decay: o.emaDecay, rotation: a.rotation, scale: a.scale, shear: a.shear,
            shift: a.shift, elastic: a.elastic, stroke: a.stroke, reserved: 0)
    }
}

@implementation @_cdecl("diptych_trainer_options_init")
public func diptych_trainer_options_init(_ options: UnsafeMutablePointer<diptych_trainer_options>!, _ size: Int) -> diptych_status {
    attempt { () throws(DiptychError) in try initialize(options, size, defaults: defaultOptions) }
}

@implementation @_cdecl("diptych_trainer_options_recipe")
public func diptych_trainer_options_recipe(_ options: UnsafeMutablePointer<diptych_trainer_options>!, _ size: Int,
                                           _ recipe: Int32) -> diptych_status {
    attempt { () throws(DiptychError) in
        let recipe = try choice(recipe, "recipe", atMost: 1, Recipe.self)
        try initialize(options, size, defaults: diptych_trainer_options(recipe.trainerOptions))
    }
}

private func trainerOptions(_ options: UnsafePointer<diptych_trainer_options>?) throws(DiptychError) -> TrainerOptions {
    let o = try DiptychABI.options(options, defaults: defaultOptions, "options")
    var result = TrainerOptions()
    result.epochs = Int(o.epochs)
    result.batchSize = Int(o.batch_size)
    result.optimizer = try choice(o.optimizer, "optimizer", atMost: 1, TrainerOptions.Optimizer.self)
    result.schedule = try choice(o.schedule, "schedule", atMost: 2, TrainerOptions.Schedule.self)
    try require(Int(o.shuffle), in: 0 ... 1, "shuffle")
    result.shuffle = o.shuffle == 1
    result.threads = Int(o.threads)
    result.learningRate = o.learning_rate
    result.momentum = o.momentum
    result.beta1 = o.beta1
    result.beta2 = o.beta2
    result.epsilon = o.epsilon
    result.weightDecay = o.weight_decay
    result.lossRatio = o.loss_ratio
    result.seed = o.seed
    try require(Int(o.redraw), in: 0 ... 1, "redraw")
    result.redraw = o.redraw == 1
    result.labelSmoothing = o.label_smoothing
    result.emaDecay = o.ema_decay
    result.augmentation.rotation = o.rotation
    result.augmentation.scale = o.scale
    result.augmentation.shear = o.shear
    result.augmentation.shift = o.shift
    result.augmentation.elastic = o.elastic
    result.augmentation.stroke = o.stroke
    guard o.reserved == 0 else { throw DiptychError(.invalidArgument, "reserved is \(o.reserved), but must be 0") }
    try result.validate()
    return result
}

extension diptych_progress {
    init(_ p: Progress) {
        self.init(struct_size: UInt32(MemoryLayout<diptych_progress>.size), epoch: Int32(p.epoch), epochs: Int32(p.epochs),
                  finished: p.finished ? 1 : 0, step: Int64(p.step), steps: Int64(p.steps), loss: p.loss, bce: p.bce,
                  auxiliary: p.auxiliary, train_error: p.trainError, learning_rate: p.learningRate, seconds: p.seconds)
    }
}

@implementation @_cdecl("diptych_trainer_create")
public func diptych_trainer_create(_ model: OpaquePointer!, _ pairs: OpaquePointer!,
                                   _ options: UnsafePointer<diptych_trainer_options>!,
                                   _ out_trainer: UnsafeMutablePointer<OpaquePointer?>!) -> diptych_status {
    create(out_trainer, "out_trainer") { () throws(DiptychError) in
        try Trainer(model: object(model, Model.self, "model"), pairs: object(pairs, Pairs.self, "pairs"), options: trainerOptions(options))
    }
}

@implementation @_cdecl("diptych_trainer_step")
public func diptych_trainer_step(_ trainer: OpaquePointer!, _ out_progress: UnsafeMutablePointer<diptych_progress>!) -> diptych_status {
    attempt { () throws(DiptychError) in
        let trainer = try object(trainer, Trainer.self, "trainer")
        try checkResult(out_progress, "out_progress")
        fill(out_progress, with: diptych_progress(try trainer.trainStep()))
    }
}

@implementation @_cdecl("diptych_trainer_epoch")
public func diptych_trainer_epoch(_ trainer: OpaquePointer!, _ out_progress: UnsafeMutablePointer<diptych_progress>!) -> diptych_status {
    attempt { () throws(DiptychError) in
        let trainer = try object(trainer, Trainer.self, "trainer")
        try checkResult(out_progress, "out_progress")
        fill(out_progress, with: diptych_progress(try trainer.trainEpoch()))
    }
}

@implementation @_cdecl("diptych_trainer_cancel")
public func diptych_trainer_cancel(_ trainer: OpaquePointer!) {
    guard let trainer else { return }
    // No retain, so that a signal handler may call this.
    Unmanaged<Trainer>.fromOpaque(UnsafeRawPointer(trainer))._withUnsafeGuaranteedRef { $0.cancel() }
}

@implementation @_cdecl("diptych_trainer_save")
public func diptych_trainer_save(_ trainer: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> diptych_status {
    attempt { () throws(DiptychError) in try object(trainer, Trainer.self, "trainer").save(path: string(path, "path")) }
}

@implementation @_cdecl("diptych_trainer_resume")
public func diptych_trainer_resume(_ path: UnsafePointer<CChar>!, _ pairs: OpaquePointer!, _ epochs: Int32, _ threads: Int32,
                                   _ out_model: UnsafeMutablePointer<OpaquePointer?>!,
                                   _ out_trainer: UnsafeMutablePointer<OpaquePointer?>!) -> diptych_status {
    out_model?.pointee = nil
    return create(out_trainer, "out_trainer") { () throws(DiptychError) in
        let out = try given(out_model, "out_model")
        let trainer = try Trainer.resume(path: string(path, "path"), pairs: object(pairs, Pairs.self, "pairs"),
                                         epochs: Int(epochs), threads: Int(threads))
        out.pointee = newHandle(trainer.model)
        return trainer
    }
}

@implementation @_cdecl("diptych_trainer_free")
public func diptych_trainer_free(_ trainer: OpaquePointer!) { release(trainer, Trainer.self) }

@implementation @_cdecl("diptych_train")
public func diptych_train(_ model: OpaquePointer!, _ pairs: OpaquePointer!, _ options: UnsafePointer<diptych_trainer_options>!,
                          _ callback: diptych_progress_callback!, _ user_data: UnsafeMutableRawPointer!) -> diptych_status {
    let host = dp_float_mode_get()
    return attempt { () throws(DiptychError) in
        let trainer = try Trainer(model: object(model, Model.self, "model"), pairs: object(pairs, Pairs.self, "pairs"),
                                  options: trainerOptions(options))
        var progress = Progress()
        repeat {
            // Between two epochs nobody but the callback can look at the model.
            progress = try trainer.trainEpoch(lazily: callback == nil)
            guard let callback else { continue }
            var report = diptych_progress(progress)
            dp_float_mode_set(host)
            let stopped = callback(&report, user_data) != 0
            _ = dp_float_mode_enter()
            if stopped {
                throw DiptychError(.cancelled, "the callback stopped the training after epoch \(progress.epoch) of \(progress.epochs)")
            }
        } while !progress.finished
    }
}
