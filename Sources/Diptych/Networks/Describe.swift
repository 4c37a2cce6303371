extension Model {
    /// A JSON object: what diptych_model_describe documents.
    public var descriptionJSON: String {
        let d = description
        var json = JSONWriter()
        json.object { json in
            d.writeMembers(to: &json)
            json.member("decision", "\(decision.name)")
            json.member("mean", Double(mean))
            json.member("standard_deviation", Double(standardDeviation))
            json.member("head_temperature", Double(temperatures.head))
            json.member("class_temperature", Double(temperatures.classes))
            json.array("tensors") { json in
                for (name, shape) in tensorShapes {
                    json.object { json in
                        json.member("name", name)
                        json.member("shape", shape)
                    }
                }
            }
        }
        return json.text
    }
}

extension NetworkDescription {
    /// The same without what only a trained model has.
    public var json: String {
        var json = JSONWriter()
        json.object { self.writeMembers(to: &$0) }
        return json.text
    }

    func writeMembers(to json: inout JSONWriter) {
        json.member("architecture", "\(architecture.name)")
        json.member("height", height)
        json.member("width", width)
        json.member("classes", classes)
        json.member("parameters", parameterCount)
        json.member("multiply_adds", multiplyAdds)
        json.member("dropout", Double(dropout))
        json.member("views", views)
        json.array("layers") { json in
            for row in self.table {
                json.object { json in
                    json.member("name", row.name)
                    json.member("kind", row.kind)
                    json.member("input", row.input)
                    json.member("output", row.output)
                    json.member("parameters", row.parameters)
                    json.member("multiply_adds", row.multiplyAdds)
                }
            }
        }
    }

    /// One line of the table that `diptych describe` prints.
    public struct TableRow {
        public let name: String
        public let kind: String
        /// Shapes as PyTorch's, without the batch: [channels, height, width] or [features].
        public let input: [Int]
        public let output: [Int]
        public let parameters: Int
        /// For one image, or in the head for one pair.
        public let multiplyAdds: Int
    }

    public var table: [TableRow] {
        (branch + head).map { layer in
            var kind: String, input = [layer.inputs], output = [layer.outputs]
            switch layer.kind {
            case .convolution(let height, let width):
                kind = "convolution 3x3"
                input += [height, width]
                output += layer.pool ? [height / 2, width / 2] : [height, width]
            case .dense:
                kind = "dense"
            }
            if layer.relu { kind += ", ReLU" }
            if layer.pool { kind += ", max-pool 2x2" }
            if layer.dropout { kind += ", dropout" }
            if layer.separate { kind += ", one for each image" }
            return TableRow(name: "\(layer.name)", kind: kind, input: input, output: output, parameters: layer.parameters,
                            multiplyAdds: layer.multiplyAdds)
        }
    }
}
