import Diptych

/// `value` with so many digits behind the point; "-" where it is not known.
func fixed(_ value: Double, _ decimals: Int) -> String {
    var scale = 1.0
    for _ in 0 ..< decimals { scale *= 10 }
    guard let scaled = Int(exactly: (abs(value) * scale).rounded()) else { return value.isNaN ? "-" : text(value) }
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return "\(sign)\(scaled)" }
    let digits = right("\(scaled)", decimals + 1, "0")
    return sign + digits.dropLast(decimals) + "." + digits.suffix(decimals)
}

/// A share of 0 to 1.
func percent(_ share: Double, _ decimals: Int = 2) -> String { fixed(100 * share, decimals) + " %" }

/// low to high, in per cent; "-" where they are not known.
func percentRange(_ range: (low: Double, high: Double), _ decimals: Int = 2) -> String {
    range.low.isNaN ? "-" : "\(fixed(100 * range.low, decimals)) to \(fixed(100 * range.high, decimals))"
}

/// 115147 as "115,147".
func grouped(_ number: Int) -> String {
    let digits = Array("\(number)")
    var result = ""
    for (index, digit) in digits.enumerated() {
        if index > 0 && (digits.count - index) % 3 == 0 { result += "," }
        result.append(digit)
    }
    return result
}

/// "pair" where there is one, else "pairs".
func plural(_ noun: String, _ count: Int) -> String { count == 1 ? noun : noun + "s" }

/// The shortest text that reads back as the same Float: 0.7, 0.70000005, 0.
func exact(_ value: Float) -> String {
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// `text` in a column of that width, at its left or its right.
func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

func right(_ text: String, _ width: Int, _ filler: Character = " ") -> String {
    String(repeating: filler, count: max(0, width - text.count)) + text
}

extension JSONWriter {
    /// The shortest number that reads back as the same Float.
    mutating func member(_ name: String, _ value: Float) { member(name, Double("\(value)") ?? Double(value)) }
}
