import CDiptychPlatform
import Foundation
import Testing

@testable import Diptych

@Suite(.serialized) struct FileTests {
    let folder = TemporaryFolder()

    func write(_ path: String, _ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try writeFileAtomically(path: path, bytes: $0) }
    }

    func permissions(_ path: String) -> UInt32 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt32(status.st_mode) & 0o7777 : 0
    }

    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }

    @Test(arguments: [0, 1, 4095, 4096, 4097, 100_000])
    func readsWhatWasWritten(size: Int) throws {
        let bytes = (0 ..< size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let path = folder.path("file")
        try write(path, bytes)
        #expect(try readFile(path: path, limit: size).array == bytes)
        #expect(try names() == ["file"])
        if size > 0 { expectError(.limit, path, "\(size - 1)") { _ = try readFile(path: path, limit: size - 1) } }
    }

    /// The system says that these have no bytes.
    @Test func readsFilesWithoutAStatedSize() throws {
        #expect(try readFile(path: "/proc/self/status", limit: 1 << 20).count > 100)
        expectError(.limit) { _ = try readFile(path: "/proc/self/status", limit: 10) }
        expectError(.limit) { _ = try readFile(path: "/dev/zero", limit: 50_000) }

        let pipe = folder.path("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        let bytes = (0 ..< 50_001).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let writer = Thread { try? Data(bytes).write(to: URL(fileURLWithPath: pipe)) }
        writer.start()
        #expect(try readFile(path: pipe, limit: 50_001).array == bytes)
    }

    @Test func namesWhatCannotBeRead() {
        expectError(.notFound, folder.path("none")) { _ = try readFile(path: folder.path("none"), limit: 10) }
        expectError(.notFound, "empty") { _ = try readFile(path: "", limit: 10) }
        expectError(.io, folder.path, "folder") { _ = try readFile(path: folder.path, limit: 10) }
        expectError(.notFound) { _ = try readFile(path: folder.write("file", [1]) + "/below", limit: 10) }
    }

    @Test func replacesAndKeepsPermissions() throws {
        let path = folder.path("file")
        let mask = umask(0o027)
        defer { umask(mask) }
        try write(path, [1, 2, 3])
        #expect(permissions(path) == 0o640)
        #expect(chmod(path, 0o604) == 0)
        try write(path, [4])
        #expect(permissions(path) == 0o604)
        #expect(try readFile(path: path, limit: 10).array == [4])
    }

    @Test func followsLinks() throws {
        let path = folder.write("file", [1]), link = folder.path("link")
        #expect(symlink("file", link) == 0)
        try write(link, [2, 3])
        #expect(try readFile(path: path, limit: 10).array == [2, 3])
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "file")
    }

    @Test func leavesNothingBehindAfterAFailure() throws {
        expectError(.notFound, "none/file") { try write(folder.path("none/file"), [1]) }
        expectError(.notFound) { try write("", [1]) }
        expectError(.io, "folder") { try write(folder.path, [1]) }
        #expect(try names() == [])
        #expect(!FileManager.default.fileExists(atPath: ".diptych-\(getpid())-0.tmp"))
    }

    /// A full disk: the old file stays, the temporary goes.
    @Test func writesDevicesDirectly() throws {
        try write("/dev/null", [1, 2])
        expectError(.io, "/dev/full") { try write("/dev/full", [1]) }
        #expect(FileManager.default.fileExists(atPath: "/dev/full"))
    }

    @Test func usesTheNextNameWhereATemporaryWasLeft() throws {
        folder.write(".diptych-\(getpid())-0.tmp", [9])
        try write(folder.path("file"), [1])
        #expect(try names() == [".diptych-\(getpid())-0.tmp", "file"])
    }
}
