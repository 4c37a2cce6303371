import CDiptychPlatform
import Foundation
import Testing

@testable import Diptych

/// Stages and their items, as threads take them.
@Suite struct WorkerPoolTests {
    /// Every item is run once, and none before the stage that it comes after is done: for random stages, short items and items
    /// longer than a thread spins before it sleeps, and more threads than the machine has.
    @Test(arguments: [1, 2, 3, 8])
    func itemsRunOnceAndAfterTheStageTheyComeAfter(threads: Int) throws {
        let pool = try WorkerPool(threads: threads), random = Random(seed: 31, purpose: .pairs)
        for round in 0 ..< 200 {
            func draw(_ index: Int, below bound: Int) -> Int {
                Int(random.words(step: UInt32(round), index: UInt64(index))[0]) % bound
            }
            let counts = (0 ..< 1 + draw(0, below: 6)).map { 1 + draw(10 + $0, below: 40) }
            let after = counts.indices.map { draw(20 + $0, below: $0 + 1) }
            let run = Run(after: after, counts: counts, threads: threads, pause: round % 20 == 0 ? 300 : 0)
            var stages = zip(counts, after).map { dp_stage(count: $0, after: $1, taken: 0, done: 0) }
            try stages.withUnsafeMutableBufferPointer { stages in
                try pool.run(stages, Unmanaged.passUnretained(run).toOpaque()) { context, stage, item, thread in
                    Unmanaged<Run>.fromOpaque(context!).takeUnretainedValue().run(stage, item, thread)
                }
            }
            #expect(run.calls.map { $0.sorted() } == counts.map { Array(0 ..< $0) })
            #expect(run.early == 0 && run.strangers == 0)
        }
    }

    @Test func noItemsAreNoRun() throws {
        let pool = try WorkerPool(threads: 2), run = Run(after: [], counts: [], threads: 2, pause: 0)
        try pool.run(0, Unmanaged.passUnretained(run).toOpaque()) { context, stage, item, thread in
            Unmanaged<Run>.fromOpaque(context!).takeUnretainedValue().run(stage, item, thread)
        }
        #expect(run.calls.isEmpty)
    }

    @Test func workersTakeTheCallersFloatingPointMode() throws {
        let pool = try WorkerPool(threads: 2), host = dp_float_mode_enter(), library = dp_float_mode_get()
        let flags: dp_float_mode = 0x3f // what has happened, in x86-64's register
        defer { dp_float_mode_set(host) }
        for mode in [host, library, host] {
            dp_float_mode_set(mode)
            let seen = Modes()
            // Items that wait for each other: each is another thread's.
            try pool.run(2, Unmanaged.passUnretained(seen).toOpaque()) { context, _, _, _ in
                Unmanaged<Modes>.fromOpaque(context!).takeUnretainedValue().look()
            }
            #expect(seen.modes.map { $0 & ~flags } == [mode & ~flags, mode & ~flags])
        }
        #if arch(x86_64) || arch(arm64)
        #expect(host & ~flags != library)
        #endif
    }

    private final class Modes: @unchecked Sendable {
        private let lock = NSCondition()
        private(set) var modes: [dp_float_mode] = []

        func look() {
            lock.withLock {
                modes.append(dp_float_mode_get())
                lock.broadcast()
                while modes.count < 2 { lock.wait() }
            }
        }
    }

    private final class Run: @unchecked Sendable {
        private let lock = NSLock()
        private let after: [Int], counts: [Int], threads: Int, pause: UInt32
        private(set) var calls: [[Int]]
        /// Items that began before they might, and threads that are none of the pool's.
        private(set) var early = 0, strangers = 0
        private var ended: [Int]

        init(after: [Int], counts: [Int], threads: Int, pause: UInt32) {
            (self.after, self.counts, self.threads, self.pause) = (after, counts, threads, pause)
            calls = counts.map { _ in [] }
            ended = counts.map { _ in 0 }
        }

        func run(_ stage: Int, _ item: Int, _ thread: Int) {
            lock.withLock {
                let before = after[stage] - 1
                if before >= 0 && ended[before] < counts[before] { early += 1 }
                if !(0 ..< threads).contains(thread) { strangers += 1 }
                calls[stage].append(item)
            }
            if pause > 0 { usleep(pause) }
            lock.withLock { ended[stage] += 1 }
        }
    }
}
