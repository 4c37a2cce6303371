import Testing

@testable import Diptych

/// Tolerances are mean differences of a canvas' pixels, of 255. Two of the fixture's digits with different labels differ by
/// 40 in the median and by at least 16.9; the same digit moved by one pixel differs by about 20.
@Suite struct ImagesDigitTests {
    /// A 28x28 digit of MNIST keeps its place and shape; strokes are raised to 255 from 252 or more, and specks may go.
    @Test func digitsOfMNISTPassUnchanged() throws {
        for digit in digitFixtures {
            let result = try canvas(digit.pixels, height: 28, width: 28)
            #expect(meanDifference(result, digit.pixels.map(Float.init)) < 0.5)
        }
    }

    @Test func polarityDoesNotMatter() throws {
        for digit in digitFixtures {
            let inverted = digit.pixels.map { 255 - $0 }
            let light = try canvas(digit.pixels, height: 28, width: 28)
            #expect(try canvas(inverted, height: 28, width: 28) == light)
            #expect(try canvas(digit.pixels, height: 28, width: 28, polarity: .lightInk) == light)
            #expect(try canvas(inverted, height: 28, width: 28, polarity: .darkInk) == light)
        }
    }

    @Test func theWrongPolarityIsBlank() {
        let digit = digitFixtures[0].pixels
        #expect(status { () throws(DiptychError) in _ = try canvas(digit, height: 28, width: 28, polarity: .darkInk) } == .blankImage)
    }

    @Test(arguments: [(0, 0), (3, 17), (50, 31), (60, 90)])
    func placeDoesNotMatter(_ top: Int, _ left: Int) throws {
        for digit in digitFixtures.prefix(5) {
            var centred = Picture(height: 200, width: 240, shade: 255), moved = centred
            centred.draw(digit.pixels, scale: 4, top: 44, left: 64, ink: 0)
            moved.draw(digit.pixels, scale: 4, top: top, left: left, ink: 0)
            #expect(try canvas(moved) == canvas(centred))
        }
    }

    /// 14: interpolation and area means blur the edges of strokes; other digits differ by more.
    @Test(arguments: [1, 2, 3, 5, 8])
    func sizeDoesNotMatter(_ scale: Int) throws {
        for digit in digitFixtures.prefix(8) {
            var picture = Picture(height: 30 * scale, width: 40 * scale, shade: 255)
            picture.draw(digit.pixels, scale: scale, top: scale, left: 5 * scale, ink: 0)
            let difference = differenceUpToAPixel(try canvas(picture), digit.pixels)
            #expect(difference < 14)
        }
    }

    @Test func contrastDoesNotMatter() throws {
        for digit in digitFixtures {
            var picture = Picture(height: 120, width: 120, shade: 200)
            picture.draw(digit.pixels, scale: 4, top: 4, left: 4, ink: 170)
            let difference = differenceUpToAPixel(try canvas(picture), digit.pixels)
            #expect(difference < 14)
        }
    }

    /// What a phone makes of a page: light from one side, noise, a shadow's edge, ink that is not black.
    @Test(arguments: ["gradient", "noise", "shadow", "frame", "table", "specks", "ruled", "blackboard"])
    func paperDoesNotMatter(_ kind: String) throws {
        let random = Random(seed: 3, purpose: .shuffle)
        for (number, digit) in digitFixtures.prefix(4).enumerated() {
            let dark = kind != "blackboard"
            var picture = Picture(height: 220, width: 260, shade: dark ? 215 : 50)
            if kind == "specks" {
                for i in 0 ..< 12 {
                    let row = Int(random.uniform(step: 1, index: UInt64(i)) * 215), column = Int(random.uniform(step: 2, index: UInt64(i)) * 255)
                    picture.fill(rows: row ..< row + 3, columns: column ..< column + 3, ink: 60)
                }
            }
            if kind == "ruled" {
                for row in stride(from: 15, to: 220, by: 45) { picture.fill(rows: row ..< row + 2, columns: 0 ..< 260, ink: 180) }
            }
            picture.draw(digit.pixels, scale: 5, top: 40, left: 60, ink: dark ? 55 : 200)
            for row in 0 ..< 220 {
                for column in 0 ..< 260 {
                    let index = UInt64(row * 260 + column)
                    var shade = picture[row, column]
                    if kind == "gradient" || kind == "blackboard" { shade *= 1 - 0.5 * Float(column) / 260 - 0.2 * Float(row) / 220 }
                    if kind == "shadow" && 2 * row + column > 560 { shade *= 0.75 }
                    let amplitude: Float = kind == "noise" ? 60 : 8
                    shade += amplitude * (random.uniform(step: UInt32(10 + number), index: index) - 0.5)
                    picture[row, column] = shade
                }
            }
            if kind == "frame" {
                for (rows, columns) in [(0 ..< 4, 0 ..< 260), (216 ..< 220, 0 ..< 260), (0 ..< 220, 0 ..< 4), (0 ..< 220, 256 ..< 260)] {
                    picture.fill(rows: rows, columns: columns, ink: 20)
                }
            }
            if kind == "table" { picture.fill(rows: 0 ..< 7, columns: 0 ..< 260, ink: 40) }
            let difference = differenceUpToAPixel(try canvas(picture), digit.pixels)
            #expect(difference < 16, "digit \(number)")
        }
    }

