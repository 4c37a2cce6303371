import Diptych

/// Where digits come from: the bundled sample, or a folder in one of three layouts.
enum DataSource {
    case sample
    /// MNIST's four files.
    case idx(folder: String)
    /// train/ and test/, each with a folder of PNGs for each class.
    case splits(folder: String)
    /// Folders of PNGs for each class, which serve as either split.
    case classes(folder: String)

    init(path: String?) throws(DiptychError) {
        guard let path else {
            self = .sample
            return
        }
        guard isFolder(path) else {
            throw fileExists(path) ? DiptychError(.format, "\(path): not a folder; give the folder that holds the data")
                : DiptychError(.notFound, "\(path): no such folder; give one with MNIST's files or with PNGs by class")
        }
        if Self.idxFile(path, "train", "images", 3) != nil || Self.idxFile(path, "t10k", "images", 3) != nil {
            self = .idx(folder: path)
        } else if isFolder("\(path)/train") || isFolder("\(path)/test") {
            self = .splits(folder: path)
        } else if (0 ... Dataset.largestLabel).contains(where: { isFolder("\(path)/\($0)") }) {
            self = .classes(folder: path)
        } else {
            throw DiptychError(.format, "\(path): no data: it must hold MNIST's files (train-images-idx3-ubyte, ..., also .gz), "
                + "or train/ and test/, or folders 0, 1, ... of PNGs")
        }
    }

    /// Whether the test split is another than the training split.
    var hasTestSplit: Bool {
        switch self {
        case .sample: true
        case .idx(let folder): Self.idxFile(folder, "t10k", "images", 3) != nil
        case .splits(let folder): isFolder("\(folder)/test")
        case .classes: false
        }
    }

    var hasTrainingSplit: Bool {
        switch self {
        case .sample: true
        case .idx(let folder): Self.idxFile(folder, "train", "images", 3) != nil
        case .splits(let folder): isFolder("\(folder)/train")
        case .classes: false
        }
    }

    func open(_ split: Dataset.Split, images: ImageOptions) throws(DiptychError) -> Dataset {
        switch self {
        case .sample: return try .sample(split)
        case .idx(let folder):
            let name = split == .train ? "train" : "t10k"
            return try .openIDX(images: Self.idxFile(folder, name, "images", 3) ?? "\(folder)/\(name)-images-idx3-ubyte",
                                labels: Self.idxFile(folder, name, "labels", 1) ?? "\(folder)/\(name)-labels-idx1-ubyte")
        case .splits(let folder): return try .openFolder(path: "\(folder)/\(split == .train ? "train" : "test")", options: images)
        case .classes(let folder): return try .openFolder(path: folder, options: images)
        }
    }

    /// The file under one of the names that it goes by.
    private static func idxFile(_ folder: String, _ split: String, _ content: String, _ rank: Int) -> String? {
        for name in ["\(split)-\(content)-idx\(rank)-ubyte", "\(split)-\(content).idx\(rank)-ubyte"] {
            for suffix in ["", ".gz"] where fileExists("\(folder)/\(name)\(suffix)") { return "\(folder)/\(name)\(suffix)" }
        }
        return nil
    }

    var name: String {
        switch self {
        case .sample: "the bundled sample"
        case .idx(let folder), .splits(let folder), .classes(let folder): folder
        }
    }
}

extension Dataset {
    /// One more than the largest label.
    var classes: Int { 1 + Int(labels?.span.max() ?? 0) }

    /// As many pairs as `asked`; where nothing was asked, 1000, or all that there are.
    func drawPairs(_ asked: Int?, for description: NetworkDescription, seed: UInt64, option: String) throws(DiptychError) -> Pairs {
        if let asked, asked > count / 2 {
            throw DiptychError(.invalidArgument, "\(option) \(asked): the \(count) \(plural("image", count)) make only \(count / 2) \(plural("pair", count / 2))")
        }
        return try .draw(from: self, count: asked ?? min(1000, count / 2), height: description.height, width: description.width,
                         seed: seed)
    }
}
