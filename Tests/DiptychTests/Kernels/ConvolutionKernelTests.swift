import CDiptychPlatform
import DiptychReference
import Testing

/// Both convolutions, forward and back, in every instruction set, against Sources/DiptychReference.
@Suite struct ConvolutionKernelTests {
    /// Odd, even, small, not square, and each number of channels; the largest are kept short for time. The first 32 tiles of 22x22 are
    /// odd in number of each kind.
    static let shapes: [dp_conv_shape] = {
        var random = Keyed(1)
        var shapes = [dp_conv_shape(height: 14, width: 14, channels: 32), dp_conv_shape(height: 4, width: 5, channels: 8),
                      dp_conv_shape(height: 7, width: 4, channels: 16), dp_conv_shape(height: 40, width: 11, channels: 8),
                      dp_conv_shape(height: 28, width: 28, channels: 16), dp_conv_shape(height: 33, width: 32, channels: 8),
                      dp_conv_shape(height: 22, width: 22, channels: 8)]
        for channels in [8, 16, 24, 32, 40, 64] {
            for _ in 0 ..< 2 {
                let largest = channels > 24 ? 16 : 40
                shapes.append(dp_conv_shape(height: Int.random(in: 4 ... largest, using: &random),
                                            width: Int.random(in: 4 ... largest, using: &random), channels: channels))
            }
        }
        return shapes
    }()

    /// `values` (height x width x depth) inside a border of zeros, image after image.
    static func bordered(_ shape: dp_conv_shape, _ values: [Float], depth: Int) -> [Float] {
        let image = shape.height * shape.width * depth, line = (shape.width + 2) * depth
        var result = zeros(values.count / image * (shape.height + 2) * line)
        for (index, value) in values.enumerated() {
            let y = index / (shape.width * depth), place = index % (shape.width * depth)
            let row = y / shape.height * (shape.height + 2) + y % shape.height + 1
            result[row * line + depth + place] = value
        }
        return result
    }

    /// Whether each float of a bordered image lies inside.
    static func inside(_ shape: dp_conv_shape, depth: Int) -> [Bool] {
        bordered(shape, [Float](repeating: 1, count: shape.height * shape.width * depth), depth: depth).map { $0 == 1 }
    }

    static func whole(_ shape: dp_conv_shape) -> dp_area { dp_area(top: 0, bottom: Int32(shape.height), left: 0, right: Int32(shape.width)) }

    /// All of an image, nothing, or any part of it.
    static func areas(_ shape: dp_conv_shape, _ random: inout Keyed) -> [dp_area] {
        func part(_ size: Int) -> (Int32, Int32) {
            let first = 2 * Int.random(in: 0 ..< size / 2, using: &random)
            return (Int32(first), Int32(min(first + 2 * Int.random(in: 1 ... size / 2 + 1, using: &random), size)))
        }
        let rows = part(shape.height), columns = part(shape.width)
        return [whole(shape), dp_area(), dp_area(top: rows.0, bottom: rows.1, left: columns.0, right: columns.1)]
    }

    /// Whether each float of a bordered image lies in `area`.
    static func inside(_ shape: dp_conv_shape, _ area: dp_area, depth: Int) -> [Bool] {
        bordered(shape, (0 ..< shape.height * shape.width * depth).map { place in
            let pixel = place / depth, y = pixel / shape.width, x = pixel % shape.width
            return y >= area.top && y < area.bottom && x >= area.left && x < area.right ? 1 : 0
        }, depth: depth).map { $0 == 1 }
    }

    /// A bordered image with something else beside `area`; the border stays as it is.
    static func only(_ shape: dp_conv_shape, _ area: dp_area, _ image: [Float], elsewhere: Float) -> [Float] {
        let c = shape.channels
        return zip(image, zip(inside(shape, area, depth: c), inside(shape, depth: c))).map { $1.0 || !$1.1 ? $0 : elsewhere }
    }

    // MARK: cl1

