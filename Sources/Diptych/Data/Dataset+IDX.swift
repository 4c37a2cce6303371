extension Dataset {
    /// MNIST's format: images [count][height][width] and labels [count] in a file each, plain or gzip-compressed.
    public static func openIDX(images imagesPath: String, labels labelsPath: String) throws(DiptychError) -> Dataset {
        let labels = try IDXFile.read(path: labelsPath, rank: 1, content: "labels")
        let images = try IDXFile.read(path: imagesPath, rank: 3, content: "images")
        let count = images.shape[0], height = images.shape[1], width = images.shape[2]
        guard count > 0 else { throw DiptychError(.format, "\(imagesPath): holds no images") }
        guard sizes.contains(height), sizes.contains(width) else {
            throw DiptychError(.limit, "\(imagesPath): images of \(height)x\(width), but height and width must be from "
                + "\(sizes.lowerBound) to \(sizes.upperBound)")
        }
        guard labels.shape[0] == count else {
            throw DiptychError(.mismatch, "\(imagesPath) holds \(count) images, but \(labelsPath) \(labels.shape[0]) labels")
        }
        let classes = try Buffer<Int32>(count: count, for: "labels")
        for i in 0 ..< count { classes[i] = Int32(labels.bytes[i]) }
        return Dataset(count: count, height: height, width: width, images: images.bytes, labels: classes)
    }
}
