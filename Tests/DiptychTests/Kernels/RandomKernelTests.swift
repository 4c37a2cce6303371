import CDiptychPlatform
@testable import Diptych
import Testing

/// The kernels that draw many random numbers at once, against Random's one at a time.
@Suite struct RandomKernelTests {
    /// Seeds, steps and indices whose words and carries reach every part of the counter and the key.
    static let draws: [(seed: UInt64, step: UInt32, index: UInt64)] = [
        (0, 0, 0), (1, 2, 3), (0xFEDC_BA98_7654_3210, .max, 0x1234_5678_9ABC_DEF0), (.max, 77, 0xFFFF_FFFD), (5, 1, 7 << 56 | 3 << 24),
    ]

    static func expected(_ random: Random, _ step: UInt32, _ index: UInt64, count: Int) -> [UInt32] {
        (0 ..< count).map { random.words(step: step, index: index &+ UInt64($0 / 4))[$0 % 4] }
    }

    @Test(arguments: KernelTable.all) func randomWords(_ table: KernelTable) {
        for draw in Self.draws {
            for count in [0, 8, 16, 24, 136] {
                let random = Random(seed: draw.seed, purpose: .shuffle), words = Guarded<UInt32>(count: count)
                table.kernels.random_words(count, random.draw(step: draw.step, index: draw.index), words.pointer)
                #expect(words.values == Self.expected(random, draw.step, draw.index, count: count) && words.bandsAreIntact, "\(draw) \(count)")
            }
        }
    }

    @Test(arguments: KernelTable.all) func dropout(_ table: KernelTable) {
        var keyed = Keyed(31)
        for draw in Self.draws {
            for (count, threshold) in [(16, UInt32(0)), (32, .max), (160, 0x8000_0000), (48, 0x1999_999A), (0, 1)] {
                let random = Random(seed: draw.seed, purpose: .dropout), x = keyed.floats(count)
                let words = Self.expected(random, draw.step, draw.index, count: count)
                let actual = call([], [x]) {
                    table.kernels.dropout(count, random.draw(step: draw.step, index: draw.index), threshold, 1.25, $1[0])
                }[0]
                #expect(actual == zip(x, words).map { $1 < threshold ? 0 : $0 * 1.25 }, "\(draw) \(count) \(threshold)")
            }
        }
    }
}
