@testable import Diptych
import Testing

/// The search for a value that is not finite, which predictions, pairs and model files go through.
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

    @Test func bytesBecomeTheirNumbers() {
        let bytes = (0 ..< 261).map { UInt8(truncatingIfNeeded: $0) }
        for count in [0, 1, 7, 8, 9, 16, 255, 256, 261] {
            var floats = [Float](repeating: -1, count: 270)
            convert(bytes, count, to: &floats)
            #expect(floats == (0 ..< 270).map { $0 < count ? Float(bytes[$0]) : -1 }, "\(count)")
        }
    }
}
