#if arch(x86_64)
import CDiptychPlatform
@testable import Diptych
import Foundation
import Testing

/// AVX-512 gives AVX2's bits, so that a model does not depend on which of both trained it.
@Suite(.enabled(if: dp_instruction_set() == DP_AVX512)) struct WideKernelTests {
    /// Expects the same bits of both instruction sets, changed by the kernel, and no NaN.
    func compare(_ what: String, _ inputs: [[Float]], _ outputs: [[Float]], sourceLocation: SourceLocation = #_sourceLocation,
                 _ kernel: (dp_kernels, [UnsafePointer<Float>], [UnsafeMutablePointer<Float>]) -> Void) {
        let narrow = call(inputs, outputs) { kernel(dp_kernels_avx2().pointee, $0, $1) }
        let wide = call(inputs, outputs) { kernel(dp_kernels_avx512().pointee, $0, $1) }
        for index in outputs.indices {
            let different = zip(narrow[index], wide[index]).filter { $0.bitPattern != $1.bitPattern }.count
            let saysSomething = bits(narrow[index]) != bits(outputs[index]) && !narrow[index].contains { $0.isNaN }
            #expect(different == 0, "\(what), values of output \(index)", sourceLocation: sourceLocation)
            #expect(saysSomething, "\(what), output \(index)", sourceLocation: sourceLocation)
        }
    }

    @Test func convolutions() {
        var random = Keyed(20)
        for shape in ConvolutionKernelTests.shapes + [48, 56].map({ dp_conv_shape(height: 13, width: 15, channels: $0) }) {
            let c = shape.channels, pixels = shape.height * shape.width
            let windows = ConvolutionKernelTests.windows(shape), act = (shape.height + 2) * (shape.width + 2) * c
            let x = ConvolutionKernelTests.bordered(shape, random.floats(pixels, -1 ... 3), depth: 1)
            let activations = ConvolutionKernelTests.bordered(shape, random.floats(pixels * c).map { max($0, 0) }, depth: c)
            let weights = random.floats(9 * c * c), bias = random.floats(c)
            for area in ConvolutionKernelTests.areas(shape, &random) where area.bottom > 0 {
                compare("\(shape) conv_first", [x, random.floats(9 * c), bias], [zeros(act)]) {
                    $0.conv_first(shape, area, $1[0], $1[1], $1[2], $2[0])
                }
                compare("\(shape) conv_first_backward", [x, activations, random.floats(act)], [random.floats(9 * c), random.floats(c)]) {
                    $0.conv_first_backward(shape, area, $1[0], $1[1], $1[2], $2[0], $2[1])
                }
            }
            let transformed = call([weights], [unwritten(36 * c * c + 8)]) { dp_kernels_avx2().pointee.winograd_weights(c, $0[0], $1[0]) }[0]
            // Two images, and of the second one tile less: blocks and rows of every length.
            let all = 2 * ConvolutionKernelTests.tiles(shape, images: 1).count
            for count in Set([all, all - 1, 1, min(all, 7)]) {
                let list = (0 ..< count).map { Int32($0) }
                let choices = [dp_kernels_avx2().pointee, dp_kernels_avx512().pointee].map { kernels in
                    let choice = Guarded([UInt8](repeating: 9, count: 2 * windows * c))
                    _ = call([activations + activations, transformed, bias], [zeros(2 * windows * c), zeros(dp_conv_pool_scratch(c))]) {
                        kernels.conv_pool(shape, count, list, $0[0], $0[1], $0[2], $1[0], choice.pointer, true, $1[1])
                    }
                    #expect(choice.bandsAreIntact)
                    return choice.values
                }
                let sameChoices = choices[0] == choices[1]
                #expect(sameChoices, "\(shape) choices of \(count) tiles")
                let choice = Guarded<UInt8>(count: 2 * windows * c), scratch = Guarded(zeros(dp_conv_pool_scratch(c)))
                compare("\(shape) conv_pool of \(count) tiles", [activations + activations, transformed, bias], [zeros(2 * windows * c)]) {
                    $0.conv_pool(shape, count, list, $1[0], $1[1], $1[2], $2[0], choice.pointer, false, scratch.pointer)
                }
                #expect(scratch.bandsAreIntact)
            }
            for (list, alive) in ConvolutionKernelTests.lists(shape, &random).filter({ !$0.isEmpty }).flatMap({ [($0, 0.9), ($0, 0.3)] }) {
                let found = ConvolutionKernelTests.Runs(shape, list)
                let features = Guarded(found.padded(found.features)), corners = Guarded(found.padded(found.corners))
                let listed = dp_windows(count: found.features.count, features: features.pointer, corners: corners.pointer)
                let gradient = random.floats(windows * c).map { Double.random(in: 0 ..< 1, using: &random) < alive ? $0 : 0 }
                let choice = (0 ..< windows * c).map { _ in UInt8.random(in: 0 ... 3, using: &random) }
                let scratch = Guarded(zeros(dp_conv_pool_backward_scratch(shape)))
                compare("\(shape) conv_pool_backward", [activations, weights, gradient],
                        [random.floats(9 * c * c), random.floats(c), zeros(act)]) {
                    $0.conv_pool_backward(shape, listed, found.area, $1[0], $1[1], $1[2], choice, $2[0], $2[1], $2[2], scratch.pointer)
                }
                #expect(scratch.bandsAreIntact)
            }
        }
    }

    @Test func products() {
        var random = Keyed(21)
        for _ in 0 ..< 60 {
            let rows = Int.random(in: 1 ... 27, using: &random), panels = Int.random(in: 1 ... 19, using: &random)
            let depth = 8 * Int.random(in: 1 ... 40, using: &random)
            let a = random.floats(rows * depth).map { $0 > 0.2 ? $0 : 0 }, b = random.floats(16 * panels * depth)
            compare("multiply \(rows) x \(panels) x \(depth)", [a, b], [zeros(16 * rows * panels)]) {
                $0.multiply(rows, panels, depth, $1[0], depth, $1[1], 16 * depth, $2[0], 16 * panels)
            }
            let stride = depth + 8, places = (0 ..< Int32(depth)).map { 16 * $0 }
            let values = Guarded<Float>(count: rows * stride), listed = Guarded<Int32>(count: rows * stride), counts = Guarded<Int32>(count: rows)
            let lists = dp_lists(values: values.pointer, places: listed.pointer, counts: counts.pointer, stride: stride)
            for accumulate in [false, true] {
                compare("multiply_lists \(rows) x \(panels) x \(depth)", [a, b], [random.floats(16 * rows * panels)]) {
                    $0.list_rows(rows, depth, $1[0], depth, places, lists)
                    $0.multiply_lists(rows, panels, lists, nil, $1[1], 16 * depth, $2[0], 16 * panels, 16, accumulate)
                }
            }
            #expect(values.bandsAreIntact && listed.bandsAreIntact && counts.bandsAreIntact)
        }
    }

    /// By what the system tells of the CPU: of AMD's processors of family 25, those with AVX-512 are Zen 4.
    @Test func zen4TakesAVX2ForFewOddEights() throws {
        let cpu = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8).split(separator: "\n").map { $0.filter { !$0.isWhitespace } }
        let isZen4 = cpu.contains("vendor_id:AuthenticAMD") && cpu.contains("cpufamily:25")
        for channels in [8, 16, 24, 32, 40, 48, 56] {
            let name = String(cString: dp_conv_shape(height: 14, width: 14, channels: channels).kernels.name)
            #expect(name == (isZen4 && [8, 24, 40].contains(channels) ? "avx2" : "avx512"), "\(channels) channels")
        }
    }

    @Test func updates() {
        var random = Keyed(22)
        let update = dp_update(step_size: 3e-3, decay: 0.999, beta1: 0.9, beta2: 0.999, second_scale: 1.7, epsilon: 1e-8, streamed: false)
        let updates = (1 ... 6).map { dp_update(step_size: 1e-3 * Float($0), decay: 1, beta1: 0.9, beta2: 0.999, second_scale: 2, epsilon: 1e-8, streamed: false) }
        for lines in [1, 2, 7, 40] {
            let count = 16 * lines, places = (0 ..< Int32(lines)).map { 16 * $0 }, done = (0 ..< Int32(lines)).map { $0 % 6 }
            let state = [random.floats(count), random.floats(count), absolute(random.floats(count))]
            compare("adam \(count)", [random.floats(count)], state) { $0.adam(count, update, $1[0], $2[0], $2[1], $2[2]) }
            compare("adam_lines \(lines)", [random.floats(count)], state) {
                $0.adam_lines(lines, places, 0, update, $1[0], $2[0], $2[1], $2[2])
            }
            compare("adam_idle \(lines)", [], state) { $0.adam_idle(lines, places, done, 6, updates, $2[0], $2[1], $2[2]) }
        }
    }
}
#endif