    @Test(arguments: KernelTable.all) func first(_ table: KernelTable) {
        var random = Keyed(2)
        for shape in Self.shapes {
            let c = shape.channels
            let inputs = [Self.bordered(shape, random.floats(shape.height * shape.width, -1 ... 3), depth: 1),
                          random.floats(9 * c), random.floats(c)]
            let act = unwritten((shape.height + 2) * (shape.width + 2) * c)
            func reference(_ inputs: [[Float]]) -> [Float] {
                call(inputs, [act]) { Reference.convolveFirst(shape, x: $0[0], weights: $0[1], bias: $0[2], act: $1[0]) }[0]
            }
            let expected = reference(inputs), magnitude = reference(inputs.map(absolute)), border = Self.inside(shape, depth: c).map { !$0 }
            for area in Self.areas(shape, &random) {
                let actual = call(inputs, [act]) { table.kernels.conv_first(shape, area, $0[0], $0[1], $0[2], $1[0]) }[0]
                let counts = zip(Self.inside(shape, area, depth: c), border).map { $0 || $1 }
                func cut(_ values: [Float]) -> [Float] { zip(values, counts).filter { $1 }.map { $0.0 } }
                // Nine products and the bias, and the reference's own rounding.
                #expect(worst(cut(actual), cut(expected), magnitude: cut(magnitude), roundings: 11) <= 1, "\(shape) \(area)")
            }
        }
    }

    @Test(arguments: KernelTable.all) func firstBackward(_ table: KernelTable) {
        var random = Keyed(3)
        for shape in Self.shapes {
            let c = shape.channels, count = shape.height * shape.width
            // Half of the activations are zero, as after ReLU.
            let inputs = [Self.bordered(shape, random.floats(count, -1 ... 3), depth: 1),
                          Self.bordered(shape, random.floats(count * c).map { max($0, 0) }, depth: c)]
            let gradients = random.floats(inputs[1].count), sums = [random.floats(9 * c), random.floats(c)]
            func reference(_ inputs: [[Float]], _ sums: [[Float]]) -> [[Float]] {
                call(inputs, sums) {
                    Reference.convolveFirstBackward(shape, x: $0[0], act: $0[1], gradient: $0[2], weightGradient: $1[0], biasGradient: $1[1])
                }
            }
            for area in Self.areas(shape, &random) {
                // What is beside the area is nobody's, nor is the border's gradient.
                func part(elsewhere: Float) -> [[Float]] {
                    [inputs[0], Self.only(shape, area, inputs[1], elsewhere: elsewhere),
                     zip(gradients, Self.inside(shape, area, depth: c)).map { $1 ? $0 : elsewhere }]
                }
                let actual = call(part(elsewhere: .nan), sums) {
                    table.kernels.conv_first_backward(shape, area, $0[0], $0[1], $0[2], $1[0], $1[1])
                }
                let inputs = part(elsewhere: 0)
                let expected = reference(inputs, sums), magnitude = reference(inputs.map(absolute), sums.map(absolute))
                for i in 0 ..< 2 {
                    // A product for every pixel, the sum before, the reference's own rounding.
                    #expect(worst(actual[i], expected[i], magnitude: magnitude[i], roundings: count + 2) <= 1, "\(shape) \(area) \(i)")
                }
            }
        }
    }

    // MARK: cl2 and pool

    struct Pooled {
        var values: [Float]
        var choice: [UInt8]
    }

    static func windows(_ shape: dp_conv_shape) -> Int { shape.height / 2 * (shape.width / 2) }

    /// The windows of every tile of `images` images that follow one another.
    static func tiles(_ shape: dp_conv_shape, images: Int) -> [[Int]] {
        (0 ..< images).flatMap { image in Reference.tiles(shape).map { $0.map { image * windows(shape) + $0 } } }
    }

