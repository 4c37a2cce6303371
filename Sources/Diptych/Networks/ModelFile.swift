// A model as a safetensors file: PyTorch's tensor names and shapes, the rest in the metadata, so that
// `safetensors.torch.load_file` and `load_state_dict` just work, both ways.

extension Model {
    /// The largest file that is read: a checkpoint of the largest network, with both moments.
    static let fileLimit = 4 << 30

    /// Tensors of a checkpoint begin with this; a model's loader passes over them.
    static let optimizerPrefix = "optimizer."

    public static func load(path: String) throws(DiptychError) -> Model {
        let file = try readFile(path: path, limit: fileLimit)
        return try load(bytes: UnsafeRawBufferPointer(file.span), name: path)
    }

    /// `name` begins an error's message.
    public static func load(bytes: UnsafeRawBufferPointer, name: String) throws(DiptychError) -> Model {
        try load(SafetensorsFile.parse(bytes: bytes, name: name), name: name)
    }

    /// Throws `diverged`, and leaves the file at `path` as it was, where a value is not finite.
    public func save(path: String, precision: StoragePrecision = .single) throws(DiptychError) {
        let bytes = try encoded(precision)
        defer { withExtendedLifetime(bytes) {} }
        try writeFileAtomically(path: path, bytes: UnsafeRawBufferPointer(bytes.span))
    }

    /// The file's bytes.
    public func encoded(_ precision: StoragePrecision = .single) throws(DiptychError) -> Buffer<UInt8> {
        try SafetensorsFile.encode(tensors: outputs(of: parameters, prefix: ""), metadata: metadata, precision: precision)
    }

    /// How many bytes `encoded` would give.
    public func encodedSize() throws(DiptychError) -> Int {
        try SafetensorsFile.encodedSize(tensors: outputs(of: parameters, prefix: ""), metadata: metadata)
    }

    /// All tensors of `source`, which is laid out as the parameters are.
    func outputs(of source: Buffer<Float>, prefix: String) -> [SafetensorsOutput] {
        network.tensors.map { tensor in
            SafetensorsOutput(name: prefix + tensor.name, shape: tensor.shape) { self.copy(tensor, of: source.pointer, to: $0) }
        }
    }

    var metadata: [(key: String, value: String)] {
        let d = description
        var metadata = MetadataWriter()
        metadata.add("format", "pt")
        metadata.add("producer", "diptych")
        metadata.add("architecture", d.architecture.name)
        metadata.add("height", d.height)
        metadata.add("width", d.width)
        metadata.add("classes", d.classes)
        metadata.add("channels", d.channels)
        metadata.add("fc1_width", d.fc1Width)
        metadata.add("fc2_width", d.fc2Width)
        metadata.add("head_width", d.headWidth)
        metadata.add("mlp_width1", d.mlpWidth1)
        metadata.add("mlp_width2", d.mlpWidth2)
        metadata.add("dropout", d.dropout)
        metadata.add("decision", decision.name)
        metadata.add("mean", mean)
        metadata.add("standard_deviation", standardDeviation)
        // Only where there is something to say, so that other models' files stay as they were.
        if d.views != 1 { metadata.add("views", d.views) }
        if temperatures != Temperatures() {
            metadata.add("head_temperature", temperatures.head)
            metadata.add("class_temperature", temperatures.classes)
        }
        return metadata.entries
    }

    static func load(_ file: SafetensorsFile, name: String) throws(DiptychError) -> Model {
        let metadata = Metadata(file: file, name: name)
        let description = try metadata.has("architecture") ? metadata.description() : guess(file, name: name)
        do throws(DiptychError) {
            try description.validate()
        } catch {
            throw DiptychError(error.status == .invalidArgument ? .corrupt : error.status, "\(name): \(error.message)")
        }
        // Before memory is taken: a small file may claim a large network.
        let network = Network(description)
        for tensor in network.tensors { _ = try stored(tensor, in: file, prefix: "", description, name: name) }
        for tensor in file.tensors where !beginsWith(tensor.name, optimizerPrefix) {
            guard network.tensor(named: tensor.name) != nil else {
                throw DiptychError(.mismatch, "\(name): tensor '\(tensor.name)' does not belong to a network of the kind \(description.architecture.name)")
            }
        }
        let model = try Model(zeroed: network)
        try model.fill(model.parameters, from: file, prefix: "", name: name)
        if metadata.has("mean") || metadata.has("standard_deviation") {
            let mean = try metadata.float("mean"), deviation = try metadata.float("standard_deviation")
            guard deviation > 0 && (1 / deviation).isFinite else {
                throw DiptychError(.corrupt, "\(name): standard_deviation is \(text(deviation)), but must be above 0, and not so small that its inverse is infinite")
            }
            model.standardise(mean: mean, standardDeviation: deviation)
        } else {
            model.weightsChanged()
        }
        var temperatures = Temperatures()
        if metadata.has("head_temperature") { temperatures.head = try metadata.float("head_temperature") }
        if metadata.has("class_temperature") { temperatures.classes = try metadata.float("class_temperature") }
        do throws(DiptychError) {
            try model.setTemperatures(temperatures)
        } catch {
            throw DiptychError(.corrupt, "\(name): \(error.message)")
        }
        if metadata.has("decision") { model.decision = try metadata.choice("decision", [.head, .marginal]) { $0.name } }
        return model
    }

