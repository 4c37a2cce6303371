import CDiptychPlatform

/// Adam with decoupled weight decay, one pass over parameter, moments and gradient.
func adam(count: Int, update: dp_update, gradient: UnsafePointer<Float>, parameter: UnsafeMutablePointer<Float>,
          first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>) {
    let rest1 = Vector(repeating: 1 - update.beta1), rest2 = Vector(repeating: 1 - update.beta2)
    let beta2 = Vector(repeating: update.beta2), decay = Vector(repeating: update.decay)
    let step = Vector(repeating: -update.step_size), scale = Vector(repeating: update.second_scale)
    let epsilon = Vector(repeating: update.epsilon)
    var i = 0
    while i < count {
        // All loads before the stores: the arrays may lie whole pages apart, which looks like an overlap to the CPU.
        let g = gradient.vector(i), p = parameter.vector(i), m0 = first.vector(i), v0 = second.vector(i)
        let m = fma(m0, rest1, g - m0)
        let v = fma(beta2 * v0, rest2, g * g)
        first.store(m, i)
        second.store(v, i)
        parameter.store(fma(decay * p, step, m / fma(epsilon, dp_sqrt(v), scale)), i)
        i += 8
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