    /// The kernel's answer for `images` bordered images, for all tiles or those in `list`.
    static func pool(_ table: KernelTable, _ shape: dp_conv_shape, _ images: Int, list: [Int32]? = nil, act: [Float], weights: [Float],
                     bias: [Float]) -> Pooled {
        let c = shape.channels, all = images * windows(shape)
        let numbers = list ?? tiles(shape, images: images).indices.map { Int32($0) }
        let transformed = call([weights], [unwritten(36 * c * c + 8)]) { table.kernels.winograd_weights(c, $0[0], $1[0]) }[0]
        let choice = Guarded<UInt8>(count: all * c), given = Guarded(numbers)
        let values = call([act, transformed, bias], [unwritten(all * c), unwritten(dp_conv_pool_scratch(c))]) {
            table.kernels.conv_pool(shape, numbers.count, given.pointer, $0[0], $0[1], $0[2], $1[0], choice.pointer, true, $1[1])
        }[0]
        #expect(choice.bandsAreIntact && given.bandsAreIntact && given.values == numbers)
        return Pooled(values: values, choice: choice.values)
    }

    static func referencePool(_ shape: dp_conv_shape, _ images: Int, act: [Float], weights: [Float], bias: [Float]) -> Pooled {
        let list = Array(0 ..< images * windows(shape))
        var choice = [UInt8](repeating: 255, count: list.count * shape.channels)
        let values = call([act, weights, bias], [unwritten(choice.count)]) {
            Reference.convolvePool(shape, windows: list, act: $0[0], weights: $0[1], bias: $0[2], pooled: $1[0], choice: &choice)
        }[0]
        return Pooled(values: values, choice: choice)
    }

    /// The first and the last tile of the largest images: where numbers are divided that are as large as they become.
    @Test(arguments: KernelTable.all) func tilesOfTheLargestImages(_ table: KernelTable) {
        var random = Keyed(13)
        let shape = dp_conv_shape(height: 256, width: 256, channels: 8), each = 258 * 258 * 8, tiles = Reference.tiles(shape)
        let weights = random.floats(8 * 9 * 8), bias = random.floats(8), act = zeros(2 * each).enumerated().map { Float(($0.offset &* 2_654_435_761) % 97) / 97 }
        for number in [0, 63, 64, tiles.count - 1] {
            let both = [number, tiles.count + number]
            let pooled = Self.pool(table, shape, 2, list: both.map { Int32($0) }, act: act, weights: weights, bias: bias)
            for image in 0 ..< 2 {
                let one = Self.pool(table, shape, 1, list: [Int32(number)], act: Array(act[image * each ..< (image + 1) * each]), weights: weights, bias: bias)
                for window in tiles[number] {
                    let place = (image * Self.windows(shape) + window) * 8
                    #expect(bits(Array(pooled.values[place ..< place + 8])) == bits(Array(one.values[8 * window ..< 8 * window + 8])))
                    #expect(!pooled.values[place].isNaN, "tile \(number) of image \(image) is not written")
                }
            }
        }
    }

