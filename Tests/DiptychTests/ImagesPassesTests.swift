import Testing

@testable import Diptych

/// The passes over whole images, each against its definition written out.
@Suite struct ImagesPassesTests {
    private func noise(_ height: Int, _ width: Int) throws -> GreyImage<Float> {
        let image = try GreyImage<Float>(height: height, width: width)
        let random = Random(seed: 21, purpose: .shuffle)
        for i in 0 ..< image.pixels.count { image.pixels[i] = 510 * random.uniform(step: 0, index: UInt64(i)) - 255 }
        return image
    }

    @Test(arguments: [(1, 1, 1), (1, 40, 3), (40, 1, 3), (13, 29, 2), (20, 31, 7), (9, 5, 20), (64, 48, 11)])
    func slidingMaximumIsTheHighestNearby(_ height: Int, _ width: Int, _ reach: Int) throws {
        let image = try noise(height, width)
        let highest = try slidingMaximum(of: image, reach: reach), negated = try slidingMaximum(of: image, reach: reach, negated: true)
        for row in 0 ..< height {
            for column in 0 ..< width {
                var most = -Float.infinity, least = Float.infinity
                for y in max(row - reach, 0) ... min(row + reach, height - 1) {
                    for x in max(column - reach, 0) ... min(column + reach, width - 1) {
                        most = max(most, image.pixels[y * width + x])
                        least = min(least, image.pixels[y * width + x])
                    }
                }
                #expect(highest.pixels[row * width + column] == most)
                #expect(negated.pixels[row * width + column] == -least)
            }
        }
    }

    /// 1e-4 of 255: sums of at most 64 floats.
    @Test(arguments: [(1, 1, 1), (12, 20, 2), (13, 23, 3), (17, 16, 8), (5, 40, 5)])
    func shrinkingTakesMeansOfSquares(_ height: Int, _ width: Int, _ factor: Int) throws {
        let image = try noise(height, width), small = try shrink(image, by: factor)
        #expect(small.height == height / factor && small.width == width / factor)
        for row in 0 ..< small.height {
            for column in 0 ..< small.width {
                var sum = 0.0
                for y in 0 ..< factor {
                    for x in 0 ..< factor { sum += Double(image.pixels[(row * factor + y) * width + column * factor + x]) }
                }
                #expect(abs(Double(small.pixels[row * small.width + column]) - sum / Double(factor * factor)) < 1e-4)
            }
        }
    }

    @Test func histogramsAgreeWithSorting() throws {
        let image = try noise(37, 53)
        var histogram = try Histogram()
        histogram.add(image)
        let sorted = values(image.pixels).map { max($0, 0) }.sorted(), magnitudes = values(image.pixels).map(abs).sorted()
        for fraction in [0.1, 0.5, 0.6, 0.98] {
            let value = sorted[Int(Double(sorted.count - 1) * fraction)]
            #expect(histogram.quantile(fraction) == (value * 16).rounded(.down) / 16)
        }
        #expect(histogram.medianMagnitude == (magnitudes[(magnitudes.count - 1) / 2] * 16).rounded(.down) / 16)
        #expect(!histogram.isMostly(100))
        for _ in 0 ..< 2000 { histogram.add(100.5) }
        #expect(histogram.isMostly(100))
    }

    /// A digit a tenth of the picture's height is too small once the picture is averaged down, and is looked at closely:
    /// the same canvas as from a picture that was never large. 16: as in `paperDoesNotMatter`.
    @Test func smallDigitsInLargePicturesAreFound() throws {
        let random = Random(seed: 4, purpose: .shuffle)
        for digit in digitFixtures.prefix(4) {
            var picture = Picture(height: 700, width: 900, shade: 220)
            picture.draw(digit.pixels, scale: 3, top: 500, left: 120, ink: 50)
            for i in picture.shades.indices { picture.shades[i] += 3 * (random.uniform(step: 0, index: UInt64(i)) - 0.5) }
            let difference = differenceUpToAPixel(try canvas(picture), digit.pixels)
            #expect(difference < 16)
        }
    }

    /// A digit that fills a large picture, which is averaged down.
    @Test func largePicturesAreRead() throws {
        for digit in digitFixtures.prefix(4) {
            var picture = Picture(height: 900, width: 1100, shade: 220)
            picture.draw(digit.pixels, scale: 20, top: 200, left: 300, ink: 50)
            for row in 0 ..< 900 { for column in 0 ..< 1100 { picture[row, column] *= 1 - 0.3 * Float(row) / 900 } }
            let difference = differenceUpToAPixel(try canvas(picture), digit.pixels)
            #expect(difference < 16)
        }
    }
}
