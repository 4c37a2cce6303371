import Diptych

/// Calls `body` with every pair's line number, from 1, and its paths, which throw where the line has not just two. "-" is
/// stdin, which is read line by line, so that another program may wait for each answer.
func forEachPair(
    in path: String, _ body: (Int, () throws(DiptychError) -> (String, String)) throws(DiptychError) -> Void
) throws(DiptychError) {
    var number = 0
    func take(_ line: Substring) throws(DiptychError) {
        number += 1
        let line = trimmed(line)
        if line.isEmpty || line.hasPrefix("#") { return }
        try body(number) { () throws(DiptychError) in try pair(line) }
    }
    if path == "-" {
        while let line = readLine() { try take(line[...]) }
    } else {
        let file = try readFile(path: path, limit: 1 << 30)
        var text = String(decoding: UnsafeRawBufferPointer(file.span), as: UTF8.self)[...]
        while !text.isEmpty {
            let line = text.prefix { $0 != "\n" && $0 != "\r\n" }
            try take(line)
            text = text[line.endIndex...].dropFirst()
        }
    }
}

private func pair(_ line: Substring) throws(DiptychError) -> (String, String) {
    let fields = line.contains("\t") ? line.split(separator: "\t") : line.split(separator: " ")
    guard fields.count == 2 else {
        throw DiptychError(.format, "expected two paths, but found \(fields.count); where paths have spaces, put a tab between them")
    }
    return (String(trimmed(fields[0])), String(trimmed(fields[1])))
}

private func trimmed(_ text: Substring) -> Substring {
    var text = text
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return text.drop { $0.isWhitespace }
}
