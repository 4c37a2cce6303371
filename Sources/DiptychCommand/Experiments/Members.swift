import Diptych

extension JSONWriter {
    /// Every member of a network's or a trainer's options, so that one that is added later is not forgotten; what each trial
    /// sets itself is left out.
    mutating func members(of value: Any) {
        for (name, value) in Mirror(reflecting: value).children {
            guard let name, name != "seed", name != "threads" else { continue }
            let key = snakeCase(name)
            switch value {
            case let value as Int: member(key, value)
            case let value as Float: member(key, value)
            case let value as Bool: member(key, value)
            default:
                if Mirror(reflecting: value).displayStyle == .struct {
                    members(of: value)
                } else {
                    member(key, snakeCase("\(value)"))
                }
            }
        }
    }
}

/// learningRate as learning_rate.
private func snakeCase(_ name: String) -> String {
    name.map { $0.isUppercase ? "_" + $0.lowercased() : String($0) }.joined()
}
