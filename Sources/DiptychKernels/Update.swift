import CDiptychPlatform

/// Sixteen parameters, a cache line: one register to four, so that more than one chain of roots and quotients is under way.
private typealias Line = SIMD16<Float>

extension UnsafePointer<Float> {
    @inline(__always) fileprivate func line(_ offset: Int) -> Line { UnsafeRawPointer(self + offset).loadUnaligned(as: Line.self) }
}

extension UnsafeMutablePointer<Float> {
    @inline(__always) fileprivate func line(_ offset: Int) -> Line { UnsafeRawPointer(self + offset).loadUnaligned(as: Line.self) }

    @inline(__always) fileprivate func store(line: Line, _ offset: Int) {
        UnsafeMutableRawPointer(self + offset).storeBytes(of: line, as: Line.self)
    }

    /// Past the caches where it is dear to be given the old line by all that hold it.
    @inline(__always) fileprivate func store(line: Line, _ offset: Int, streamed: Bool) {
        if streamed { dp_stream(line, self + offset) } else { store(line: line, offset) }
    }
}

/// `fma` of lines.
@inline(__always) private func add(_ sum: Line, _ a: Float, _ b: Line) -> Line { dp_fma(sum, Line(repeating: a), b) }

/// Adam's formula (Optimizer.swift).
@inline(__always)
private func adamStep(_ update: dp_update, _ gradient: Line, _ parameter: inout Line, _ first: inout Line, _ second: inout Line) {
    first = add(first, 1 - update.beta1, gradient - first)
    second = add(update.beta2 * second, 1 - update.beta2, gradient * gradient)
    move(update, &parameter, first, second)
}

/// The parameter's part of it, by the new moments.
@inline(__always)
private func move(_ update: dp_update, _ parameter: inout Line, _ first: Line, _ second: Line) {
    let root = add(Line(repeating: update.epsilon), update.second_scale, dp_square_root(second))
    parameter = add(update.decay * parameter, -update.step_size, first / root)
}

/// The moments' part of it without a gradient.
@inline(__always)
private func fall(_ update: dp_update, _ first: inout Line, _ second: inout Line) {
    first = add(first, 1 - update.beta1, .zero - first)
    second = update.beta2 * second
}

/// Of a line of parameters.
@inline(__always)
private func adamLine(_ update: dp_update, _ gradient: UnsafePointer<Float>, _ parameter: UnsafeMutablePointer<Float>,
                      _ first: UnsafeMutablePointer<Float>, _ second: UnsafeMutablePointer<Float>, streamed: Bool) {
    // All loads before the stores: the arrays may lie whole pages apart, which looks like an overlap to the CPU.
    var p = parameter.line(0), m = first.line(0), v = second.line(0)
    adamStep(update, gradient.line(0), &p, &m, &v)
    first.store(line: m, 0)
    second.store(line: v, 0)
    parameter.store(line: p, 0, streamed: streamed)
}

/// Adam with decoupled weight decay, one pass over parameter, moments and gradient.
func adam(count: Int, update: dp_update, gradient: UnsafePointer<Float>, parameter: UnsafeMutablePointer<Float>,
          first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>) {
    for i in stride(from: 0, to: count, by: 16) {
        // Other threads' caches may hold the weights, which they have read: asked for early, these give them up in time.
        if !update.streamed && i + 16 * 16 < count { dp_prefetch_write(parameter + (i + 16 * 16)) }
        adamLine(update, gradient + i, parameter + i, first + i, second + i, streamed: update.streamed)
    }
    dp_stream_end(update.streamed)
}

/// The same of lines of 16 parameters that begin at `places`.
func adamLines(count: Int, places: UnsafePointer<Int32>, next: Int, update: dp_update, gradient: UnsafePointer<Float>,
               parameter: UnsafeMutablePointer<Float>, first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>) {
    for line in 0 ..< count {
        let place = Int(places[line])
        dp_prefetch(first + (place + next))
        dp_prefetch(second + (place + next))
        adamLine(update, gradient + 16 * line, parameter + place, first + place, second + place, streamed: update.streamed)
    }
    dp_stream_end(update.streamed)
}

/// Of each line the updates done[line] ..< steps whose gradient is zero: it stays in registers for all of them. The moments fall, and
/// sooner or later what they take off a parameter rounds to nothing; then the moments alone are left to update.
func adamIdle(count: Int, places: UnsafePointer<Int32>, done: UnsafePointer<Int32>, steps: Int, updates: UnsafePointer<dp_update>,
              parameter: UnsafeMutablePointer<Float>, first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>) {
    // Of all steps the largest step size (or so much that a quotient which overflows counts as large) and the smallest root that the second
    // moment can come to, with room for rounding.
    var stepSize: Float = 0x1p-26, secondScale = Float.greatestFiniteMagnitude, epsilon: Float = 1, left: Float = 0.98, decays = false
    for k in 0 ..< steps {
        stepSize = max(stepSize, updates[k].step_size)
        secondScale = min(secondScale, updates[k].second_scale)
        epsilon = min(epsilon, updates[k].epsilon)
        left *= updates[k].beta2
        decays = decays || updates[k].decay != 1
    }
    // A subnormal epsilon is zero, and zero by zero not a number.
    let alwaysMoves = decays || epsilon < 0x1p-100
    for line in 0 ..< count {
        let place = Int(places[line]), next = Int(places[min(line + 8, count - 1)])
        dp_prefetch(parameter + next)
        dp_prefetch(first + next)
        dp_prefetch(second + next)
        var p = parameter.line(place), m = first.line(place), v = second.line(place), k = Int(done[line])
        // A step moves a parameter by less than stepSize * |m| / root, and |m| does not grow. A 2^26th of the parameter is below half of its
        // last place.
        let root = secondScale * dp_square_root(left * v) + Line(repeating: epsilon)
        let factor = Line(repeating: 0x1p26 * stepSize) / (0.98 * root)
        while k < steps && (alwaysMoves || !dp_is_far_below(m, factor, p)) {
            let end = min(k + 8, steps)
            while k < end {
                fall(updates[k], &m, &v)
                move(updates[k], &p, m, v)
                k += 1
            }
        }
        while k < steps {
            fall(updates[k], &m, &v)
            k += 1
        }
        parameter.store(line: p, place)
        first.store(line: m, place)
        second.store(line: v, place)
    }
}

/// Stochastic gradient descent with momentum, as PyTorch's: velocity = momentum * velocity + gradient.
func sgd(count: Int, update: dp_update, gradient: UnsafePointer<Float>, parameter: UnsafeMutablePointer<Float>,
         velocity: UnsafeMutablePointer<Float>) {
    for i in stride(from: 0, to: count, by: 16) {
        let p = parameter.line(i)
        let v = add(add(gradient.line(i), update.decay, p), update.beta1, velocity.line(i))
        velocity.store(line: v, i)
        parameter.store(line: add(p, -update.step_size, v), i, streamed: update.streamed)
    }
    dp_stream_end(update.streamed)
}