    @Test(arguments: KernelTable.all) func liveTiles(_ table: KernelTable) {
        var random = Keyed(10)
        for shape in Self.shapes + [58, 60, 61, 62, 63, 64, 65, 118, 120, 121, 255, 256].map({ dp_conv_shape(height: 7, width: $0, channels: 8) }) {
            let background = Float(-0.42)
            for blank in [1, 0.99, 0.9, 0.5, 0] {
                // Background with a few other pixels, the smallest difference among them; the border is no background.
                let pixels = (0 ..< shape.height * shape.width).map { _ in
                    Double.random(in: 0 ..< 1, using: &random) < blank ? background : Bool.random(using: &random) ? background.nextUp : 1
                }
                let x = Self.bordered(shape, pixels, depth: 1), list = Guarded<Int32>(count: Reference.tiles(shape).count)
                var expected = [Int32](repeating: -1, count: list.count)
                var count = 0, reference = 0
                _ = call([x], []) { input, _ in
                    count = table.kernels.live_tiles(shape, input[0], background, list.pointer)
                    reference = Reference.liveTiles(shape, x: input[0], background: background, list: &expected)
                }
                #expect(count == reference && list.bandsAreIntact, "\(shape)")
                #expect(Array(list.values.prefix(count)) == Array(expected.prefix(reference)), "\(shape)")
                if blank == 1 { #expect(count == 0) }
                if blank == 0 { #expect(count == list.count) }
            }
        }
    }

    /// Each second, third or any tile listed, or all of them.
    static func lists(_ shape: dp_conv_shape, _ random: inout Keyed) -> [[Int32]] {
        let all = Reference.tiles(shape).indices.map { Int32($0) }
        return [all, [], all.filter { $0 % 2 == 0 }, all.filter { $0 % 3 == 1 }, all.filter { _ in Int.random(in: 0 ..< 4, using: &random) == 0 },
                all.filter { _ in Int.random(in: 0 ..< 4, using: &random) > 0 }]
    }

    /// A list's windows in runs, and what follows from these.
    struct Runs {
        let runs: [dp_run]
        let area: dp_area
        let features: [Int32]
        let corners: [Int32]

        init(_ shape: dp_conv_shape, _ list: [Int32]) {
            let runs = Guarded<dp_run>(count: dp_runs_capacity(shape)), capacity = dp_windows_capacity(shape)
            var area = dp_area(top: -1, bottom: -1, left: -1, right: -1)
            let count = dp_window_runs(shape, list.count, list, runs.pointer, &area)
            let features = Guarded<Int32>(count: capacity), corners = Guarded<Int32>(count: capacity)
            var windows = dp_windows(count: -1, features: features.pointer, corners: corners.pointer)
            dp_run_windows(shape, count, runs.pointer, &windows)
            #expect(runs.bandsAreIntact && features.bandsAreIntact && corners.bandsAreIntact)
            self.runs = Array(runs.values.prefix(count))
            self.area = area
            // A vector more is there to be read.
            let filled = windows.count == 0 ? 0 : windows.count + Int(DP_POOL_OVERRUN)
            #expect(features.values[windows.count ..< filled].allSatisfy { $0 == features.values[windows.count - 1] })
            #expect(corners.values[windows.count ..< filled].allSatisfy { $0 == corners.values[windows.count - 1] })
            self.features = Array(features.values.prefix(windows.count))
            self.corners = Array(corners.values.prefix(windows.count))
        }

        /// With a vector more of the last.
        func padded(_ places: [Int32]) -> [Int32] { places + (places.last.map { [Int32](repeating: $0, count: Int(DP_POOL_OVERRUN)) } ?? []) }
    }

    @Test func windowRuns() {
        var random = Keyed(11)
        for shape in Self.shapes + [dp_conv_shape(height: 26, width: 34, channels: 8), dp_conv_shape(height: 9, width: 255, channels: 8)] {
            let tiles = Reference.tiles(shape), columns = shape.width / 2
            for list in Self.lists(shape, &random) {
                let windows = list.flatMap { tiles[Int($0)] }.sorted(), found = Runs(shape, list)
                #expect(found.features == windows.map { Int32($0 * shape.channels) }, "\(shape)")
                #expect(found.corners == windows.map { window in
                    Int32(((window / columns * 2) * (shape.width + 2) + window % columns * 2) * shape.channels)
                }, "\(shape)")
                #expect(found.runs.allSatisfy { $0.count > 0 && Int($0.first) % columns + Int($0.count) <= columns })
                // The pixels beside the windows, from an even one to an even one.
                let rows = windows.map { $0 / columns }, across = windows.map { $0 % columns }
                func expected(_ windows: [Int], _ size: Int) -> [Int32] {
                    guard let least = windows.min(), let most = windows.max() else { return [0, 0] }
                    return [Int32(max(2 * least - 2, 0)), Int32(min(2 * most + 4, size))]
                }
                #expect([found.area.top, found.area.bottom] == expected(rows, shape.height), "\(shape)")
                #expect([found.area.left, found.area.right] == expected(across, shape.width), "\(shape)")
            }
        }
    }

