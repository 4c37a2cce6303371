import Foundation
import Testing

@testable import Diptych

@Suite struct ImagesPNGTests {
    /// One level: each sample is rounded to 8 bits before the luma and the compositing, the fixture only at the end.
    @Test(arguments: FormatFixture.all)
    func decodesEveryFormat(_ fixture: FormatFixture) throws {
        let grey = try decode(fixture.png, background: fixture.background)
        #expect(grey.count == fixture.grey.count)
        #expect(zip(grey, fixture.grey).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
    }

    @Test func fixturesCoverEveryFormat() {
        // 15 pairs of colour type and depth, 11 of them with tRNS, each with and without interlacing.
        #expect(FormatFixture.all.filter { $0.name.hasSuffix("11x9") }.count == 2 * (15 + 11))
    }

    @Test(arguments: FormatFixture.all)
    func everyCutIsAnError(_ fixture: FormatFixture) {
        var wrong: [Int] = []
        for length in 0 ..< fixture.png.count {
            let cut = Array(fixture.png.prefix(length))
            let got = status { () throws(DiptychError) in _ = try decode(cut) }
            if got != (length == 0 ? .format : .corrupt) { wrong.append(length) }
        }
        #expect(wrong == [], "lengths of cut files that were not refused as they should be")
    }

    /// Every chunk has a checksum, so no flipped bit behind the signature passes; in the size it may look too large.
    @Test(arguments: FormatFixture.all)
    func everyFlippedByteIsAnError(_ fixture: FormatFixture) {
        var wrong: [Int] = []
        for position in 0 ..< fixture.png.count {
            for mask: UInt8 in [0x01, 0x80, 0xFF] {
                var damaged = fixture.png
                damaged[position] ^= mask
                let got = status { () throws(DiptychError) in _ = try decode(damaged) }
                let allowed: [DiptychError.Status] = position < 8 ? [.format] : 16 ..< 24 ~= position ? [.corrupt, .limit] : [.corrupt]
                if got.map(allowed.contains) != true { wrong.append(position) }
            }
        }
        #expect(wrong == [], "positions of damage that was not refused as it should be")
    }

    /// Damage whose checksums are right: whatever libpng makes of it, nothing may be read or written out of bounds.
    @Test(arguments: FormatFixture.all.filter { $0.name.hasSuffix("11x9") })
    func damageWithRightChecksumsNeverCrashes(_ fixture: FormatFixture) {
        var wrong: [Int] = []
        for position in 16 ..< fixture.png.count - 12 {
            for mask: UInt8 in [0x01, 0x10, 0xFF] {
                var damaged = fixture.png
                damaged[position] ^= mask
                restoreChecksums(&damaged)
                let got = status { () throws(DiptychError) in _ = try decode(damaged, maxSide: 64) }
                if got != nil && got != .corrupt && got != .limit { wrong.append(position) }
            }
        }
        #expect(wrong == [], "positions of damage with another outcome than an image, corrupt or limit")
    }

    @Test func namesWhatIsNotAPNG() throws {
        for bytes: [UInt8] in [[], Array("GIF89a".utf8), [0x89], Array(repeating: 0, count: 100)] {
            #expect(status { () throws(DiptychError) in _ = try decode(bytes) } == (bytes == [0x89] ? .corrupt : .format))
        }
    }

    @Test func refusesLargeImagesBeforeDecoding() throws {
        // The header alone: had decoding begun, it would be corrupt.
        let header = Array(FormatFixture.all[0].png.prefix(33))
        #expect(status { () throws(DiptychError) in _ = try decode(header, maxSide: 10) } == .limit)
        #expect(status { () throws(DiptychError) in _ = try decode(header, maxSide: 11) } == .corrupt)
        let fixture = FormatFixture.all[0]
        #expect(status { () throws(DiptychError) in _ = try decode(fixture.png, maxSide: 11) } == nil)
    }

