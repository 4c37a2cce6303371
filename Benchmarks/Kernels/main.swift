// Each kernel's speed against the machine's own FMA peak, at the shapes of the preset networks. Prints a JSON object.
// Best of several repetitions: a kernel's time has a floor, and everything else on the machine only adds to it.
import CDiptychBench
import CDiptychPlatform
import Diptych

struct Result {
    var name: String
    var microseconds: Double
    /// Multiply-adds of the direct method, whatever the kernel really does.
    var multiplyAdds: Double
}

func floats(_ count: Int, _ seed: UInt64, scale: Float = 1, nonNegative: Bool = false) -> UnsafeMutablePointer<Float> {
    let memory = dp_allocate(4 * count)!.bindMemory(to: Float.self, capacity: count)
    let random = Random(seed: seed, purpose: .weights)
    for i in 0 ..< count {
        let value = scale * (2 * random.uniform(step: 0, index: UInt64(i)) - 1)
        memory[i] = nonNegative && value < 0 ? 0 : value
    }
    return memory
}

/// Seconds of one call: the best of `repetitions` runs of at least 2 ms.
func seconds(repetitions: Int = 30, _ body: () -> Void) -> Double {
    var calls = 1
    while true {
        let start = dp_seconds()
        for _ in 0 ..< calls { body() }
        if dp_seconds() - start > 0.002 { break }
        calls *= 2
    }
    var best = Double.infinity
    for _ in 0 ..< repetitions {
        let start = dp_seconds()
        for _ in 0 ..< calls { body() }
        best = min(best, (dp_seconds() - start) / Double(calls))
    }
    return best
}

/// Leaves a share of the values that is drawn at random.
func thin(_ x: UnsafeMutablePointer<Float>, _ count: Int, percent: Int) {
    let random = Random(seed: 8, purpose: .dropout)
    for i in 0 ..< count where random.uniform(step: 2, index: UInt64(i)) * 100 >= Float(percent) { x[i] = 0 }
}

func whole(_ shape: dp_conv_shape) -> dp_area { dp_area(top: 0, bottom: Int32(shape.height), left: 0, right: Int32(shape.width)) }