    @Test func blankWindows() {
        var random = Keyed(12)
        for shape in Self.shapes {
            let c = shape.channels, count = Self.windows(shape) * c, tiles = Reference.tiles(shape)
            for list in Self.lists(shape, &random) {
                let listed = Set(list.flatMap { tiles[Int($0)] }), found = Runs(shape, list)
                let blank = random.floats(count), own = random.floats(count), choices = Guarded([UInt8](repeating: 7, count: count))
                let blankChoices = (0 ..< count).map { UInt8($0 % 4) }
                let copied = call([blank], [own]) {
                    dp_copy_blank(shape, found.runs.count, found.runs, $0[0], blankChoices, $1[0], choices.pointer)
                }[0]
                let added = call([blank], [own]) { dp_add_blank(shape, found.runs.count, found.runs, $0[0], $1[0]) }[0]
                func isListed(_ place: Int) -> Bool { listed.contains(place / c) }
                #expect(bits(copied) == bits(own.indices.map { isListed($0) ? own[$0] : blank[$0] }), "\(shape)")
                #expect(choices.bandsAreIntact && choices.values == own.indices.map { isListed($0) ? 7 : blankChoices[$0] }, "\(shape)")
                #expect(bits(added) == bits(own.indices.map { isListed($0) ? own[$0] : own[$0] + blank[$0] }), "\(shape)")
            }
        }
    }

