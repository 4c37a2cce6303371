import CDiptychPlatform
import Foundation
import Testing

@testable import Diptych

@Suite struct FolderTests {
    let folder = TemporaryFolder()

    func writePNG(_ name: String, _ grey: UInt8, height: Int = 6, width: Int = 5) throws {
        folder.write(name, [])
        try Diptych.writePNG([UInt8](repeating: grey, count: height * width), height: height, width: width, path: folder.path(name))
    }

    var plain: ImageOptions {
        var options = ImageOptions()
        options.mode = .plain
        options.height = 3
        options.width = 5
        return options
    }

    @Test func readsClassesInNumericAndFilesInByteOrder() throws {
        try writePNG("10/a.png", 4)
        try writePNG("2/b.png", 3)
        try writePNG("2/a10.png", 1)
        try writePNG("2/a9.PNG", 2)
        try writePNG("2/Z.png", 0)
        try writePNG("999/é.pNg", 5)
        for ignored in ["README.txt", ".DS_Store", ".git/config", "2/.hidden", "2/Thumbs.db", "7/.DS_Store"] { folder.write(ignored, [1]) }
        let dataset = try Dataset.openFolder(path: folder.path, options: plain)
        #expect(dataset.extents == [6, 3, 5])
        #expect(dataset.labels?.array == [2, 2, 2, 2, 10, 999])
        #expect((0 ..< 6).map { dataset.images[$0 * 15 + 14] } == [0, 1, 2, 3, 4, 5])
        #expect(try Dataset.openFolder(path: folder.path + "/", options: plain).count == 6)
    }

    /// In digit mode the canvas is kept, whatever height and width ask for.
    @Test func digitModeKeepsTheCanvas() throws {
        var image = [UInt8](repeating: 255, count: 40 * 40)
        for y in 10 ..< 30 { for x in 18 ..< 22 { image[y * 40 + x] = 0 } }
        folder.write("1/one.png", [])
        try Diptych.writePNG(image, height: 40, width: 40, path: folder.path("1/one.png"))
        let options = ImageOptions()
        let dataset = try Dataset.openFolder(path: folder.path, options: options)
        #expect(dataset.extents == [1, 28, 28])
        let canvas = try loadPNGCanvas(path: folder.path("1/one.png"), options: options)
        #expect((0 ..< 784).allSatisfy { abs(Float(dataset.images[$0]) - canvas[$0]) <= 0.5 })
        #expect(dataset.images.array.max() == 255)
    }

    @Test func namesWhatDoesNotBelong() throws {
        func open() throws { _ = try Dataset.openFolder(path: folder.path, options: plain) }
        expectError(.notFound, "none") { _ = try Dataset.openFolder(path: folder.path("none"), options: plain) }
        expectError(.notFound) { _ = try Dataset.openFolder(path: folder.write("file", [1]), options: plain) }
        expectError(.format, folder.path, "no images") { try open() }
        try writePNG("0/a.png", 1)
        try open()
        expectError(.format, "0/notes.txt") {
            folder.write("0/notes.txt", [1])
            try open()
        }
        unlink(folder.path("0/notes.txt"))
        expectError(.format, "0/b.png") {
            folder.write("0/b.png", Array("no image".utf8))
            try open()
        }
        unlink(folder.path("0/b.png"))
        expectError(.format, "0/c.png") {
            folder.write("0/c.png/d", [1])
            try open()
        }
    }

    @Test(arguments: ["zero", "00", "01", "1000", "-1", "1a", "٣"])
    func refusesFoldersThatAreNoClass(name: String) throws {
        try writePNG("1/a.png", 1)
        try writePNG(name + "/a.png", 1)
        expectError(.format, name, "0 to 999") { _ = try Dataset.openFolder(path: folder.path, options: plain) }
    }
}
