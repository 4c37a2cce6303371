import CDiptychPlatform

/// The words of the next four draws. Two vectors at a time: a round waits for the one before, but not for its neighbour's.
@inline(__always)
private func sixteenWords(_ draw: inout dp_draw) -> (low: dp_word8, high: dp_word8) {
    var next = draw
    next.index &+= 2
    let words = (dp_random8(draw), dp_random8(next))
    draw.index &+= 4
    return words
}

func randomWords(count: Int, first: dp_draw, words: UnsafeMutablePointer<UInt32>) {
    var draw = first
    let target = UnsafeMutableRawPointer(words), stride = MemoryLayout<UInt32>.stride
    var i = 0
    while i + 16 <= count {
        let (low, high) = sixteenWords(&draw)
        target.storeBytes(of: low, toByteOffset: i * stride, as: dp_word8.self)
        target.storeBytes(of: high, toByteOffset: (i + 8) * stride, as: dp_word8.self)
        i += 16
    }
    if i < count { target.storeBytes(of: dp_random8(draw), toByteOffset: i * stride, as: dp_word8.self) }
}

func dropout(count: Int, first: dp_draw, threshold: UInt32, scale: Float, x: UnsafeMutablePointer<Float>) {
    var draw = first
    var i = 0
    while i < count {
        let (low, high) = sixteenWords(&draw)
        dp_drop(low, threshold, scale, x + i)
        dp_drop(high, threshold, scale, x + (i + 8))
        i += 16
    }
}
