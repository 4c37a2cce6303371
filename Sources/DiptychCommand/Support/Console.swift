import CDiptychPlatform
import Diptych

/// Prints a line of results.
func say(_ line: String = "") { writeAll(line + "\n", to: 1) }

/// Prints a line of progress.
func report(_ line: String) { writeAll(line + "\n", to: 2) }

func warn(_ message: String) { report("diptych: warning: \(message)") }

func complain(_ message: String) { report("diptych: error: \(message)") }

/// Prints one JSON document.
func sayJSON(_ body: (inout JSONWriter) -> Void) {
    var json = JSONWriter()
    json.object(body)
    say(json.text)
}

/// Whether progress may be redrawn on stderr.
let progressIsLive: Bool = {
    guard isatty(2) == 1, let terminal = getenv("TERM") else { return false }
    return String(cString: terminal) != "dumb"
}()

/// Writes unbuffered, so that results of a stream come as soon as they are known.
func writeAll(_ text: String, to file: Int32) {
    var text = text
    text.withUTF8 { bytes in
        var written = 0
        while written < bytes.count {
            let count = write(file, bytes.baseAddress! + written, bytes.count - written)
            if count < 0 && dp_errno() == EINTR { continue }
            // Nobody can be told that stderr is gone; without stdout the results are lost.
            guard count > 0 else {
                if file == 1 { exit(1) }
                return
            }
            written += count
        }
    }
}
