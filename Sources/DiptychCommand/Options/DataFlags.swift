import ArgumentParser
import Diptych

struct DataFlags: ParsableArguments {
    @Option(name: .shortAndLong, help: ArgumentHelp(
        "A folder with MNIST's files (plain or .gz), with train/ and test/ folders of PNGs by class, or of PNGs by class (0/, 1/, ...).",
        discussion: "Default: the bundled sample, 5,000 of MNIST's training and 2,500 of its test digits.", valueName: "folder"),
        completion: .directory)
    var data: String?

    func source() throws(DiptychError) -> DataSource { try DataSource(path: data) }
}
