import CDiptychPlatform

/// Threads that share out numbered items. Which thread takes an item is left to chance; results never depend on it.
final class WorkerPool: @unchecked Sendable {
    typealias Body = @convention(c) (_ context: UnsafeMutableRawPointer?, _ stage: Int, _ item: Int, _ thread: Int) -> Void

    let threads: Int
    private let pool: OpaquePointer

    static let largestCount = 256

    /// `threads` 0 stands for the CPUs that the process may use.
    init(threads: Int) throws(DiptychError) {
        try require(threads, in: 0 ... Self.largestCount, "threads")
        self.threads = threads > 0 ? threads : min(Int(dp_available_cpus()), Self.largestCount)
        guard let pool = dp_pool_create(Int32(self.threads)) else { throw DiptychError.memory(64, for: "a worker pool") }
        self.pool = pool
    }

    deinit { dp_pool_free(pool) }

    /// Calls body(context, stage, item, thread) for every item of every stage, thread in 0 ..< threads; returns when all are
    /// done. A stage's items begin when the stages that it comes after are done, or its share of the one just before (dp_stage).
    func run(_ stages: UnsafeMutableBufferPointer<dp_stage>, _ context: UnsafeMutableRawPointer, _ body: Body) throws(DiptychError) {
        guard dp_pool_run(pool, stages.count, stages.baseAddress, body, context) else { throw noThreads }
    }

    /// One stage of `count` items, of which there may be none.
    func run(_ count: Int, _ context: UnsafeMutableRawPointer, _ body: Body) throws(DiptychError) {
        guard count > 0 else { return }
        var stage = dp_stage(count: count, after: 0, by_share: false, taken: 0, done: 0)
        guard dp_pool_run(pool, 1, &stage, body, context) else { throw noThreads }
    }

    func zero(_ memory: UnsafeMutableRawPointer, bytes: Int) throws(DiptychError) {
        var block = ZeroedBlock(memory: memory, bytes: bytes)
        try run((bytes + ZeroedBlock.part - 1) / ZeroedBlock.part, &block) { context, _, item, _ in
            let block = context!.assumingMemoryBound(to: ZeroedBlock.self).pointee, start = item * ZeroedBlock.part
            memset(block.memory + start, 0, min(ZeroedBlock.part, block.bytes - start))
        }
    }

    private var noThreads: DiptychError {
        DiptychError(.system, "cannot start \(threads - 1) worker threads; use fewer threads")
    }
}

private struct ZeroedBlock {
    static let part = 1 << 20

    let memory: UnsafeMutableRawPointer
    let bytes: Int
}
