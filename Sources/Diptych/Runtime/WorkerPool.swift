import CDiptychPlatform

/// Threads that share out numbered items. Which thread takes an item is left to chance; results never depend on it.
final class WorkerPool: @unchecked Sendable {
    typealias Body = @convention(c) (_ context: UnsafeMutableRawPointer?, _ item: Int, _ thread: Int) -> Void

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

    /// Starts the threads, which the first run would do.
    func start() throws(DiptychError) {
        guard dp_pool_start(pool) else { throw noThreads }
    }

    /// Calls body(context, item, thread) for item in 0 ..< count, thread in 0 ..< threads; returns when all are done.
    func run(_ count: Int, _ context: UnsafeMutableRawPointer, _ body: Body) throws(DiptychError) {
        guard dp_pool_run(pool, count, body, context) else { throw noThreads }
    }

    private var noThreads: DiptychError {
        DiptychError(.system, "cannot start \(threads - 1) worker threads; use fewer threads")
    }
}
