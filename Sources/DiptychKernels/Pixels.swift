import CDiptychPlatform

// What is done to pixels before the first layer.

func standardise(rows: Int, width: Int, x: UnsafePointer<Float>, xRow: Int, mean: Float, scale: Float,
                 target: UnsafeMutablePointer<Float>, targetRow: Int) {
    for row in 0 ..< rows {
        let x = x + row * xRow, target = target + row * targetRow
        guard width >= lanes else {
            for i in 0 ..< width { target[i] = (x[i] - mean) * scale }
            continue
        }
        var i = 0
        while i < width {
            // The last vector may take some pixels once more.
            i = min(i, width - lanes)
            target.store(scale * (x.vector(i) - Vector(repeating: mean)), i)
            i += lanes
        }
    }
}

func areFinite(count: Int, x: UnsafePointer<Float>) -> Bool {
    // 0 times what is finite is 0. Four sums, because each addition waits for the one before.
    var a = Vector.zero, b = Vector.zero, c = Vector.zero, d = Vector.zero
    var i = 0
    while i + 4 * lanes <= count {
        a += 0 * x.vector(i)
        b += 0 * x.vector(i + lanes)
        c += 0 * x.vector(i + 2 * lanes)
        d += 0 * x.vector(i + 3 * lanes)
        i += 4 * lanes
    }
    var rest: Float = 0
    while i < count {
        rest += 0 * x[i]
        i += 1
    }
    return dp_is_zero((a + b) + (c + d)) && rest == 0
}
