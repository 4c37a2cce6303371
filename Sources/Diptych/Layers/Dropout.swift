import CDiptychPlatform

/// Inverted dropout (Srivastava et al., 2014): a unit is zeroed with `probability`, or else scaled by
/// 1 / (1 - probability). The mask depends on seed, step, layer, image and unit alone.
struct Dropout {
    let random: Random
    let step: UInt32
    let scale: Float
    private let threshold: UInt32

    init(seed: UInt64, step: Int, probability: Float) {
        random = Random(seed: seed, purpose: .dropout)
        self.step = UInt32(truncatingIfNeeded: step)
        scale = 1 / (1 - probability)
        threshold = UInt32(Double(probability) * 0x1p32)
    }

    /// Drops units of `columns` (multiples of 16) in `rows` of x, whose rows are `width` long.
    func apply(layer: Int, rows: Range<Int>, columns: Range<Int>, width: Int, x: UnsafeMutablePointer<Float>) {
        for row in rows {
            let index = UInt64(layer) << 56 | UInt64(row) << 24 | UInt64(columns.lowerBound / 4)
            kernels.dropout(columns.count, random.draw(step: step, index: index), threshold, scale, x + row * width + columns.lowerBound)
        }
    }
}
