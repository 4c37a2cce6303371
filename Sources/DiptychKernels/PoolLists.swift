import CDiptychPlatform

/// The gradients of a band of pool windows that are not zero, a list a channel: their values, and where the 3x3 patches begin that
/// they came from.
struct PoolLists {
    let channels: Int
    /// From one list to the next: lists are written up to sixteen values at a time, so each may run over by as many.
    let stride: Int
    let values: UnsafeMutablePointer<Float>
    let patches: UnsafeMutablePointer<Int32>
    let counts: UnsafeMutablePointer<Int32>
    /// What `fill` needs, of which each instruction set has its own.
    let scratch: UnsafeMutablePointer<Int32>

    init(_ shape: dp_conv_shape, scratch: UnsafeMutablePointer<Float>) {
        channels = shape.channels
        stride = dp_conv_pool_band(shape) * (shape.width / 2) + Int(DP_POOL_OVERRUN)
        values = scratch
        patches = UnsafeMutableRawPointer(values + stride * channels).assumingMemoryBound(to: Int32.self)
        counts = patches + stride * channels
        self.scratch = counts + channels
    }
}
