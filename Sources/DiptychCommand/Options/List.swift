import ArgumentParser

/// Values separated by commas, at least one: 0.001,0.005
struct List<Element: ExpressibleByArgument>: ExpressibleByArgument {
    let elements: [Element]

    init?(argument: String) {
        var elements: [Element] = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard !part.isEmpty, let element = Element(argument: String(part)) else { return nil }
            elements.append(element)
        }
        self.elements = elements
    }
}
