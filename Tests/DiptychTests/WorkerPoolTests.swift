import CDiptychPlatform
import Foundation
import Testing

@testable import Diptych

/// Stages and their items, as threads take them.
@Suite struct WorkerPoolTests {
    /// Every item is run once, and none before the stages that it comes after, or its share of the one before, are done: for random
    /// stages, short items and items longer than a thread spins before it sleeps, and more threads than the machine has.
    @Test(arguments: [1, 2, 3, 8, 40])
    func itemsRunOnceAndAfterWhatTheyComeAfter(threads: Int) throws {
        let pool = try WorkerPool(threads: threads), random = Random(seed: 31, purpose: .pairs)
        for round in 0 ..< 200 {
            func draw(_ index: Int, below bound: Int) -> Int {
                Int(random.words(step: UInt32(round), index: UInt64(index))[0]) % bound
            }
            var stages = (0 ..< 1 + draw(0, below: 6)).map { index in
                dp_stage(count: 1 + draw(10 + index, below: 40), after: UInt32(draw(20 + index, below: 1 << index)),
                         by_share: index > 0 && draw(30 + index, below: 2) == 1, taken: 0, done: 0)
            }
            let run = Run(stages, threads: threads, pause: round % 10 == 0 ? 300 : 0)
            try stages.withUnsafeMutableBufferPointer { stages in
                try pool.run(stages, Unmanaged.passUnretained(run).toOpaque()) { context, stage, item, thread in
                    Unmanaged<Run>.fromOpaque(context!).takeUnretainedValue().run(stage, item, thread)
                }
            }
            #expect(run.calls.map { $0.sorted() } == stages.map { Array(0 ..< $0.count) })
            #expect(run.early == 0 && run.strangers == 0)
        }
    }

    /// A thread goes through its share of stages that follow each other by shares, while another still waits in the first: the second
    /// share's first item ends after the first share's last.
    @Test func sharesDoNotWaitForEachOther() throws {
        var stages = [dp_stage(count: 2, after: 0, by_share: false, taken: 0, done: 0), dp_stage(count: 2, after: 0, by_share: true, taken: 0, done: 0)]
        #expect(try Waiting.run(&stages, first: [1, 0], then: [0, 1]) == [[0, 0], [1, 0], [0, 1], [1, 1]])
    }

    /// And then it helps: the first item of its own share ends after the last of the other's, which it keeps from it.
    @Test func threadsHelpEachOther() throws {
        var stages = [dp_stage(count: 4, after: 0, by_share: false, taken: 0, done: 0)]
        let ended = try Waiting.run(&stages, first: [0, 1], then: [0, 0])
        #expect(ended.count == 4 && ended.last == [0, 0])
    }

    /// Two threads' run in which one item waits for another's end, at most ten seconds.
    private final class Waiting: @unchecked Sendable {
        private let lock = NSCondition(), first: [Int], then: [Int]
        private var ended: [[Int]] = []

        private init(first: [Int], then: [Int]) { (self.first, self.then) = (first, then) }

        /// The items in the order in which they ended, as [stage, item].
        static func run(_ stages: inout [dp_stage], first: [Int], then: [Int]) throws -> [[Int]] {
            let pool = try WorkerPool(threads: 2), run = Waiting(first: first, then: then)
            try stages.withUnsafeMutableBufferPointer { stages in
                try pool.run(stages, Unmanaged.passUnretained(run).toOpaque()) { context, stage, item, _ in
                    Unmanaged<Waiting>.fromOpaque(context!).takeUnretainedValue().run([stage, item])
                }
            }
            return run.ended
        }

        private func run(_ item: [Int]) {
            lock.withLock {
                let limit = Date(timeIntervalSinceNow: 10)
                while item == then && !ended.contains(first) && lock.wait(until: limit) {}
                ended.append(item)
                lock.broadcast()
            }
        }
    }

    @Test func noItemsAreNoRun() throws {
        let pool = try WorkerPool(threads: 2), run = Run([], threads: 2, pause: 0)
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
        private let stages: [dp_stage], threads: Int, pause: UInt32
        private(set) var calls: [[Int]]
        /// Items that began before they might, and threads that are none of the pool's.
        private(set) var early = 0, strangers = 0
        /// Which of each stage's items.
        private var ended: [Set<Int>]

        init(_ stages: [dp_stage], threads: Int, pause: UInt32) {
            (self.stages, self.threads, self.pause) = (stages, threads, pause)
            calls = stages.map { _ in [] }
            ended = stages.map { _ in [] }
        }

        func run(_ stage: Int, _ item: Int, _ thread: Int) {
            lock.withLock {
                if stages[stage].by_share {
                    for share in 0 ..< threads where items(share, of: stages[stage].count).contains(item) {
                        if !ended[stage - 1].isSuperset(of: items(share, of: stages[stage - 1].count)) { early += 1 }
                    }
                } else {
                    for before in 0 ..< stage where stages[stage].after >> UInt32(before) & 1 == 1 {
                        if ended[before].count < stages[before].count { early += 1 }
                    }
                }
                if !(0 ..< threads).contains(thread) { strangers += 1 }
                calls[stage].append(item)
            }
            if pause > 0 { usleep(pause) }
            lock.withLock { _ = ended[stage].insert(item) }
        }

        private func items(_ share: Int, of count: Int) -> Range<Int> { count * share / threads ..< count * (share + 1) / threads }
    }
}
