import Foundation
import Testing

@testable import Diptych

@Suite struct IDXTests {
    let folder = TemporaryFolder()
    static let pixels = (0 ..< 3 * 4 * 5).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    static let images = idx([3, 4, 5], pixels)
    static let labels = idx([3], [7, 0, 255])

    func open(_ images: [UInt8], _ labels: [UInt8]) throws -> Dataset {
        try Dataset.openIDX(images: folder.write("images", images), labels: folder.write("labels", labels))
    }

    @Test(arguments: [false, true], [false, true])
    func reads(packedImages: Bool, packedLabels: Bool) throws {
        let dataset = try open(packedImages ? gzip(Self.images) : Self.images, packedLabels ? gzip(Self.labels) : Self.labels)
        #expect(dataset.extents == [3, 4, 5])
        #expect(dataset.images.array == Self.pixels)
        #expect(dataset.labels?.array == [7, 0, 255])
    }

    @Test func readsSeveralGzipMembers() throws {
        #expect(try open(gzip(Array(Self.images[..<20])) + gzip(Array(Self.images[20...])), Self.labels).images.array == Self.pixels)
    }

    @Test(arguments: [false, true])
    func cutAtEveryByte(packed: Bool) {
        let whole = packed ? gzip(Self.images) : Self.images
        for length in 0 ..< whole.count {
            let path = folder.write("images", Array(whole[..<length]))
            // Plain, the first four bytes say what it is; compressed, the first two do.
            expectError(length < (packed ? 2 : 4) ? .format : .corrupt, path) { _ = try open(Array(whole[..<length]), Self.labels) }
        }
        let labels = packed ? gzip(Self.labels) : Self.labels
        expectError(.corrupt, "labels") { _ = try open(Self.images, labels.dropLast()) }
    }

    @Test func everyBitOfACompressedFileDamaged() {
        let whole = gzip(Self.images)
        var refused = 0
        for index in whole.indices {
            for bit in 0 ..< 8 {
                var damaged = whole
                damaged[index] ^= 1 << UInt8(bit)
                do {
                    let dataset = try open(damaged, Self.labels)
                    // gzip's flags, time and system carry no data, nor does what fills up the last byte of it.
                    #expect(index < 10 || index == whole.count - 9, "byte \(index), bit \(bit)")
                    #expect(dataset.images.array == Self.pixels)
                } catch { refused += 1 }
            }
        }
        #expect(refused >= (whole.count - 11) * 8)
    }

    @Test func trailingBytes() {
        expectError(.corrupt, "images", "60 bytes") { _ = try open(Self.images + [0], Self.labels) }
        expectError(.corrupt, "images", "60 bytes") { _ = try open(gzip(Self.images + [0]), Self.labels) }
        expectError(.corrupt, "images", "follows") { _ = try open(gzip(Self.images) + [0], Self.labels) }
        expectError(.corrupt, "images") { _ = try open(gzip(Self.images) + [0x1F, 0x8B], Self.labels) }
        expectError(.corrupt, "labels") { _ = try open(Self.images, Self.labels + [1]) }
    }

    @Test func wrongKinds() {
        expectError(.format, "images", "rank 1", "rank 3") { _ = try open(Self.labels, Self.labels) }
        expectError(.format, "labels", "rank 3", "rank 1") { _ = try open(Self.images, Self.images) }
        expectError(.format, "images", "not an IDX file") { _ = try open(Array("a text file".utf8), Self.labels) }
        expectError(.format, "type 13") { _ = try open(idx([3, 4, 5], Self.pixels, type: 13), Self.labels) }
        expectError(.format, "no images") { _ = try open(idx([0, 4, 5], []), idx([0], [])) }
        expectError(.mismatch, "3 images", "2 labels") { _ = try open(Self.images, idx([2], [1, 2])) }
        expectError(.limit, "257x1") { _ = try open(idx([1, 257, 1], [UInt8](repeating: 0, count: 257)), idx([1], [1])) }
        expectError(.limit, "0x5") { _ = try open(idx([1, 0, 5], []), idx([1], [1])) }
        expectError(.notFound, "none") { _ = try Dataset.openIDX(images: folder.path("none"), labels: folder.write("labels", Self.labels)) }
    }

    /// Refused from the header alone, without the memory that it asks for.
    @Test func hugeDeclaredSizes() {
        for packed in [false, true] {
            let huge = [Int(UInt32.max), Int(UInt32.max), Int(UInt32.max)], over = [1 << 24, 256, 2], under = [1 << 22, 28, 28]
            for (extents, status) in [(huge, DiptychError.Status.limit), (over, .limit), (under, .corrupt)] {
                let bytes = idx(extents, [1, 2, 3])
                expectError(status, "images") { _ = try open(packed ? gzip(bytes) : bytes, Self.labels) }
            }
        }
    }

    /// A megabyte of zeros in a kilobyte stops at the declared 60 bytes.
    @Test func decompressionBomb() {
        expectError(.corrupt, "60 bytes") { _ = try open(gzip(Self.images + [UInt8](repeating: 0, count: 1 << 20)), Self.labels) }
    }
}