    /// Cameras and editors write megabytes of metadata; it is skipped, not refused.
    @Test func skipsLargeMetadata() throws {
        let fixture = FormatFixture.all[0]
        let text = Array("tEXt".utf8) + Array("Comment".utf8) + [0] + Array(repeating: UInt8(65), count: 3 << 20)
        let length = UInt32(text.count - 4)
        var png = Array(fixture.png.prefix(33))
        png += [UInt8(length >> 24), UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255)] + text
        png += [0, 0, 0, 0] + fixture.png.dropFirst(33)
        restoreChecksums(&png)
        let grey = try decode(png, background: fixture.background)
        #expect(grey == fixture.grey)
    }

    @Test func writesWhatItReads() throws {
        let pixels = (0 ..< 37 * 23).map { UInt8(truncatingIfNeeded: $0 * 7) }
        try withTemporaryFile(nil) { path in
            try writePNG(pixels, height: 23, width: 37, path: path)
            let grey = try decode([UInt8](Data(contentsOf: URL(fileURLWithPath: path))))
            #expect(grey == pixels)
            var options = ImageOptions()
            options.mode = .plain
            options.height = 23
            options.width = 37
            let read = try loadPNG(path: path, options: options)
            #expect(values(read) == pixels.map(Float.init))
        }
    }

    @Test func tellsFileErrorsApart() throws {
        let folder = FileManager.default.temporaryDirectory.path
        func load(_ path: String) -> DiptychError.Status? {
            status { () throws(DiptychError) in _ = try loadPNG(path: path, options: ImageOptions()) }
        }
        #expect(load(folder + "/no-such-file-\(UUID().uuidString).png") == .notFound)
        #expect(load("") == .notFound)
        #expect(load(folder) == .io)
        #expect(load("/dev/null") == .format)
        // Endless: stopped by the limit of 256 MiB.
        #expect(load("/dev/zero") == .limit)
        #expect(status { () throws(DiptychError) in try writePNG([0], height: 1, width: 1, path: folder + "/no/such/a.png") } == .notFound)
        #expect(status { () throws(DiptychError) in try writePNG([0], height: 1, width: 1, path: folder) } == .io)
        #expect(status { () throws(DiptychError) in try writePNG([0], height: 0, width: 1, path: folder) } == .invalidArgument)
    }

    @Test func refusesOptionsOutOfRange() {
        func check(_ change: (inout ImageOptions) -> Void) -> DiptychError.Status? {
            var options = ImageOptions()
            change(&options)
            return status { () throws(DiptychError) in try options.validate() }
        }
        #expect(check { _ in } == nil)
        #expect(check { $0.height = 256; $0.width = 1; $0.background = 0; $0.maxHeight = 32768; $0.maxWidth = 1 } == nil)
        #expect(check { $0.height = 0 } == .invalidArgument)
        #expect(check { $0.width = 257 } == .invalidArgument)
        #expect(check { $0.background = 256 } == .invalidArgument)
        #expect(check { $0.background = -1 } == .invalidArgument)
        #expect(check { $0.maxHeight = 32769 } == .invalidArgument)
        #expect(check { $0.maxWidth = 0 } == .invalidArgument)
    }
}

/// Sets the checksum of every chunk that is whole.
private func restoreChecksums(_ png: inout [UInt8]) {
    var position = 8
    while position + 12 <= png.count {
        let length = png[position ..< position + 4].reduce(0) { $0 << 8 | Int($1) }
        let end = position + 8 + length
        guard end + 4 <= png.count else { return }
        let checksum = crc(png[position + 4 ..< end])
        for i in 0 ..< 4 { png[end + i] = UInt8(checksum >> UInt32(24 - 8 * i) & 255) }
        position = end + 4
    }
}

private let crcTable: [UInt32] = (0 ..< 256).map { n in
    (0 ..< 8).reduce(UInt32(n)) { c, _ in c & 1 == 1 ? 0xEDB8_8320 ^ c >> 1 : c >> 1 }
}

/// CRC-32 as the PNG specification's annex D gives it.
private func crc(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var c: UInt32 = 0xFFFF_FFFF
    for byte in bytes { c = crcTable[Int((c ^ UInt32(byte)) & 255)] ^ c >> 8 }
    return c ^ 0xFFFF_FFFF
}
