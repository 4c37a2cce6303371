import CDiptychPlatform

/// Changes images by an `Augmentation`: draws what happens to one, and resamples it. What lies outside an image is
/// background, 0, and an empty image stays exactly that.
public final class Augmenter: Sendable {
    /// Nodes of the elastic deformation's grid along each side, the outer ones on the image's edge.
    static let nodes = 4

    let augmentation: Augmentation
    let random: Random
    private let height: Int
    private let width: Int
    /// How much each of the grid's columns (rows) weighs at each pixel: [node][width rounded up to 8], [node][height].
    private let columns: Buffer<Float>
    private let rows: Buffer<Float>
    /// [phase]
    private let spline: Buffer<SIMD4<Float>>

    public init(_ augmentation: Augmentation, seed: UInt64, height: Int, width: Int) throws(DiptychError) {
        self.augmentation = augmentation
        self.height = height
        self.width = width
        random = Random(seed: seed, purpose: .augmentation)
        columns = try Self.weights(width)
        rows = try Self.weights(height)
        spline = try Buffer(count: Self.phases, for: "an interpolation's weights")
        for phase in 0 ..< Self.phases { spline[phase] = Self.weights(phase: phase) }
    }

    /// Smoothstep between neighbouring nodes: 3t^2 - 2t^3 is flat at both, so that the field has no kinks.
    private static func weights(_ size: Int) throws(DiptychError) -> Buffer<Float> {
        let stride = roundedUp(size), result = try Buffer<Float>(count: nodes * stride, for: "an elastic deformation's grid")
        for i in 0 ..< size {
            let place = Float(i * (nodes - 1)) / Float(size - 1), node = min(Int(place), nodes - 2)
            let t = place - Float(node), weight = t * t * (3 - 2 * t)
            result[node * stride + i] = 1 - weight
            result[(node + 1) * stride + i] = weight
        }
        return result
    }

    private static func roundedUp(_ size: Int) -> Int { (size + 7) & ~7 }

    /// Columns and rows of zeros on the left and above, and on the right and below: every clamped place has the four
    /// neighbours each way that the interpolation takes.
    private static let before = 3, after = 4

    /// Floats of scratch that `apply` needs: the image within a border, and a second one.
    public var scratch: Int { plane + plane }
    private var stride: Int { width + Self.before + Self.after }
    private var plane: Int { padded((height + Self.before + Self.after) * stride + 8) }
    /// Floats that `apply` may write: it works on eight columns at a time.
    public var outputFloats: Int { padded(height * width + 8) }

    /// Resamples `source` into `target`, which has `outputFloats`. Bicubic (Keys, 1981; Catmull and Rom's spline), because
    /// bilinear interpolation blurs: small images would lose what the real ones have. It overshoots at edges, so the result
    /// is kept within the image's own shades.
    public func apply(_ draw: Draw, _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>,
                      scratch: UnsafeMutablePointer<Float>) {
        memset(scratch, 0, plane * MemoryLayout<Float>.stride)
        let stride = stride // not computed again for each pixel
        var darkest: Float = 0, brightest: Float = 0
        for y in 0 ..< height {
            let row = scratch + (y + Self.before) * stride + Self.before
            for x in 0 ..< width {
                let pixel = source[y * width + x]
                row[x] = pixel
                darkest = pixel < darkest ? pixel : darkest
                brightest = pixel > brightest ? pixel : brightest
            }
        }
        if draw.stroke != 0 { changeStroke(draw.stroke, scratch, scratch + plane) }

        let m = draw.matrix, elastic = augmentation.elastic > 0
        let centreX = 0.5 * Float(width - 1), centreY = 0.5 * Float(height - 1)
        let lowest = Vector(repeating: darkest), highest = Vector(repeating: brightest)
        // From there on everything is border.
        let least = Vector(repeating: Float(Self.before - 2))
        let greatestX = Vector(repeating: Float(Self.before + width + 1)), greatestY = Vector(repeating: Float(Self.before + height + 1))
        let columnStride = Self.roundedUp(width), rowStride = Self.roundedUp(height)
        for y in 0 ..< height {
            let down = Float(y) - centreY - draw.shift.y
            let startX = m[1] * down + centreX + Float(Self.before), startY = m[3] * down + centreY + Float(Self.before)
            var fieldX = SIMD4<Float>.zero, fieldY = SIMD4<Float>.zero
            if elastic {
                for node in 0 ..< Self.nodes {
                    let weight = rows.pointer[node * rowStride + y]
                    fieldX += weight * Draw.row(node, of: draw.elastic.x)
                    fieldY += weight * Draw.row(node, of: draw.elastic.y)
                }
            }
            var x = 0
            while x < width {
                let right = Vector(0, 1, 2, 3, 4, 5, 6, 7) + Vector(repeating: Float(x) - centreX - draw.shift.x)
                var u = m[0] * right + Vector(repeating: startX), v = m[2] * right + Vector(repeating: startY)
                if elastic {
                    for node in 0 ..< Self.nodes {
                        let weight = columns.pointer.vector(node * columnStride + x)
                        u += fieldX[node] * weight
                        v += fieldY[node] * weight
                    }
                }
                let value = sample(scratch, stride, dp_least(dp_greatest(u, least), greatestX), dp_least(dp_greatest(v, least), greatestY))
                target.store(dp_least(dp_greatest(value, lowest), highest), y * width + x)
                x += 8
            }
        }
    }

