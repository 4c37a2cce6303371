import CDiptychPlatform

/// What stands in a folder, hidden names left out.
struct Folder {
    let path: String
    /// In byte order.
    let names: [String]

    init(path: String) throws(DiptychError) {
        guard let handle = opendir(path) else { throw fileError(path, "cannot be opened as a folder") }
        defer { closedir(handle) }
        var names: [String] = []
        while true {
            dp_set_errno(0)
            guard let entry = readdir(handle) else { break }
            let name = String(cString: dp_entry_name(entry))
            if name.utf8.first != UInt8(ascii: ".") { names.append(name) }
        }
        guard dp_errno() == 0 else { throw fileError(path, "cannot be read") }
        names.sort { precedes($0, $1) }
        self.path = path
        self.names = names
    }

    func path(of name: String) -> String { "\(path)/\(name)" }

    func isFolder(_ name: String) -> Bool {
        var status = stat()
        return stat(path(of: name), &status) == 0 && isKind(status, S_IFDIR)
    }
}
