import ArgumentParser
import Diptych

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes the digits of a dataset as PNG files.",
        discussion: """
            EXAMPLES
              diptych export --to-png digits                 digits/train/0/..., digits/test/...
              diptych export --to-png tests --split test     tests/0/...
              diptych train --data digits                     read them back

            The files are named by the digits' places in the dataset. The folder must be
            new or empty.
            """)

    @Option(help: ArgumentHelp("The folder to write to.", valueName: "folder"), completion: .directory)
    var toPng: String

    @OptionGroup var data: DataFlags

    @Option(help: "Only this split, straight into the folder.")
    var split: Dataset.Split?

    @Option(help: ArgumentHelp("At most so many digits of each split, the first ones.", valueName: "n"))
    var count: Int?

    @Flag(help: "Dark ink on white paper.")
    var inverted = false

    @OptionGroup var output: OutputFlags

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count is \(count), but must be at least 1") }
    }

    func run() throws {
        let source = try data.source()
        guard !fileExists(toPng) || isEmptyFolder(toPng) else {
            throw DiptychError(.io, "\(toPng): is not an empty folder; give a new one, so that digits are not mixed")
        }
        var splits: [(Dataset.Split, String)] = []
        if let split {
            splits.append((split, toPng))
        } else {
            if source.hasTrainingSplit { splits.append((.train, "\(toPng)/train")) }
            if source.hasTestSplit { splits.append((.test, "\(toPng)/test")) }
            // One lot of digits is no split of another.
            if splits.isEmpty { splits.append((.train, toPng)) }
        }
        var written = 0
        for (split, folder) in splits { written += try export(source.open(split, images: ImageOptions()), to: folder) }
        if output.json {
            sayJSON { json in
                json.member("folder", toPng)
                json.member("data", source.name)
                json.member("files", written)
            }
        } else {
            say("\(toPng): \(grouped(written)) PNG \(plural("file", written))")
        }
    }

    /// Returns how many files it wrote.
    private func export(_ dataset: Dataset, to folder: String) throws(DiptychError) -> Int {
        guard let labels = dataset.labels else { throw DiptychError(.mismatch, "the data have no labels to name folders by") }
        let size = dataset.height * dataset.width
        let image = try Buffer<UInt8>(count: size, for: "an image")
        var made: Set<Int32> = []
        let number = min(count ?? dataset.count, dataset.count)
        for i in 0 ..< number {
            let target = "\(folder)/\(labels[i])"
            if made.insert(labels[i]).inserted { try makeFolders(target) }
            for j in 0 ..< size { image[j] = inverted ? 255 - dataset.images[i * size + j] : dataset.images[i * size + j] }
            try writePNG(image.pointer, height: dataset.height, width: dataset.width, path: "\(target)/\(right("\(i)", 5, "0")).png")
        }
        return number
    }
}