    @inline(__always)
    private func sample(_ plane: UnsafePointer<Float>, _ stride: Int, _ u: Vector, _ v: Vector) -> Vector {
        let x = integers(Float(Self.phases) * u), y = integers(Float(Self.phases) * v)
        let place = (y &>> Self.phaseBits) &* Int32(truncatingIfNeeded: stride) &+ (x &>> Self.phaseBits)
        let phaseX = x & Int32(Self.phases - 1), phaseY = y & Int32(Self.phases - 1)
        @inline(__always) func one(_ k: Int) -> Float {
            let p = plane + (Int(place[k]) - stride - 1), y = spline.pointer[Int(phaseY[k])]
            var sum = y[0] * four(p)
            sum += y[1] * four(p + stride)
            sum += y[2] * four(p + 2 * stride)
            sum += y[3] * four(p + 3 * stride)
            sum = sum * spline.pointer[Int(phaseX[k])]
            return (sum[0] + sum[1]) + (sum[2] + sum[3])
        }
        // Written out: with an index that varies the vectors would go through memory.
        return Vector(one(0), one(1), one(2), one(3), one(4), one(5), one(6), one(7))
    }

    /// Places are rounded to so many a pixel, which have their weights in a table.
    private static let phases = 256, phaseBits: Int32 = 8

    /// What four neighbours in a row weigh for a place `phase` / `phases` beyond the second.
    private static func weights(phase: Int) -> SIMD4<Float> {
        let t = Float(phase) / Float(phases)
        let ends = SIMD4<Float>(-0.5, 1.5, -1.5, 0.5) * t + SIMD4(1, -2.5, 2, -0.5)
        return (ends * t + SIMD4(-0.5, 0, 0.5, 0)) * t + SIMD4(0, 1, 0, 0)
    }

    /// Blends the bordered image with its 3x3 maximum or minimum. `rows`, another plane, takes the rows' own.
    private func changeStroke(_ amount: Float, _ plane: UnsafeMutablePointer<Float>, _ rows: UnsafeMutablePointer<Float>) {
        let thicker = amount > 0, share = abs(amount), stride = stride // not computed again for each pixel
        @inline(__always) func extreme(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector {
            thicker ? dp_greatest(dp_greatest(a, b), c) : dp_least(dp_least(a, b), c)
        }
        let first = Self.before
        for y in first - 1 ..< first + height + 1 {
            var x = first
            while x < first + width {
                let p = plane + y * stride + x
                rows.store(extreme(p.vector(-1), p.vector(0), p.vector(1)), y * stride + x)
                x += 8
            }
        }
        for y in first ..< first + height {
            // Eight at a time reach over the row's end, where the border must stay 0.
            var x = first
            while x < first + width {
                let p = plane + y * stride + x, q = rows + y * stride + x
                let old = p.vector(0)
                let new = old + share * (extreme(q.vector(-stride), q.vector(0), q.vector(stride)) - old)
                if x + 8 <= first + width { p.store(new, 0) } else { for k in 0 ..< first + width - x { p[k] = new[k] } }
                x += 8
            }
        }
    }
}

@inline(__always) private func four(_ p: UnsafePointer<Float>) -> SIMD4<Float> {
    UnsafeRawPointer(p).loadUnaligned(as: SIMD4<Float>.self)
}

/// The nearest integers, for 0 <= x < 2^22: adding 2^23 leaves no bits for a fraction, and the integer in the lowest ones.
@inline(__always) private func integers(_ x: Vector) -> SIMD8<Int32> {
    unsafeBitCast(x + Vector(repeating: 0x1p23), to: SIMD8<Int32>.self) &- 0x4B00_0000
}
