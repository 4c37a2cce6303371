import CDiptychPlatform

/// Adam's formula (Optimizer.swift).
@inline(__always)
private func adamStep(_ update: dp_update, _ gradient: Vector, _ parameter: inout Vector, _ first: inout Vector, _ second: inout Vector) {
    first = fma(first, 1 - update.beta1, gradient - first)
    second = fma(update.beta2 * second, 1 - update.beta2, gradient * gradient)
    let root = fma(Vector(repeating: update.epsilon), update.second_scale, dp_sqrt(second))
    parameter = fma(update.decay * parameter, -update.step_size, first / root)
}

/// Of eight parameters.
@inline(__always)
private func adam8(_ update: dp_update, _ gradient: UnsafePointer<Float>, _ parameter: UnsafeMutablePointer<Float>,
                   _ first: UnsafeMutablePointer<Float>, _ second: UnsafeMutablePointer<Float>) {
    // All loads before the stores: the arrays may lie whole pages apart, which looks like an overlap to the CPU.
    var p = parameter.vector(0), m = first.vector(0), v = second.vector(0)
    adamStep(update, gradient.vector(0), &p, &m, &v)
    first.store(m, 0)
    second.store(v, 0)
    parameter.store(p, 0)
}

/// Adam with decoupled weight decay, one pass over parameter, moments and gradient.
func adam(count: Int, update: dp_update, gradient: UnsafePointer<Float>, parameter: UnsafeMutablePointer<Float>,
          first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>) {
    var i = 0
    while i < count {
        adam8(update, gradient + i, parameter + i, first + i, second + i)
        i += 8
    }
}

/// The same of lines of 16 parameters that begin at `places`.
func adamLines(count: Int, places: UnsafePointer<Int32>, next: Int, update: dp_update, gradient: UnsafePointer<Float>,
               parameter: UnsafeMutablePointer<Float>, first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>) {
    for line in 0 ..< count {
        let place = Int(places[line]), gradient = gradient + 16 * line
        dp_prefetch(first + (place + next))
        dp_prefetch(second + (place + next))
        adam8(update, gradient, parameter + place, first + place, second + place)
        adam8(update, gradient + 8, parameter + (place + 8), first + (place + 8), second + (place + 8))
    }
}

/// Of each line the updates done[line] ..< steps whose gradient is zero: it stays in registers for all of them.
func adamIdle(count: Int, places: UnsafePointer<Int32>, done: UnsafePointer<Int32>, steps: Int, updates: UnsafePointer<dp_update>,
              parameter: UnsafeMutablePointer<Float>, first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>) {
    for line in 0 ..< count {
        let low = Int(places[line]), high = low + 8
        var p0 = parameter.vector(low), m0 = first.vector(low), v0 = second.vector(low)
        var p1 = parameter.vector(high), m1 = first.vector(high), v1 = second.vector(high)
        for k in Int(done[line]) ..< steps {
            adamStep(updates[k], .zero, &p0, &m0, &v0)
            adamStep(updates[k], .zero, &p1, &m1, &v1)
        }
        parameter.store(p0, low)
        parameter.store(p1, high)
        first.store(m0, low)
        first.store(m1, high)
        second.store(v0, low)
        second.store(v1, high)
    }
}

/// Stochastic gradient descent with momentum, as PyTorch's: velocity = momentum * velocity + gradient.
func sgd(count: Int, update: dp_update, gradient: UnsafePointer<Float>, parameter: UnsafeMutablePointer<Float>,
         velocity: UnsafeMutablePointer<Float>) {
    let momentum = Vector(repeating: update.beta1), decay = Vector(repeating: update.decay)
    let step = Vector(repeating: -update.step_size)
    var i = 0
    while i < count {
        let p = parameter.vector(i)
        let v = fma(fma(gradient.vector(i), decay, p), momentum, velocity.vector(i))
        velocity.store(v, i)
        parameter.store(fma(p, step, v), i)
        i += 8
    }
}
