import Testing

@testable import Diptych

@Suite struct PairsTests {
    /// `count` images of 4x6, image i filled with i, labelled i % 10.
    static func dataset(_ count: Int, labelled: Bool = true) throws -> Dataset {
        let images = (0 ..< count).flatMap { [UInt8](repeating: UInt8($0), count: 24) }
        return try Dataset.fromMemory(images: images, labels: labelled ? (0 ..< count).map { Int32($0 % 10) } : nil,
                                      count: count, height: 4, width: 6)
    }

    static func fromMemory(_ images: [Float], targets: [Float]? = nil, digits: [Int32]? = nil, count: Int, height: Int = 4, width: Int = 4)
        throws -> Pairs {
        try Pairs.fromMemory(images: images, targets: targets, digits: digits, count: count, height: height, width: width)
    }

    @Test func drawsEveryImageOnce() throws {
        let pairs = try Pairs.draw(from: Self.dataset(100), count: 50, height: 4, width: 6, seed: 3)
        let first = (0 ..< 100).map { Int(pairs.images[$0 * 24]) }
        #expect(first.sorted() == Array(0 ..< 100))
        #expect(first != Array(0 ..< 100))
        #expect(pairs.digits?.array == first.map { Int32($0 % 10) })
        for i in 0 ..< 50 {
            #expect(pairs.targets[i] == (first[2 * i] % 10 <= first[2 * i + 1] % 10 ? 1 : 0))
        }
        // 55 of 100 pairs of digits are <=; 50 pairs lie within 20 points (2.8 standard deviations).
        #expect(abs(pairs.targets.array.reduce(0, +) / 50 - 0.55) < 0.2)
    }

    /// Fewer pairs are the first ones of more: the seed alone makes the order.
    @Test func theSeedMakesTheOrder() throws {
        let data = try Self.dataset(100)
        let few = try Pairs.draw(from: data, count: 10, height: 4, width: 6, seed: 3)
        let many = try Pairs.draw(from: data, count: 50, height: 4, width: 6, seed: 3)
        let other = try Pairs.draw(from: data, count: 50, height: 4, width: 6, seed: 4)
        #expect(few.images.array == Array(many.images.array.prefix(480)))
        #expect(many.images.array != other.images.array)
        #expect(try Pairs.draw(from: data, count: 50, height: 4, width: 6, seed: 3).fingerprint == many.fingerprint)
    }

    @Test func poolsByTwo() throws {
        let image = (0 ..< 8 * 8).map { UInt8($0 * 3) }
        let data = try Dataset.fromMemory(images: image + image, labels: [1, 1], count: 2, height: 8, width: 8)
        let pairs = try Pairs.draw(from: data, count: 1, height: 4, width: 4, seed: 0)
        for y in 0 ..< 4 {
            for x in 0 ..< 4 {
                let corner = 2 * y * 8 + 2 * x
                let mean = [0, 1, 8, 9].reduce(Float(0)) { $0 + Float(image[corner + $1]) } / 4
                // Sums of four bytes and a division by four are exact.
                #expect(pairs.images[y * 4 + x] == mean)
            }
        }
        #expect(pairs.targets.array == [1])
    }

    @Test func drawNamesWhatIsWrong() throws {
        let data = try Self.dataset(21)
        expectError(.invalidArgument, "count is 11", "21 images", "10 pairs") { _ = try Pairs.draw(from: data, count: 11, height: 4, width: 6, seed: 0) }
        expectError(.invalidArgument, "count is 0") { _ = try Pairs.draw(from: data, count: 0, height: 4, width: 6, seed: 0) }
        expectError(.limit) { _ = try Pairs.draw(from: data, count: .max, height: 4, width: 6, seed: 0) }
        expectError(.invalidArgument, "height is 3", "4 to 256") { _ = try Pairs.draw(from: data, count: 1, height: 3, width: 6, seed: 0) }
        expectError(.invalidArgument, "width is 257") { _ = try Pairs.draw(from: data, count: 1, height: 4, width: 257, seed: 0) }
        expectError(.mismatch, "no labels") { _ = try Pairs.draw(from: Self.dataset(4, labelled: false), count: 1, height: 4, width: 6, seed: 0) }
    }

