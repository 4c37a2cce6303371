import CDiptychPlatform

/// The process's one pool for predicting with several threads, made when first asked for. A caller that finds it busy
/// does its work alone: the results are the same.
enum SharedPool {
    nonisolated(unsafe) private static var pool: WorkerPool?
    /// A flag, behind a pointer: threads must not meet in a Swift variable.
    nonisolated(unsafe) private static let busy: UnsafeMutablePointer<Int32> = {
        let flag = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
        flag.initialize(to: 0)
        return flag
    }()

    /// As `WorkerPool.run`; false where threads could not be started.
    static func run(_ count: Int, threads: Int, _ context: UnsafeMutableRawPointer, _ body: WorkerPool.Body) -> Bool {
        // One block needs no second thread, nor the question how many there are.
        let wanted = count < 2 ? 1 : threads > 0 ? threads : min(Int(dp_available_cpus()), WorkerPool.largestCount)
        guard wanted > 1, dp_flag_acquire(busy) else {
            for item in 0 ..< count { body(context, 0, item, 0) }
            return true
        }
        defer { dp_flag_release(busy) }
        do throws(DiptychError) {
            if pool?.threads != wanted {
                pool = nil
                pool = try WorkerPool(threads: wanted)
                dp_at_exit { SharedPool.close() }
            }
            guard let pool else { return false }
            try pool.run(count, context, body)
            return true
        } catch {
            return false
        }
    }

    /// Ends the idle workers, so that the process leaves nothing behind. Whoever predicts after that works alone.
    private static func close() {
        guard dp_flag_acquire(busy) else { return }
        pool = nil
    }
}
