@testable import Diptych
import Testing

/// The search for a value that is not finite, which predictions, pairs and weights go through, and that in a model file.
@Suite struct FiniteTests {
    @Test(arguments: [Float.nan, -Float.nan, .infinity, -.infinity, .signalingNaN]) func theFirstIsFound(_ bad: Float) {
        for count in 0 ... 70 {
            // The largest and smallest values there are, and both zeros, are finite.
            let extremes: [Float] = [.greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0, 0, 1]
            let good = (0 ..< count).map { extremes[$0 % extremes.count] }
            var values = good
            #expect(indexOfNotFinite(values, count) == nil, "\(count) values")
            for place in values.indices {
                values[place] = bad
                if place > 0 { values[count - 1] = bad }
                #expect(indexOfNotFinite(values, count) == place, "\(place) of \(count)")
                values = good
            }
        }
    }

    /// A file's values are not read in its order; the first in its order is named all the same.
    @Test func theFirstInAModelFileIsNamed() throws {
        let model = try Model(.tiny(.siamese), seed: 3), name = "fc1.weight", inputs = try #require(model.network.tensor(named: name)).shape[1]
        for (places, named) in [([5, inputs], 5), ([inputs, 2 * inputs + 1], inputs), ([2 * inputs - 1], 2 * inputs - 1)] {
            var bytes = try model.encoded().array
            let data = 8 + bytes.prefix(8).reversed().reduce(0) { 256 * $0 + Int($1) }
            let tensor = try bytes.withUnsafeBytes { try #require(SafetensorsFile.parse(bytes: $0, name: "FILE").tensor(named: name)).offsets }
            for place in places {
                let start = data + tensor.lowerBound + 4 * place
                bytes.replaceSubrange(start ..< start + 4, with: [0, 0, 0x80, 0x7F])
            }
            expectError(.corrupt, "value \(named) of tensor '\(name)' is inf") {
                _ = try bytes.withUnsafeBytes { try Model.load(bytes: $0, name: "FILE") }
            }
        }
    }

    @Test func bytesBecomeTheirNumbers() {
        let bytes = (0 ..< 261).map { UInt8(truncatingIfNeeded: $0) }
        for count in [0, 1, 7, 8, 9, 16, 255, 256, 261] {
            var floats = [Float](repeating: -1, count: 270)
            convert(bytes, count, to: &floats)
            #expect(floats == (0 ..< 270).map { $0 < count ? Float(bytes[$0]) : -1 }, "\(count)")
        }
    }
}
