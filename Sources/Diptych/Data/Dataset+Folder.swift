extension Dataset {
    /// A folder with a folder of PNGs for each class, named by its number from 0 to 999: 0/x.png, 1/y.png, ... Classes are
    /// taken in numeric order, files in the byte order of their names. In digit mode images are kept as 28x28, in plain
    /// mode as `options.height` x `options.width`. Hidden files, Thumbs.db and plain files beside the class folders are
    /// ignored; anything else that is no PNG is an error that names it.
    public static func openFolder(path: String, options: ImageOptions) throws(DiptychError) -> Dataset {
        let root = try Folder(path: path)
        var isClass = [Bool](repeating: false, count: largestLabel + 1)
        for name in root.names where root.isFolder(name) {
            guard let number = classNumber(name) else {
                throw DiptychError(.format, "\(root.path(of: name)): not a class folder: its name must be a number "
                    + "from 0 to \(largestLabel)")
            }
            isClass[number] = true
        }

        var files: [(path: String, label: Int)] = []
        for label in isClass.indices where isClass[label] {
            let folder = try Folder(path: root.path(of: "\(label)"))
            for name in folder.names where !sameBytes(name, "Thumbs.db") {
                guard isPNGName(name), !folder.isFolder(name) else {
                    throw DiptychError(.format, "\(folder.path(of: name)): not a PNG file")
                }
                files.append((folder.path(of: name), label))
            }
        }
        guard !files.isEmpty else {
            throw DiptychError(.format, "\(path): no images: it must hold folders named 0, 1, ... with PNG files in them")
        }

        let height = options.mode == .digit ? 28 : options.height, width = options.mode == .digit ? 28 : options.width
        try require(height, in: sizes, "height")
        try require(width, in: sizes, "width")
        let size = height * width
        let images = try Buffer<UInt8>(count: product(files.count, size, of: "a dataset"), for: "images")
        let labels = try Buffer<Int32>(count: files.count, for: "labels")
        for (i, file) in files.enumerated() {
            let image = options.mode == .digit ? try loadPNGCanvas(path: file.path, options: options)
                : try loadPNG(path: file.path, options: options)
            guard image.count == size else { throw DiptychError(.mismatch, "\(file.path): has \(image.count) pixels") }
            for j in 0 ..< size { images[i * size + j] = UInt8(min(max(image[j], 0), 255).rounded()) }
            labels[i] = Int32(file.label)
        }
        return Dataset(count: files.count, height: height, width: width, images: images, labels: labels)
    }

    /// 0 to 999 without leading zeros, so that no class has two folders.
    private static func classNumber(_ name: String) -> Int? {
        let digits = name.utf8
        guard digits.count <= 3, digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        var number = 0
        for digit in digits {
            guard digit >= 48, digit <= 57 else { return nil }
            number = 10 * number + Int(digit - 48)
        }
        return number
    }

    /// Whether a name ends in ".png", in letters of either case.
    private static func isPNGName(_ name: String) -> Bool {
        let end = name.utf8.count - 4
        return end > 0 && name.withCString { name in
            let tail = name + end
            return tail[0] == 0x2E && tail[1] | 0x20 == 0x70 && tail[2] | 0x20 == 0x6E && tail[3] | 0x20 == 0x67
        }
    }
}
