import ArgumentParser
import Diptych

/// One of a few named values: an option's help, errors and completions list them.
protocol Choice: ExpressibleByArgument, RawRepresentable where RawValue == Int32 {
    static var choices: [(word: String, value: Self)] { get }
}

extension Choice {
    public init?(argument: String) {
        guard let choice = Self.choices.first(where: { $0.word == argument }) else { return nil }
        self = choice.value
    }

    public var defaultValueDescription: String { Self.choices.first { $0.value.rawValue == rawValue }?.word ?? "" }
    public static var allValueStrings: [String] { choices.map(\.word) }
    public static var allValueDescriptions: [String: String] { [:] }
}

extension NetworkDescription.Architecture: Choice {
    static var choices: [(word: String, value: Self)] { allCases.map { ("\($0.name)", $0) } }
}

extension Model.Decision: Choice {
    static var choices: [(word: String, value: Self)] { [("head", .head), ("marginal", .marginal)] }
}

extension TrainerOptions.Optimizer: Choice {
    static var choices: [(word: String, value: Self)] { [("adam", .adam), ("sgd", .sgd)] }
}

extension TrainerOptions.Schedule: Choice {
    static var choices: [(word: String, value: Self)] { [("constant", .constant), ("cosine", .cosine), ("one-cycle", .oneCycle)] }
}

extension Recipe: Choice {
    static var choices: [(word: String, value: Self)] { [("report", .report), ("best", .best)] }
}

extension ImageOptions.Mode: Choice {
    static var choices: [(word: String, value: Self)] { [("digit", .digit), ("plain", .plain)] }
}

extension ImageOptions.Polarity: Choice {
    static var choices: [(word: String, value: Self)] { [("auto", .auto), ("dark-ink", .darkInk), ("light-ink", .lightInk)] }
}

extension Dataset.Split: Choice {
    static var choices: [(word: String, value: Self)] { [("train", .train), ("test", .test)] }
}