    @Test func fromMemoryMakesTargetsFromDigits() throws {
        let images = [Float](repeating: 1, count: 3 * 32)
        let pairs = try Self.fromMemory(images, digits: [1, 2, 2, 2, 3, 2], count: 3)
        #expect(pairs.targets.array == [1, 1, 0])
        let given = try Self.fromMemory(images, targets: [0, 1, 1], digits: [1, 2, 2, 2, 3, 2], count: 3)
        #expect(given.targets.array == [0, 1, 1])
        #expect(given.digits?.array == [1, 2, 2, 2, 3, 2])
        #expect(try Self.fromMemory(images, targets: [0, 1, -0.0], count: 3).digits == nil)
    }

    @Test func fromMemoryNamesWhatIsWrong() {
        var images = [Float](repeating: 0, count: 64)
        expectError(.invalidArgument, "targets and digits") { _ = try Self.fromMemory(images, count: 2) }
        for (target, said) in [(Float(0.5), "0.5"), (2, "2"), (.nan, "nan"), (-1, "-1")] {
            expectError(.invalidArgument, "targets[1] is \(said)", "0 or 1") { _ = try Self.fromMemory(images, targets: [0, target], count: 2) }
        }
        expectError(.invalidArgument, "digits[1][0] is 1000", "0 to 999") { _ = try Self.fromMemory(images, digits: [0, 0, 1000, 0], count: 2) }
        expectError(.invalidArgument, "digits[0][1] is -1") { _ = try Self.fromMemory(images, targets: [0, 0], digits: [0, -1, 0, 0], count: 2) }
        expectError(.invalidArgument, "count is 0") { _ = try Self.fromMemory(images, targets: [], count: 0) }
        expectError(.limit) { _ = try Self.fromMemory(images, targets: [], count: .max) }
        expectError(.invalidArgument, "height is 0") { _ = try Self.fromMemory(images, targets: [0], count: 1, height: 0) }
        for bad in [Float.nan, .infinity, -.infinity] {
            images[16 + 32 + 5] = bad
            expectError(.invalidArgument, "pair 1, image 1, pixel 5", text(bad)) { _ = try Self.fromMemory(images, targets: [0, 1], count: 2) }
        }
    }

    @Test func statistics() throws {
        let pairs = try Self.fromMemory((0 ..< 32).map { Float($0) }, targets: [1], count: 1)
        #expect(pairs.mean == 15.5)
        // The sum of squares around the mean of 0 ... 31 is 32 * (32^2 - 1) / 12 = 2728; divided by 31 it is 88.
        #expect(pairs.standardDeviation == 88.0.squareRoot())
        #expect(try Self.fromMemory([Float](repeating: 7, count: 32), targets: [1], count: 1).standardDeviation == 0)
        // In Float this sum would lose the last digit of every number.
        let large = try Self.fromMemory((0 ..< 32).map { 16_000_000 + Float($0) }, targets: [1], count: 1)
        #expect(large.standardDeviation == pairs.standardDeviation)
    }

    @Test func everyChangeChangesTheFingerprint() throws {
        let images = (0 ..< 64).map { Float($0) }
        var prints: Set<UInt64> = [
            try Self.fromMemory(images, targets: [0, 1], count: 2).fingerprint,
            try Self.fromMemory(images, targets: [1, 1], count: 2).fingerprint,
            try Self.fromMemory(images, targets: [0, 1], digits: [0, 1, 2, 3], count: 2).fingerprint,
            try Self.fromMemory(images, targets: [0, 1], digits: [0, 1, 3, 2], count: 2).fingerprint,
            try Self.fromMemory(images, targets: [0], count: 1, height: 4, width: 8).fingerprint,
            try Self.fromMemory(images, targets: [0], count: 1, height: 8, width: 4).fingerprint,
        ]
        for i in images.indices {
            var changed = images
            changed[i] = changed[i].nextUp
            prints.insert(try Self.fromMemory(changed, targets: [0, 1], count: 2).fingerprint)
        }
        #expect(prints.count == 6 + 64)
        #expect(try Self.fromMemory(images, targets: [0, 1], count: 2).fingerprint == Self.fromMemory(images, targets: [0, 1], count: 2).fingerprint)
    }
}
