import CDiptychPlatform
import Diptych

func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }

func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && Int32(status.st_mode) & S_IFMT == S_IFDIR
}

/// Throws before hours of work are spent on a file that cannot be written in the end.
func checkWritable(_ path: String) throws(DiptychError) {
    guard !isFolder(path) else { throw DiptychError(.io, "\(path): is a folder; give a file's name") }
    let folder = path.contains("/") ? String(path[..<path.lastIndex(of: "/")!]) : "."
    guard isFolder(folder.isEmpty ? "/" : folder) else {
        throw DiptychError(.notFound, "\(path): the folder \(folder) does not exist; make it first")
    }
    guard access(fileExists(path) ? path : folder.isEmpty ? "/" : folder, W_OK) == 0 else {
        throw DiptychError(.io, "\(path): cannot be written: \(String(cString: strerror(dp_errno())))")
    }
}

/// Makes a folder and those above it.
func makeFolders(_ path: String) throws(DiptychError) {
    if path.isEmpty || isFolder(path) { return }
    if let slash = path.lastIndex(of: "/") { try makeFolders(String(path[..<slash])) }
    guard mkdir(path, 0o777) == 0 || isFolder(path) else {
        throw DiptychError(.io, "\(path): cannot be made: \(String(cString: strerror(dp_errno())))")
    }
}

func isEmptyFolder(_ path: String) -> Bool {
    guard let handle = opendir(path) else { return false }
    defer { closedir(handle) }
    while let entry = readdir(handle) {
        let name = String(cString: dp_entry_name(entry))
        if name != "." && name != ".." { return false }
    }
    return true
}
