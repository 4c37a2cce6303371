import CDiptychPlatform

/// Replaces the file at `path` in one step or not at all: the bytes go to a temporary file in the same folder, reach
/// the disk, and take the old file's name. An old file's permissions are kept; a symbolic link is followed. What is no
/// regular file (a pipe, a terminal) is written to directly.
public func writeFileAtomically(path: String, bytes: UnsafeRawBufferPointer) throws(DiptychError) {
    var status = stat()
    let exists = stat(path, &status) == 0
    if exists && isKind(status, S_IFDIR) { throw DiptychError(.io, "\(path): is a folder, not a file") }
    if exists && !isKind(status, S_IFREG) {
        return try writeAll(bytes, to: FileDescriptor(opening: path, flags: O_WRONLY), path)
    }

    let target = exists ? realPath(path) : path
    let temporary = try TemporaryFile(beside: target)
    if exists && fchmod(temporary.file.number, status.st_mode & 0o7777) != 0 {
        throw fileError(target, "cannot be given its permissions")
    }
    try writeAll(bytes, to: temporary.file, target)
    guard fsync(temporary.file.number) == 0 else { throw fileError(target, "cannot be written") }
    try temporary.rename(to: target)

    // The new name is on the disk only once its folder is; some file systems cannot do that for a folder.
    let folder = try FileDescriptor(opening: folderOf(target))
    if fsync(folder.number) != 0 && dp_errno() != EINVAL { throw fileError(target, "cannot be written") }
}

/// A new file under a name of its own, removed unless it is renamed.
private final class TemporaryFile {
    let file: FileDescriptor
    private var path = ""
    private var renamed = false

    init(beside target: String) throws(DiptychError) {
        for attempt in 0 ..< 10_000 {
            path = "\(folderOf(target))/.diptych-\(getpid())-\(attempt).tmp"
            let number = dp_open(path, O_WRONLY | O_CREAT | O_EXCL, 0o666)
            if number >= 0 {
                file = FileDescriptor(adopting: number)
                return
            }
            // Another thread's, or left over from a process that died: the next name.
            guard dp_errno() == EEXIST else { break }
        }
        throw fileError(target, "cannot be written")
    }

    func rename(to target: String) throws(DiptychError) {
        guard CDiptychPlatform.rename(path, target) == 0 else { throw fileError(target, "cannot be replaced") }
        renamed = true
    }

    deinit { if !renamed { unlink(path) } }
}

private func writeAll(_ bytes: UnsafeRawBufferPointer, to file: FileDescriptor, _ path: String) throws(DiptychError) {
    var written = 0
    while written < bytes.count {
        let count = write(file.number, bytes.baseAddress! + written, min(bytes.count - written, 1 << 30))
        if count < 0 && dp_errno() == EINTR { continue }
        guard count > 0 else { throw fileError(path, "cannot be written") }
        written += count
    }
}

/// `path` without its last name: "." where it has no folder.
private func folderOf(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.utf8.startIndex ? "/" : String(decoding: path.utf8[..<slash], as: UTF8.self)
}

/// `path` with symbolic links followed, or as it is where that fails.
private func realPath(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
}
