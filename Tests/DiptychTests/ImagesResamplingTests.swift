import Testing

@testable import Diptych

@Suite struct ImagesResamplingTests {
    private func resampled(_ source: [Float], _ height: Int, _ width: Int, to newHeight: Int, _ newWidth: Int) -> [Float] {
        var result = [Float](repeating: -1, count: newHeight * newWidth)
        resampleByArea(source, height: height, width: width, into: &result, height: newHeight, width: newWidth)
        return result
    }

    private func noise(_ count: Int) -> [Float] {
        let random = Random(seed: 7, purpose: .shuffle)
        return (0 ..< count).map { 255 * random.uniform(step: 0, index: UInt64($0)) }
    }

    @Test func halvingIsTheMeanOfTwoByTwo() {
        for digit in digitFixtures {
            var result = [Float](repeating: 0, count: 196)
            resampleByArea(digit.pixels, height: 28, width: 28, into: &result, height: 14, width: 14)
            let expected = (0 ..< 196).map { i in
                let corner = i / 14 * 56 + i % 14 * 2
                return [0, 1, 28, 29].reduce(Float(0)) { $0 + Float(digit.pixels[corner + $1]) } / 4
            }
            #expect(result == expected)
        }
    }

    @Test func sameSizeIsACopy() {
        let source = noise(31 * 17)
        #expect(resampled(source, 31, 17, to: 31, 17) == source)
    }

    @Test func wholeFactorsRepeatPixels() {
        #expect(resampled([1, 2, 3, 4], 2, 2, to: 4, 6) == [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4])
        #expect(resampled([9], 1, 1, to: 3, 3) == Array(repeating: 9, count: 9))
    }

    @Test func partsOfPixelsCountByTheirArea() {
        // Three pixels to two: each result covers one and a half.
        #expect(resampled([0, 30, 60], 1, 3, to: 1, 2) == [10, 50])
    }

    /// Relative 1e-6: a mean of floats, each rounded once to 24 bits.
    @Test(arguments: [(7, 5, 3, 4), (28, 28, 9, 31), (1, 50, 7, 7), (13, 1, 2, 3), (100, 60, 1, 1), (5, 5, 256, 1)])
    func keepsTheMean(_ height: Int, _ width: Int, _ newHeight: Int, _ newWidth: Int) {
        let source = noise(height * width)
        let result = resampled(source, height, width, to: newHeight, newWidth)
        let before = source.reduce(0.0) { $0 + Double($1) } / Double(source.count)
        let after = result.reduce(0.0) { $0 + Double($1) } / Double(result.count)
        #expect(abs(before - after) <= 1e-6 * before)
        #expect(result.allSatisfy { $0 >= 0 && $0 <= 255 })
    }
}
