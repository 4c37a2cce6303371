import CDiptychPlatform

/// What it costs to write lines of memory that another thread has read, as happens step after step: the threads' CPUs may have a cache in
/// common or not, and the system moves them. Where it is dear, such lines are flushed by their last reader, or written past the caches.
final class SharedLines {
    /// On a Zen 4 a line takes 5 to 6 ns between CPUs with a common cache, and 15 to 20 without.
    var dearSeconds = 10e-9
    private static let linesEach = 256, floatsEach = 16 * linesEach

    private let threads: Int
    /// [thread][line][16]
    private let lines: Buffer<Float>
    private let seconds: Buffer<Double>
    private let stages: Buffer<dp_stage>
    private(set) var areDear = false

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

    /// Measures anew, in some 20 us: each thread writes its lines, reads another's, and writes its own again.
    func measure(on pool: WorkerPool) throws(DiptychError) {
        for stage in 0 ..< 3 {
            // Each after the one before.
            stages[stage] = dp_stage(count: threads, after: (1 << UInt32(stage)) >> 1, by_share: false, taken: 0, done: 0)
        }
        try pool.run(UnsafeMutableBufferPointer(start: stages.pointer, count: 3), Unmanaged.passUnretained(self).toOpaque()) { context, stage, item, _ in
            Unmanaged<SharedLines>.fromOpaque(context!)._withUnsafeGuaranteedRef { stage == 1 ? $0.read(item) : $0.write(item) }
        }
        // Most threads', because one may have been interrupted.
        var dear = 0
        for thread in 0 ..< threads where seconds[thread] > dearSeconds * Double(Self.linesEach) { dear += 1 }
        areDear = 2 * dear > threads
    }

    private func place(_ thread: Int) -> UnsafeMutablePointer<Float> { lines.pointer + Self.floatsEach * thread }

    private func write(_ thread: Int) { seconds[thread] = dp_seconds_to_write(place(thread), Self.floatsEach) }

    private func read(_ thread: Int) { _ = indexOfNotFinite(place((thread + threads / 2) % threads), Self.floatsEach) }
}