func measure(_ table: dp_kernels) -> [Result] {
    var results: [Result] = []
    func add(_ name: String, _ multiplyAdds: Int, per items: Int = 1, _ body: () -> Void) {
        results.append(Result(name: name, microseconds: 1e6 * seconds(body) / Double(items),
                              multiplyAdds: Double(multiplyAdds) / Double(items)))
    }
    let shape = dp_conv_shape(height: 14, width: 14, channels: 32)
    let plane = 256, act = plane * 32, windows = 49, features = windows * 32
    let x = floats(2 * plane, 1), weights1 = floats(9 * 32, 2, scale: 0.3), bias = floats(32, 3, scale: 0.1)
    let weights2 = floats(32 * 9 * 32, 4, scale: 0.06), transformed = floats(36 * 32 * 32, 5)
    // A real border of zeros.
    for image in 0 ..< 2 {
        for y in 0 ..< 16 {
            for column in 0 ..< 16 where y == 0 || y == 15 || column == 0 || column == 15 { x[image * plane + 16 * y + column] = 0 }
        }
    }
    // As BackwardPass lays them: not a multiple of 4 KB apart. Images of 32x32 and 8 channels are a little larger, and begin 8 floats later.
    let gap = 13 * 16, a = floats(2 * act + gap + 34 * 34 * 8 + 8, 6, scale: 0)
    let pooled = floats(2 * features, 7), scratch = floats(400_000, 8)
    let choice = UnsafeMutableRawPointer(floats(2 * features, 9)).assumingMemoryBound(to: UInt8.self)
    let conv1 = 196 * 9 * 32, conv2 = 196 * 9 * 32 * 32

    let narrow = dp_conv_shape(height: 32, width: 32, channels: 8), narrowPlane = floats(34 * 34, 19)
    add("standardise, 32x32", 0) { table.standardise(32, 32, pooled, 32, 0.1, 2, a, 34) }
    add("are_finite, 2048 pixels", 0) { _ = table.are_finite(2048, pooled) }
    add("conv_first", 2 * conv1, per: 2) {
        for image in 0 ..< 2 { table.conv_first(shape, whole(shape), x + image * plane, weights1, bias, a + image * act) }
    }
    add("conv_first, 32x32, 8 channels", 1024 * 9 * 8) { table.conv_first(narrow, whole(narrow), narrowPlane, weights1, bias, a + 8) }
    add("winograd_weights", 0) { table.winograd_weights(32, weights2, transformed) }
    let tiles = 16, narrowTiles = 64, list = UnsafeMutablePointer<Int32>.allocate(capacity: narrowTiles)
    for i in 0 ..< narrowTiles { list[i] = Int32(i) }
    let found = UnsafeMutablePointer<Int32>.allocate(capacity: narrowTiles)
    add("live_tiles", 0) { _ = table.live_tiles(shape, x, 2, found) }
    add("live_tiles, 32x32", 0) { _ = table.live_tiles(narrow, narrowPlane, 2, found) }
    add("conv_pool, all tiles", 2 * conv2, per: 2) { table.conv_pool(shape, 2 * tiles, list, a, transformed, bias, pooled, choice, false, scratch) }
    add("conv_pool, 32x32, 8 channels, all tiles", 1024 * 9 * 64) {
        table.conv_pool(narrow, narrowTiles, list, a + 8, transformed, bias, pooled, choice, false, scratch)
    }

    let sums = floats(32 * 9 * 32 + 32, 10, scale: 0), actGradient = a + 2 * act + gap
    for (shape, tiles, percents) in [(shape, tiles, [72, 45, 24, 20]), (narrow, narrowTiles, [72, 20])] {
        var every = dp_windows(count: 0, features: .allocate(capacity: dp_windows_capacity(shape)), corners: .allocate(capacity: dp_windows_capacity(shape)))
        var area = dp_area()
        let runs = UnsafeMutablePointer<dp_run>.allocate(capacity: dp_runs_capacity(shape))
        dp_run_windows(shape, dp_window_runs(shape, tiles, list, runs, &area), runs, &every)
        let features = shape.height / 2 * (shape.width / 2) * shape.channels, name = shape.channels == 32 ? "" : " 32x32, 8 channels,"
        let later = shape.channels % 16
        for percent in percents {
            // Dropout and the loss leave a gradient wherever the pooled value is positive.
            let gradient = floats(features, 12, scale: 0.01)
            thin(gradient, features, percent: percent)
            add("conv_pool_backward,\(name) \(percent) % alive", 2 * shape.height * shape.width * 9 * shape.channels * shape.channels) {
                table.conv_pool_backward(shape, every, area, a + later, weights2, gradient, choice, sums, sums + 32 * 9 * 32,
                                         actGradient + later, scratch)
            }
        }
    }
    add("conv_first_backward", conv1) { table.conv_first_backward(shape, whole(shape), x, a, actGradient, sums, sums + 288) }
    add("conv_first_backward, 32x32, 8 channels", 1024 * 9 * 8) {
        table.conv_first_backward(narrow, whole(narrow), narrowPlane, a + 8, actGradient + 8, sums, sums + 288)
    }

    let rows = 24, w = floats(1568 * 1568, 13, scale: 0.01), big = floats(200 * 6272, 14), out = floats(200 * 6272, 15)
    add("multiply, fc1 forward of 24 images", rows * 1568 * 64, per: rows) {
        table.multiply(rows, 4, 1568, big, 1568, w, 16 * 1568, out, 64)
    }
    add("multiply, fc1 forward of a pair", 2 * 1568 * 64, per: 2) {
        table.multiply(2, 4, 1568, big, 1568, w, 16 * 1568, out, 64)
    }
    add("multiply, l2 forward of 200 images, 8 panels", 200 * 1568 * 128, per: 200) {
        table.multiply(200, 8, 1568, big, 6272, w, 16 * 1568, out, 1568)
    }
    // What is left behind a ReLU, and of the gradient that comes back through one and a dropout.
    let listed = Int(DP_LISTS * DP_LIST_STRIDE)
    let lists = dp_lists(values: floats(listed, 16), places: UnsafeMutablePointer<Int32>.allocate(capacity: listed),
                         counts: UnsafeMutablePointer<Int32>.allocate(capacity: Int(DP_LISTS)), stride: Int(DP_LIST_STRIDE))
    let places = UnsafeMutablePointer<Int32>.allocate(capacity: 6272)
    for i in 0 ..< 6272 { places[i] = Int32(16 * i) }
    for percent in [60, 20, 3] {
        let features = floats(24 * 1568, 17)
        thin(features, 24 * 1568, percent: percent)
        add("count_nonzeros, 24 x 512, \(percent) % alive", 0, per: 24) { _ = table.count_nonzeros(24, 512, features, 1568) }
        add("list_rows, 24 x 512, \(percent) % alive", 0, per: 24) { table.list_rows(24, 512, features, 1568, places, lists) }
        add("multiply_lists, fc1 forward of 24 images, \(percent) % alive", rows * 1568 * 64, per: rows) {
            for k in stride(from: 0, to: 1568, by: 128) {
                table.list_rows(24, min(128, 1568 - k), features + k, 1568, places, lists)
                table.multiply_lists(24, 4, lists, nil, w + 16 * k, 16 * 1568, out, 64, 16, k > 0)
            }
        }
        add("multiply_lists, fc1 forward of a pair, \(percent) % alive", 2 * 1568 * 64, per: 2) {
            for k in stride(from: 0, to: 1568, by: 512) {
                table.list_rows(2, min(512, 1568 - k), features + k, 1568, places, lists)
                table.multiply_lists(2, 4, lists, nil, w + 16 * k, 16 * 1568, out, 64, 16, k > 0)
            }
        }
    }
    let alive = floats(200 * 64, 18)
    thin(alive, 200 * 64, percent: 10)
    add("list_columns, 200 x 64, 10 % alive", 0) { table.list_columns(200, 64, alive, 64, 1568, lists) }
    add("multiply_lists, weight gradient 96 x 16 of 200 images, 10 % alive", 200 * 96 * 16) {
        table.multiply_lists(16, 6, lists, nil, big, 16, out, 16, 256, false)
    }
    table.list_rows(64, 64, alive, 64, places, lists)
    add("multiply_lists, input gradient 96 x 64 of 64 images, 10 % alive", 64 * 96 * 64) {
        table.multiply_lists(64, 6, lists, nil, w, 1024, out, 96, 16, false)
    }
    add("transpose_panels, 16 x 256", 0) { table.transpose_panels(16, w, 16 * 1568, places, out) }
    add("bias_relu, 24 x 64", 0) { table.bias_relu(24, 64, bias, true, out, 64) }
    add("relu_gradient, 24 x 64", 0) { table.relu_gradient(24, 64, big, 64, 1, out, 64) }
    add("sum_rows, 20 x 1024", 0) { table.sum_rows(20, 1024, big, 9568, out) }
    let draw = dp_draw(seed: 1, index: 0, step: 2, purpose: 4)
    add("dropout, 1568 units", 0) { table.dropout(1568, draw, 0x8000_0000, 1, out) }
    add("random_words, 1024", 0) {
        table.random_words(1024, draw, UnsafeMutableRawPointer(out).assumingMemoryBound(to: UInt32.self))
    }
    add("sgd, 8192 parameters", 0) {
        table.sgd(8192, dp_update(step_size: 1e-3, decay: 0, beta1: 0.9, beta2: 0, second_scale: 0, epsilon: 0, streamed: false), big, w, out)
    }
    add("adam, 8192 parameters", 0) {
        table.adam(8192, dp_update(step_size: 1e-3, decay: 1, beta1: 0.9, beta2: 0.999, second_scale: 1, epsilon: 1e-8, streamed: false), big, w, out, out + 8192)
    }
    let updates = UnsafeMutablePointer<dp_update>.allocate(capacity: 10)
    updates.initialize(repeating: dp_update(step_size: 1e-3, decay: 1, beta1: 0.9, beta2: 0.999, second_scale: 1, epsilon: 1e-8, streamed: false), count: 10)
    let none = UnsafeMutablePointer<Int32>.allocate(capacity: 512)
    none.initialize(repeating: 0, count: 512)
    add("adam_lines, 8192 parameters", 0) { table.adam_lines(512, places, 0, updates[0], big, w, out, out + 8192) }
    add("adam_idle, 8192 parameters, 10 steps", 0) { table.adam_idle(512, places, none, 10, updates, w, out, out + 8192) }
    let live = UnsafeMutablePointer<UInt8>.allocate(capacity: 64)
    add("live_columns, 200 x 512", 0) { table.live_columns(200, 512, big, 6272, live) }
    var augmentation = Augmentation()
    (augmentation.rotation, augmentation.scale, augmentation.shear, augmentation.shift) = (15, 0.15, 0.15, 1.5)
    for elastic in [false, true] {
        if elastic { (augmentation.elastic, augmentation.stroke) = (0.5, 0.2) }
        if let augmenter = try? Augmenter(augmentation, seed: 1, height: 14, width: 14) {
            var step: UInt32 = 0
            add(elastic ? "augment, with elastic and stroke" : "augment, affine", 0) {
                step &+= 1
                augmenter.apply(augmenter.draw(step: step, image: 0), big, into: out, scratch: scratch)
            }
        }
    }
    return results
}

