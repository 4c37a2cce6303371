import CDiptychPlatform

/// What it costs to write lines of memory that another thread has read, as happens step after step: the threads' CPUs may have a cache in
/// common or not, and the system moves them. Where it is dear, such lines are flushed by their last reader, or written past the caches.
final class SharedLines {
    /// A line takes 4.6 to 6 ns between CPUs with a common cache on a Zen 4, and 14 to 20 without; on a Zen 5 2 to 3.5, and 7 to 12.
    private static let dearSeconds = 7e-9
    private static let linesEach = 256, floatsEach = 16 * linesEach

    private var areDear = false
    /// What tests put in the measurement's place; nil in ordinary life.
    var forced: Bool?

    private let threads: Int
    private let lines: Buffer<Float>
    /// What each thread's lines took; NaN where another thread has taken a part of it.
    let seconds: Buffer<Double>
    private let stages: Buffer<dp_stage>
    /// Steps until the next measurement, and whether the last one came to nothing.
    private var wait = 0, failed = false

    /// Nil where there is nobody to share with, or no flushing.
    static func make(on pool: WorkerPool) throws(DiptychError) -> SharedLines? {
        pool.threads > 1 && dp_can_flush() ? try SharedLines(on: pool) : nil
    }

    private init(on pool: WorkerPool) throws(DiptychError) {
        threads = pool.threads
        lines = try Buffer(count: Self.floatsEach * threads, for: "a trainer")
        seconds = try Buffer(count: threads, for: "a trainer")
        stages = try Buffer(count: 3, for: "a trainer")
    }

    /// Whether they are dear in the step that begins: looked at in every sixteenth, and once more in the next where that failed.
    func areDear(on pool: WorkerPool) throws(DiptychError) -> Bool {
        if let forced { return forced }
        guard wait == 0 else {
            wait -= 1
            return areDear
        }
        let answer = try measure(on: pool)
        areDear = answer ?? areDear
        wait = answer == nil && !failed ? 0 : 15
        failed = answer == nil
        return areDear
    }

    /// Each thread writes its lines, reads another's, and writes its own again, which is timed: some 20 us. Nil where a thread did another's
    /// part because that one was late.
    func measure(on pool: WorkerPool) throws(DiptychError) -> Bool? {
        for stage in 0 ..< 3 {
            // A bit for the one before: 0, 1, 2.
            stages[stage] = dp_stage(count: threads, after: UInt32(truncatingIfNeeded: stage), by_share: false, taken: 0, done: 0)
        }
        try pool.run(UnsafeMutableBufferPointer(start: stages.pointer, count: 3), Unmanaged.passUnretained(self).toOpaque()) { context, stage, item, thread in
            Unmanaged<SharedLines>.fromOpaque(context!)._withUnsafeGuaranteedRef { $0.run(stage, item, thread) }
        }
        var dear = 0
        for thread in 0 ..< threads {
            if seconds[thread].isNaN { return nil }
            if seconds[thread] > Self.dearSeconds * Double(Self.linesEach) { dear += 1 }
        }
        // Most threads', because one may have been interrupted.
        return 2 * dear > threads
    }

    private func run(_ stage: Int, _ item: Int, _ thread: Int) {
        let own = lines.pointer + Self.floatsEach * item, other = lines.pointer + Self.floatsEach * ((item + threads / 2) % threads)
        switch stage {
        case 0:
            _ = dp_seconds_to_write(own, Self.floatsEach)
            seconds[item] = 0
        case 1:
            // Any kernel would do that reads them all.
            _ = indexOfNotFinite(other, Self.floatsEach)
        default:
            seconds[item] += dp_seconds_to_write(own, Self.floatsEach)
        }
        if thread != item { seconds[item] = .nan }
    }
}
