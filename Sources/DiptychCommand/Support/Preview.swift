import CDiptychPlatform
import Diptych

/// Two images side by side as text, two characters a pixel: shaded blocks where the locale has them, ASCII elsewhere.
func preview(_ first: Buffer<Float>, _ second: Buffer<Float>, height: Int, width: Int) -> [String] {
    let shades: [Character] = localeIsUTF8 ? [" ", "░", "▒", "▓", "█"] : [" ", ".", ":", "+", "#"]
    func row(_ image: Buffer<Float>, _ y: Int) -> String {
        var text = ""
        for x in 0 ..< width {
            let level = Int((image[y * width + x] / 255 * Float(shades.count - 1)).rounded())
            let shade = shades[min(max(level, 0), shades.count - 1)]
            text.append(shade)
            text.append(shade)
        }
        return text
    }
    let edge = "+" + String(repeating: "-", count: 2 * width) + "+"
    return ["\(edge)  \(edge)"] + (0 ..< height).map { "|\(row(first, $0))|  |\(row(second, $0))|" } + ["\(edge)  \(edge)"]
}

/// The first of LC_ALL, LC_CTYPE and LANG that is set decides, as POSIX says.
private var localeIsUTF8: Bool {
    for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
        guard let value = getenv(name), value.pointee != 0 else { continue }
        let locale = String(cString: value).uppercased()
        return locale.contains("UTF-8") || locale.contains("UTF8")
    }
    return false
}
