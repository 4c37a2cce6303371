import CDiptychPlatform

// What happens to an image, by chance.

extension Augmenter {
    /// What happens to one image.
    public struct Draw {
        /// Around the centre, output pixel to source: source = matrix * (output - shift), by rows.
        var matrix: SIMD4<Float> = [1, 0, 0, 1]
        var shift: SIMD2<Float> = [0, 0]
        /// Positive is thicker, negative thinner.
        var stroke: Float = 0
        /// The nodes' displacements by rows of the grid: x in the first SIMD16, y in the second.
        var elastic: (x: SIMD16<Float>, y: SIMD16<Float>) = (.zero, .zero)

        /// The displacements of one row of the grid.
        @inline(__always) static func row(_ row: Int, of field: SIMD16<Float>) -> SIMD4<Float> {
            SIMD4(field[4 * row], field[4 * row + 1], field[4 * row + 2], field[4 * row + 3])
        }
    }

    /// What happens to image `image` of the batch of `step`: a function of these and the seed alone.
    public func draw(step: UInt32, image: Int) -> Draw {
        let a = augmentation, key = UInt64(image) << 8
        let first = uniform(step, key), second = uniform(step, key | 1)
        let angle = first[0] * a.rotation * (.pi / 180), cosine = cosf(angle), sine = sinf(angle)
        let shrink = 1 / (1 + first[1] * a.scale), shear = first[2] * a.shear
        var draw = Draw()
        // The inverse of rotation * scale * shear.
        draw.matrix = SIMD4(cosine + shear * sine, sine - shear * cosine, -sine, cosine) * shrink
        draw.shift = SIMD2(first[3], second[0]) * a.shift
        draw.stroke = second[1] * a.stroke
        if a.elastic > 0 {
            for quarter in 0 ..< 4 {
                let x = uniform(step, key | UInt64(2 + quarter)) * a.elastic, y = uniform(step, key | UInt64(6 + quarter)) * a.elastic
                for k in 0 ..< 4 {
                    draw.elastic.x[4 * quarter + k] = x[k]
                    draw.elastic.y[4 * quarter + k] = y[k]
                }
            }
        }
        return draw
    }

    /// Four numbers, uniform from -1 to 1.
    private func uniform(_ step: UInt32, _ index: UInt64) -> SIMD4<Float> {
        SIMD4(SIMD4<Int32>(truncatingIfNeeded: random.words(step: step, index: index))) * 0x1p-31
    }
}
