import Testing

/// The fixtures themselves: that Swift's weights and inputs are PyTorch's, to the bit.
@Suite struct TorchFixtureTests {
    @Test(arguments: TorchFixture.all)
    func weightsAndInputsAreTheOnesThatPyTorchHad(_ fixture: TorchFixture) {
        for (index, tensor) in fixture.tensors.enumerated() {
            let checksum = fixture.weights(index).withUnsafeBufferPointer { TorchFixture.checksum($0) }
            #expect(checksum == tensor.checksum, "\(tensor.name)")
        }
        let checksum = fixture.inputs.withUnsafeBufferPointer { TorchFixture.checksum($0) }
        #expect(checksum == fixture.inputsChecksum)
    }

    @Test(arguments: TorchFixture.all)
    func everyTensorHasAGradientOfItsSize(_ fixture: TorchFixture) {
        #expect(fixture.losses.map(\.lossRatio) == [0.7, 0])
        for loss in fixture.losses {
            #expect(loss.gradients.map(\.name) == fixture.tensors.map(\.name))
            #expect(loss.gradients.map(\.size) == fixture.tensors.map(\.count))
        }
    }

    @Test(arguments: [("siamese", 115_147), ("rws", 128_555), ("mlp", 11_177_227)])
    func thePresetsHaveTheReportsParameterCounts(_ name: String, _ parameters: Int) throws {
        let shapes = try #require(TorchFixture.stateDict[name])
        #expect(shapes.values.map { $0.reduce(1, *) }.reduce(0, +) == parameters)
        let tensors = TorchFixture.named(name).tensors
        #expect(Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.shape) }) == shapes)
    }

    /// The comparison notices one wrong element, a wrong sign and a wrong size.
    @Test func aWrongGradientIsFarAway() throws {
        let gradient = try #require(TorchFixture.named("siamese-8x8").losses[0].gradients.first { $0.name == "cl2.weight" })
        var values = TorchFixture.numbers(gradient.offset, gradient.count)
        #expect(gradient.difference(from: values) < 1e-6)
        #expect(gradient.difference(from: values.map { -$0 }) > 1)
        #expect(gradient.difference(from: Array(values.dropLast())) == .infinity)
        values[77] += 1
        #expect(gradient.difference(from: values) > 1e-2)
        values[77] = .nan
        #expect(gradient.difference(from: values) == .infinity)
    }
}
