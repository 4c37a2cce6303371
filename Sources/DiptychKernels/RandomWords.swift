import CDiptychPlatform

func randomWords(count: Int, first: dp_draw, words: UnsafeMutablePointer<UInt32>) {
    var draw = first
    var i = 0
    while i < count {
        UnsafeMutableRawPointer(words + i).storeBytes(of: dp_random8(draw), as: SIMD8<UInt32>.self)
        draw.index &+= 2
        i += 8
    }
}

func dropout(count: Int, first: dp_draw, threshold: UInt32, scale: Float, x: UnsafeMutablePointer<Float>) {
    var draw = first
    var i = 0
    while i < count {
        // Two at a time: a round waits for the one before, but not for its neighbour's.
        var next = draw
        next.index &+= 2
        let low = dp_random8(draw), high = dp_random8(next)
        dp_drop(low, threshold, scale, x + i)
        dp_drop(high, threshold, scale, x + (i + 8))
        draw.index &+= 4
        i += 16
    }
}