    /// Any list of tiles, in any order, gives each tile's windows the bits that it has among all; the others are not written.
    @Test(arguments: KernelTable.all) func aTileDoesNotDependOnTheOthers(_ table: KernelTable) {
        var random = Keyed(20)
        for shape in Self.shapes {
            let c = shape.channels, images = 2, tiles = Self.tiles(shape, images: images), all = tiles.count
            let act = Self.bordered(shape, random.floats(images * shape.height * shape.width * c), depth: c)
            let weights = random.floats(9 * c * c), bias = random.floats(c)
            let whole = Self.pool(table, shape, images, act: act, weights: weights, bias: bias)
            for count in Set([1, 2, 7, all / 2, all - 1]) where count > 0 && count < all {
                let list = Array((0 ..< Int32(all)).shuffled(using: &random).prefix(count))
                let part = Self.pool(table, shape, images, list: list, act: act, weights: weights, bias: bias)
                let listed = Set(list.flatMap { tiles[Int($0)] })
                #expect(part.values.indices.allSatisfy { at in
                    listed.contains(at / c) ? part.values[at].bitPattern == whole.values[at].bitPattern && part.choice[at] == whole.choice[at]
                        : part.values[at].bitPattern == .max && part.choice[at] == 255
                }, "\(shape) \(count)")
            }
        }
        let none = Self.pool(table, Self.shapes[0], 1, list: [], act: zeros(16 * 16 * 32), weights: zeros(9 * 1024), bias: zeros(32))
        #expect(none.choice.allSatisfy { $0 == 255 })
    }

    /// A last eight of channels has products of its own: they sum in the others' order.
    @Test(arguments: KernelTable.all) func aLastEightHasTheBitsOfTheFirst(_ table: KernelTable) {
        var random = Keyed(21)
        for shape in Self.shapes + [dp_conv_shape(height: 14, width: 14, channels: 24)] where shape.channels % 16 == 8 && shape.channels > 8 {
            let c = shape.channels, filters = 8 * 9 * c
            let act = Self.bordered(shape, random.floats(shape.height * shape.width * c), depth: c)
            var weights = random.floats(9 * c * c), bias = random.floats(c)
            weights.replaceSubrange((weights.count - filters)..., with: weights[..<filters])
            bias.replaceSubrange((c - 8)..., with: bias[..<8])
            let pooled = Self.pool(table, shape, 1, act: act, weights: weights, bias: bias)
            for window in 0 ..< Self.windows(shape) {
                let first = window * c, last = first + c - 8
                #expect(bits(Array(pooled.values[first ..< first + 8])) == bits(Array(pooled.values[last ..< last + 8])), "\(shape)")
                #expect(pooled.choice[first ..< first + 8] == pooled.choice[last ..< last + 8])
            }
        }
    }

    /// What is beside the area of the listed tiles does not reach their windows.
    @Test(arguments: KernelTable.all) func poolReadsTheAreaAlone(_ table: KernelTable) {
        var random = Keyed(13)
        for shape in Self.shapes {
            let c = shape.channels, tiles = Reference.tiles(shape)
            let act = Self.bordered(shape, random.floats(shape.height * shape.width * c), depth: c)
            let weights = random.floats(9 * c * c), bias = random.floats(c)
            for list in Self.lists(shape, &random) + tiles.indices.map({ [Int32($0)] }) {
                let beside = Self.only(shape, Runs(shape, list).area, act, elsewhere: .nan)
                let own = Self.pool(table, shape, 1, list: list, act: beside, weights: weights, bias: bias)
                let whole = Self.pool(table, shape, 1, list: list, act: act, weights: weights, bias: bias)
                #expect(bits(own.values) == bits(whole.values) && own.choice == whole.choice, "\(shape) \(list)")
            }
        }
    }

    @Test(arguments: KernelTable.all) func winogradWeights(_ table: KernelTable) {
        var random = Keyed(4)
        for c in [8, 16, 24, 32, 40, 64] {
            let weights = random.floats(9 * c * c)
            func reference(_ weights: [Float]) -> [Float] {
                call([weights], [unwritten(36 * c * c)]) { Reference.winogradWeights(channels: c, weights: $0[0], transformed: $1[0]) }[0]
            }
            let actual = call([weights], [unwritten(36 * c * c)]) { table.kernels.winograd_weights(c, $0[0], $1[0]) }[0]
            // Two rounds of three terms and constants that are not floats; 2/3 * (1 + sqrt(1/2) + 1/2) of a weight at most, squared.
            let magnitude = [Float](repeating: 2.2, count: 36 * c * c)
            #expect(worst(actual, reference(weights), magnitude: magnitude, roundings: 12) <= 1, "\(c)")
        }
    }

    @Test(arguments: KernelTable.all) func pool(_ table: KernelTable) {
        var random = Keyed(5)
        for (index, shape) in Self.shapes.enumerated() {
            let c = shape.channels, images = 1 + index % 3, columns = shape.width / 2
            let act = Self.bordered(shape, random.floats(images * shape.height * shape.width * c).map { max($0, 0) }, depth: c)
            let weights = random.floats(9 * c * c), bias = random.floats(c)
            let actual = Self.pool(table, shape, images, act: act, weights: weights, bias: bias)
            let expected = Self.referencePool(shape, images, act: act, weights: weights, bias: bias)
            let magnitude = Self.referencePool(shape, images, act: act, weights: absolute(weights), bias: absolute(bias)).values.max() ?? 0
            // A chain of c products and about 24 roundings in the three transforms. Their matrices' absolute values add up to 25 in
            // one direction, where the direct sum has 3 terms; a patch's error spreads over its tile, so the largest magnitude
            // counts for all.
            let growth = Float(25.0 / 3 * 25 / 3)
            let allowed = [Float](repeating: growth * magnitude, count: actual.values.count)
            #expect(worst(actual.values, expected.values, magnitude: allowed, roundings: c + 24) <= 1, "\(shape)")
            // Roundings do not conspire: on the mean they stay some hundred times below that bound.
            func square(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 } }
            let error = square(zip(actual.values, expected.values).map { Double($0) - Double($1) }) / square(expected.values.map(Double.init))
            #expect(error.squareRoot() < 32 * roundoff, "\(shape): \(error.squareRoot() / roundoff)")

            // Where the chosen position is another than the reference's, the two are equal but for rounding.
            let tolerance = Double(growth * magnitude) * Double(c + 24) * roundoff
            let windows = shape.height / 2 * columns
            var wrong = 0
            for at in actual.choice.indices where actual.values[at] > 0 && actual.choice[at] != expected.choice[at] {
                guard actual.choice[at] < 4 else { wrong += 1; continue }
                let window = at / c % windows, position = Int(actual.choice[at])
                let value = Reference.convolve(shape, act, image: at / c / windows, y: window / columns * 2 + position / 2,
                                               x: window % columns * 2 + position % 2, weights: weights, bias: bias, channel: at % c)
                if abs(value - Double(expected.values[at])) > tolerance { wrong += 1 }
            }
            #expect(wrong == 0 && actual.choice.allSatisfy { $0 < 4 }, "\(shape)")
        }
    }

    @Test(arguments: KernelTable.all) func poolTakesTheFirstOfEquals(_ table: KernelTable) {
        var random = Keyed(6)
        // All four equal, in every window: weights zero, bias one.
        let shape = dp_conv_shape(height: 9, width: 6, channels: 8)
        let flat = Self.pool(table, shape, 1, act: Self.bordered(shape, random.floats(9 * 6 * 8), depth: 8), weights: zeros(9 * 64),
                             bias: [Float](repeating: 1, count: 8))
        #expect(flat.values.allSatisfy { $0 == 1 } && flat.choice.allSatisfy { $0 == 0 })
    }

    @Test(arguments: KernelTable.all) func anImageDoesNotDependOnTheOthers(_ table: KernelTable) {
        var random = Keyed(7)
        for shape in Self.shapes {
            let c = shape.channels, images = 3
            let act = Self.bordered(shape, random.floats(images * shape.height * shape.width * c), depth: c)
            let weights = random.floats(9 * c * c), bias = random.floats(c)
            let together = Self.pool(table, shape, images, act: act, weights: weights, bias: bias)
            let alone = (0 ..< images).map { image in
                let plane = act.count / images
                return Self.pool(table, shape, 1, act: Array(act[image * plane ..< (image + 1) * plane]), weights: weights, bias: bias)
            }
            #expect(bits(together.values) == bits(alone.flatMap(\.values)), "\(shape)")
            #expect(together.choice == alone.flatMap(\.choice), "\(shape)")
        }
    }

    @Test(arguments: KernelTable.all) func poolBackward(_ table: KernelTable) {
        var random = Keyed(8)
        for shape in Self.shapes {
            let c = shape.channels, all = Self.windows(shape), tiles = Reference.tiles(shape)
            let act = Self.bordered(shape, random.floats(shape.height * shape.width * c).map { max($0, 0) }, depth: c)
            // Many are zero, as where the pooled value is; those of windows that are not listed are nobody's.
            for list in Self.lists(shape, &random) {
                let listed = Set(list.flatMap { tiles[Int($0)] }), found = Runs(shape, list)
                let gradients = random.floats(all * c).map { abs($0) < 0.4 ? 0 : $0 }
                func gradient(elsewhere: Float) -> [Float] { gradients.indices.map { listed.contains($0 / c) ? gradients[$0] : elsewhere } }
                let choice = (0 ..< all * c).map { _ in UInt8.random(in: 0 ... 3, using: &random) }
                let weights = random.floats(9 * c * c), sums = [random.floats(9 * c * c), random.floats(c), unwritten(act.count)]
                func reference(_ inputs: [[Float]], _ sums: [[Float]]) -> [[Float]] {
                    call(inputs, sums) {
                        Reference.convolvePoolBackward(shape, act: $0[0], weights: $0[1], gradient: $0[2], choice: choice,
                                                       weightGradient: $1[0], biasGradient: $1[1], actGradient: $1[2])
                    }
                }
                let choices = Guarded(choice)
                let features = Guarded(found.padded(found.features)), corners = Guarded(found.padded(found.corners))
                let windows = dp_windows(count: found.features.count, features: features.pointer, corners: corners.pointer)
                func part(elsewhere: Float) -> [[Float]] {
                    [Self.only(shape, found.area, act, elsewhere: elsewhere), weights, gradient(elsewhere: elsewhere)]
                }
                let actual = call(part(elsewhere: .nan), sums + [unwritten(dp_conv_pool_backward_scratch(shape))]) {
                    table.kernels.conv_pool_backward(shape, windows, found.area, $0[0], $0[1], $0[2], choices.pointer, $1[0], $1[1], $1[2], $1[3])
                }
                #expect(choices.values == choice && choices.bandsAreIntact && features.bandsAreIntact && corners.bandsAreIntact)
                let inputs = part(elsewhere: 0), expected = reference(inputs, sums)
                let magnitude = reference(inputs.map(absolute), [absolute(sums[0]), absolute(sums[1]), sums[2]])
                // A product for every window, or for every tap of every channel, and two more roundings.
                #expect(worst(actual[0], expected[0], magnitude: magnitude[0], roundings: all + 2) <= 1, "\(shape) weights")
                #expect(worst(actual[1], expected[1], magnitude: magnitude[1], roundings: all + 2) <= 1, "\(shape) bias")
                // What the border receives is nobody's gradient, nor what lies beside the area.
                let inside = Self.inside(shape, found.area, depth: c)
                func cut(_ values: [Float]) -> [Float] { zip(values, inside).filter { $1 }.map { $0.0 } }
                #expect(worst(cut(actual[2]), cut(expected[2]), magnitude: cut(magnitude[2]), roundings: 9 * c + 2) <= 1, "\(shape) act")
            }
        }
    }

    // MARK: NaN

    /// A training that diverges has NaN somewhere in its weights or activations: the pass must not hide it.
    @Test(arguments: KernelTable.all) func nanPasses(_ table: KernelTable) {
        var random = Keyed(9)
        for shape in [dp_conv_shape(height: 8, width: 6, channels: 16), dp_conv_shape(height: 14, width: 14, channels: 32),
                      dp_conv_shape(height: 10, width: 6, channels: 8), dp_conv_shape(height: 8, width: 10, channels: 24)] {
            let c = shape.channels, count = shape.height * shape.width, sick = 5
            let x = Self.bordered(shape, random.floats(count), depth: 1)
            let act = Self.bordered(shape, random.floats(count * c), depth: c)
            let weights1 = random.floats(9 * c), weights2 = random.floats(9 * c * c), bias = random.floats(c)
            var sickBias = bias
            sickBias[sick] = .nan
            func ofChannel(_ values: [Float]) -> [Float] { values.indices.filter { $0 % c == sick }.map { values[$0] } }
            func first(_ weights: [Float], _ bias: [Float]) -> [Float] {
                let out = call([x, weights, bias], [zeros(act.count)]) { table.kernels.conv_first(shape, Self.whole(shape), $0[0], $0[1], $0[2], $1[0]) }[0]
                return zip(out, Self.inside(shape, depth: c)).filter { $1 }.map { $0.0 }
            }
            #expect(allNaN(ofChannel(first(weights1, sickBias))))
            #expect(allNaN(ofChannel(Self.pool(table, shape, 1, act: act, weights: weights2, bias: sickBias).values)))
            for tap in 0 ..< 9 {
                var sick1 = weights1, sick2 = weights2
                sick1[tap * c + sick] = .nan
                sick2[(sick * 9 + tap) * c + 3] = .nan
                #expect(allNaN(ofChannel(first(sick1, bias))), "tap \(tap)")
                #expect(allNaN(ofChannel(Self.pool(table, shape, 1, act: act, weights: sick2, bias: bias).values)), "tap \(tap)")
            }
            for (y, column) in [(0, 0), (0, shape.width - 1), (shape.height - 1, 0), (shape.height - 1, shape.width - 1), (3, 2)] {
                var sickAct = act
                sickAct[((y + 1) * (shape.width + 2) + column + 1) * c + 3] = .nan
                let pooled = Self.pool(table, shape, 1, act: sickAct, weights: weights2, bias: bias).values
                #expect((0 ..< c).allSatisfy { channel in pooled.indices.contains { $0 % c == channel && pooled[$0].isNaN } }, "\(y), \(column)")
            }
        }
    }
}
