import CDiptychPlatform

func randomWords(count: Int, first: dp_draw, words: UnsafeMutablePointer<UInt32>) {
    var draw = first
    var i = 0
    @inline(__always) func store(_ eight: dp_word8, _ offset: Int) {
        UnsafeMutableRawPointer(words + (i + offset)).storeBytes(of: eight, as: dp_word8.self)
    }
    // Two at a time: a round waits for the one before, but not for its neighbour's.
    while i + 16 <= count {
        var next = draw
        next.index &+= 2
        let low = dp_random8(draw), high = dp_random8(next)
        store(low, 0)
        store(high, 8)
        draw.index &+= 4
        i += 16
    }
    if i < count { store(dp_random8(draw), 0) }
}

func dropout(count: Int, first: dp_draw, threshold: UInt32, scale: Float, x: UnsafeMutablePointer<Float>) {
    var draw = first
    var i = 0
    while i < count {
        // Two at a time, as above.
        var next = draw
        next.index &+= 2
        let low = dp_random8(draw), high = dp_random8(next)
        dp_drop(low, threshold, scale, x + i)
        dp_drop(high, threshold, scale, x + (i + 8))
        draw.index &+= 4
        i += 16
    }
}