_ = dp_float_mode_enter() // as every call of the library

// Each instruction set's kernels and its peak; the baseline is held against AVX2's where there is one.
#if arch(x86_64)
let narrow = dp_fma_peak(dp_instruction_set() == DP_BASELINE ? 4 : 8)
var tables = [(dp_kernels_baseline().pointee, narrow)]
if dp_instruction_set().rawValue >= DP_AVX2.rawValue { tables.insert((dp_kernels_avx2().pointee, narrow), at: 0) }
if dp_instruction_set() == DP_AVX512 { tables.insert((dp_kernels_avx512().pointee, dp_fma_peak(16)), at: 0) }
#else
let tables = [(dp_kernels_baseline().pointee, dp_fma_peak(4))]
#endif
var json = JSONWriter()
json.object { json in
    json.array("tables") { json in
        for (table, peak) in tables {
            json.object { json in
                json.member("isa", String(cString: table.name))
                json.member("fma_peak_gflops", peak)
                json.array("kernels") { json in
                    for result in measure(table) {
                        json.object { json in
                            json.member("name", result.name)
                            json.member("microseconds", result.microseconds)
                            if result.multiplyAdds > 0 {
                                let gflops = 2e-3 * result.multiplyAdds / result.microseconds
                                json.member("gflops", gflops)
                                json.member("percent_of_peak", 100 * gflops / peak)
                            }
                        }
                    }
                }
            }
        }
    }
}
print(json.text)
