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
        let g = gradient.vector(i)
        let m = fma(first.vector(i), rest1, g - first.vector(i))
        let v = fma(beta2 * second.vector(i), rest2, g * g)
        first.store(m, i)
        second.store(v, i)
        parameter.store(fma(decay * parameter.vector(i), step, m / fma(epsilon, v.squareRoot(), scale)), i)
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