    /// Copies all tensors, named with `prefix`, into `target`, which is laid out as the parameters are.
    func fill(_ target: Buffer<Float>, from file: SafetensorsFile, prefix: String, name: String) throws(DiptychError) {
        for tensor in network.tensors {
            let stored = try Self.stored(tensor, in: file, prefix: prefix, description, name: name)
            var wrong = (index: Int.max, value: Float(0))
            tensor.forEachByPanel { index, place in
                let value = stored.value(index)
                if !value.isFinite && index < wrong.index { wrong = (index, value) }
                target.pointer[place] = value
            }
            guard wrong.index == .max else {
                throw DiptychError(.corrupt, "\(name): value \(wrong.index) of tensor '\(stored.name)' is \(text(wrong.value)), but must be finite")
            }
        }
    }

    /// The file's tensor for `tensor` of a network; `mismatch` where it is missing or has another shape.
    private static func stored(_ tensor: Tensor, in file: SafetensorsFile, prefix: String, _ description: NetworkDescription,
                               name: String) throws(DiptychError) -> SafetensorsTensor {
        let full = prefix + tensor.name
        guard let stored = file.tensor(named: full) else {
            throw DiptychError(.mismatch, "\(name): no tensor '\(full)', which a network of the kind \(description.architecture.name) has")
        }
        guard stored.shape == tensor.shape else {
            throw DiptychError(.mismatch, "\(name): tensor '\(full)' has the shape \(shapeText(stored.shape)), but \(shapeText(tensor.shape)) is needed")
        }
        return stored
    }

    /// The description of a file without metadata, such as a bare state_dict: square images of even size are taken for
    /// granted.
    private static func guess(_ file: SafetensorsFile, name: String) throws(DiptychError) -> NetworkDescription {
        func extent(_ tensor: String, _ axis: Int) throws(DiptychError) -> Int {
            guard let shape = file.tensor(named: tensor)?.shape, shape.count > axis, shape[axis] > 0 else {
                throw DiptychError(.mismatch, "\(name): no metadata, and no tensor '\(tensor)' to tell the network's shape from")
            }
            return shape[axis]
        }
        func root(_ pixels: Int) throws(DiptychError) -> Int {
            for side in 1 ... NetworkDescription.sizes.upperBound where side * side == pixels { return side }
            throw DiptychError(.mismatch, "\(name): no metadata, and \(pixels) is no square number of pixels to tell the images' size from")
        }
        var d = NetworkDescription()
        if file.tensor(named: "l1.weight") != nil {
            d.architecture = .mlp
            d.height = try root(extent("l1.weight", 1))
            d.mlpWidth1 = try extent("l1.weight", 0)
            d.mlpWidth2 = try extent("l2.weight", 0)
        } else {
            d.architecture = file.tensor(named: "cl2b.weight") != nil ? .rws : .siamese
            d.channels = try extent("cl1.weight", 0)
            d.height = 2 * (try root(extent("fc1.weight", 1) / d.channels))
        }
        d.width = d.height
        d.fc1Width = try extent("fc1.weight", 0)
        d.fc2Width = try extent("fc2.weight", 0)
        d.classes = try extent("fc3.weight", 0)
        d.headWidth = try extent("fc4.weight", 0)
        return d
    }
}

func shapeText(_ shape: [Int]) -> String {
    var result = "["
    for (index, extent) in shape.enumerated() { result += (index > 0 ? ", " : "") + "\(extent)" }
    return result + "]"
}

/// Typed reading of a file's metadata; what is missing or wrong is `corrupt`.
struct Metadata {
    let file: SafetensorsFile
    let name: String

    func has(_ key: String) -> Bool { file.value(for: key) != nil }

    func text(_ key: String) throws(DiptychError) -> String {
        guard let value = file.value(for: key) else { throw DiptychError(.corrupt, "\(name): no '\(key)' in the metadata") }
        return value
    }

    private func wrong(_ key: String, _ value: String, _ what: StaticString) -> DiptychError {
        DiptychError(.corrupt, "\(name): '\(key)' in the metadata is '\(value)', but must be \(what)")
    }

    func double(_ key: String) throws(DiptychError) -> Double {
        let value = try text(key)
        guard let number = ExactText.decode(value) else { throw wrong(key, value, "a finite number") }
        return number
    }

    func float(_ key: String) throws(DiptychError) -> Float {
        let number = Float(try double(key))
        guard number.isFinite else { throw wrong(key, try text(key), "a finite number") }
        return number
    }

    /// A whole number of at most 15 digits.
    func integer(_ key: String) throws(DiptychError) -> Int {
        let number = try double(key)
        guard let whole = Int(exactly: number), abs(number) < 1e15 else { throw wrong(key, try text(key), "a whole number") }
        return whole
    }

    func word(_ key: String) throws(DiptychError) -> UInt64 {
        let value = try text(key)
        guard let word = ExactText.decodeHex(value) else { throw wrong(key, value, "16 hexadecimal digits") }
        return word
    }

    func choice<T>(_ key: String, _ choices: [T], _ name: (T) -> StaticString) throws(DiptychError) -> T {
        let value = try text(key)
        for choice in choices where sameBytes(value, "\(name(choice))") { return choice }
        throw wrong(key, value, "one of the known names")
    }

    func description() throws(DiptychError) -> NetworkDescription {
        var d = NetworkDescription()
        d.architecture = try choice("architecture", [.siamese, .rws, .mlp]) { $0.name }
        d.height = try integer("height")
        d.width = try integer("width")
        d.classes = try integer("classes")
        d.channels = try integer("channels")
        d.fc1Width = try integer("fc1_width")
        d.fc2Width = try integer("fc2_width")
        d.headWidth = try integer("head_width")
        d.mlpWidth1 = try integer("mlp_width1")
        d.mlpWidth2 = try integer("mlp_width2")
        d.dropout = try float("dropout")
        if has("views") { d.views = try integer("views") }
        return d
    }
}