    @Test func inkMayTouchTheBorder() throws {
        // A bar from top to bottom, on the left edge: 20 pixels high in the canvas, its centre in the middle.
        var picture = Picture(height: 60, width: 40, shade: 255)
        picture.fill(rows: 0 ..< 60, columns: 0 ..< 12, ink: 0)
        let result = try canvas(picture)
        let rows = (0 ..< 28).filter { row in (0 ..< 28).contains { result[row * 28 + $0] > 0 } }
        let columns = (0 ..< 28).filter { column in (0 ..< 28).contains { result[$0 * 28 + column] > 0 } }
        #expect(rows == Array(4 ..< 24))
        #expect(columns == Array(12 ..< 16))
        // The same when cropped to a margin of one pixel, where nearly all is ink.
        var tight = Picture(height: 62, width: 14, shade: 255)
        tight.fill(rows: 1 ..< 61, columns: 1 ..< 13, ink: 0)
        #expect(try canvas(tight, polarity: .darkInk) == result)
    }

    @Test(arguments: [(1, 1), (1, 300), (300, 1), (28, 28), (40, 1500)])
    func blankImagesAreNamed(_ height: Int, _ width: Int) {
        for polarity: ImageOptions.Polarity in [.auto, .darkInk, .lightInk] {
            for shade: Float in [0, 128, 255] {
                let picture = Picture(height: height, width: width, shade: shade)
                #expect(status { () throws(DiptychError) in _ = try canvas(picture, polarity: polarity) } == .blankImage)
            }
        }
    }

    @Test func noiseAloneIsBlank() {
        let random = Random(seed: 5, purpose: .shuffle)
        for amplitude: Float in [6, 20, 60] {
            var picture = Picture(height: 150, width: 150, shade: 180)
            for i in picture.shades.indices { picture.shades[i] += amplitude * (random.uniform(step: 0, index: UInt64(i)) - 0.5) }
            #expect(status { () throws(DiptychError) in _ = try canvas(picture) } == .blankImage)
        }
    }

    /// Whatever the pixels: an image or an error, 28x28 finite shades from 0 to 255.
    @Test func anyImageIsAnImageOrAnError() {
        let random = Random(seed: 11, purpose: .shuffle)
        for trial in 0 ..< 300 {
            let step = UInt32(trial)
            let height = 1 + Int(random.uniform(step: step, index: 0) * 40), width = 1 + Int(random.uniform(step: step, index: 1) * 40)
            let levels = 2 + Float(trial % 7) * 40
            var picture = Picture(height: height, width: width, shade: 0)
            for i in picture.shades.indices {
                picture.shades[i] = (random.uniform(step: step, index: UInt64(i + 2)) * levels).rounded(.down) * 255 / levels
            }
            do throws(DiptychError) {
                let result = try canvas(picture)
                #expect(result.count == 784 && result.allSatisfy { $0 >= 0 && $0 <= 255 })
            } catch {
                #expect(error.status == .blankImage)
            }
        }
    }

    @Test func plainModeOnlyResamples() throws {
        let pixels: [UInt8] = [10, 20, 30, 40, 50, 60, 70, 80]
        try withTemporaryFile(nil) { path in
            try writePNG(pixels, height: 2, width: 4, path: path)
            var options = ImageOptions()
            options.mode = .plain
            options.height = 1
            options.width = 2
            #expect(values(try loadPNG(path: path, options: options)) == [35, 55])
            options.polarity = .darkInk
            #expect(values(try loadPNG(path: path, options: options)) == [220, 200])
        }
    }

    @Test func digitModeAveragesItsCanvas() throws {
        let digit = digitFixtures[0]
        try withTemporaryFile(nil) { path in
            try writePNG(digit.pixels, height: 28, width: 28, path: path)
            let canvas = try loadPNGCanvas(path: path, options: ImageOptions())
            let image = try loadPNG(path: path, options: ImageOptions())
            #expect(canvas.count == 784 && image.count == 196)
            var pooled = [Float](repeating: 0, count: 196)
            resampleByArea(canvas.pointer, height: 28, width: 28, into: &pooled, height: 14, width: 14)
            #expect(values(image) == pooled)
        }
    }
}
