import Foundation
import Testing

@testable import Diptych

@Suite struct DatasetTests {
    @Test func fromMemoryCopies() throws {
        var images: [UInt8] = [1, 2, 3, 4, 5, 6], labels: [Int32] = [0, 999, 3]
        let dataset = try Dataset.fromMemory(images: images, labels: labels, count: 3, height: 1, width: 2)
        images[0] = 9
        labels[0] = 9
        #expect(dataset.images.array == [1, 2, 3, 4, 5, 6])
        #expect(dataset.labels?.array == [0, 999, 3])
        #expect(try Dataset.fromMemory(images: images, labels: nil, count: 3, height: 2, width: 1).labels == nil)
    }

    @Test func fromMemoryNamesWhatIsWrong() {
        let images: [UInt8] = [0]
        func make(_ count: Int, _ height: Int, _ width: Int, _ labels: [Int32]? = nil) throws {
            _ = try Dataset.fromMemory(images: images, labels: labels, count: count, height: height, width: width)
        }
        expectError(.invalidArgument, "height is 0", "1 to 256") { try make(1, 0, 1) }
        expectError(.invalidArgument, "height is 257") { try make(1, 257, 1) }
        expectError(.invalidArgument, "width is -1") { try make(1, 1, -1) }
        expectError(.invalidArgument, "count is 0") { try make(0, 1, 1) }
        expectError(.invalidArgument, "count is -5") { try make(-5, 1, 1) }
        expectError(.limit, "too large") { try make(.max, 256, 256) }
        expectError(.limit, "count is 65537") { try make(65537, 256, 256) }
        expectError(.invalidArgument, "labels[1] is 1000", "0 to 999") { try make(2, 1, 1, [0, 1000]) }
        expectError(.invalidArgument, "labels[0] is -1") { try make(1, 1, 1, [-1]) }
    }

    /// The sums are those over value * position of all pixels and labels, computed by NumPy from MNIST's own files without
    /// the coder.
    @Test(arguments: [(Dataset.Split.train, 5000, 259_534_223_145_798 as UInt64), (.test, 2500, 63_949_304_255_113)])
    func sample(split: Dataset.Split, count: Int, expected: UInt64) throws {
        let dataset = try Dataset.sample(split)
        #expect(dataset.extents == [count, 28, 28])
        let labels = try #require(dataset.labels).array
        #expect(labels.allSatisfy { (0 ... 9).contains($0) })
        // 784 pixels, rounded to 0, 36, 73, ... 255.
        #expect(Set(dataset.images.array) == [0, 36, 73, 109, 146, 182, 219, 255])
        for digit in 0 ... 9 {
            // 8 to 12 % of MNIST is each digit; three standard deviations of a draw of 2,500 are 1.9 points.
            let share = Double(labels.count { $0 == digit }) / Double(count)
            #expect(share > 0.07 && share < 0.14, "digit \(digit): \(share)")
        }
        var sum: UInt64 = 0
        for (i, pixel) in dataset.images.array.enumerated() { sum += UInt64(pixel) * UInt64(i + 1) }
        for (i, label) in labels.enumerated() { sum += UInt64(label) * UInt64(i + 1) }
        #expect(sum == expected)
        // Of all of MNIST: training 33.318, test 33.791. Three standard errors of 2,500 digits' means (each +- 14) are 0.8.
        let mean = dataset.images.array.reduce(0) { $0 + Double($1) } / Double(count * 784)
        #expect(abs(mean - 33.5) < 1.2, "\(mean)")
    }

    @Test func damagedSample() {
        for bytes in [[], Array("DPS1".utf8), Array("DPS2".utf8) + [UInt8](repeating: 9, count: 20),
                      Array("DPS1".utf8) + [2, 28, 28, 0, 1, 0, 1, 0, 0]] {
            expectError(.corrupt, "sample") { _ = try bytes.withUnsafeBytes { try SampleDecoder($0) } }
        }
        // A stream that ends early, or says nothing, decodes to something without a crash.
        for fill: UInt8 in [0, 1, 0x80, 0xFF] {
            for shades: UInt8 in [3, 8, 16] {
                let bytes = Array("DPS1".utf8) + [shades, 9, 7, 0, 5, 0, 3, 0] + [UInt8](repeating: fill, count: 50)
                #expect(throws: Never.self) { try bytes.withUnsafeBytes { _ = try SampleDecoder($0).decode(skipping: 5, count: 3) } }
            }
        }
    }
}
