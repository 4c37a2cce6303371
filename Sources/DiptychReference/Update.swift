import CDiptychPlatform

extension Reference {
    /// Kingma and Ba (2015), decay decoupled as in Loshchilov and Hutter (2019).
    public static func adam(count: Int, update: dp_update, gradient: UnsafePointer<Float>, parameter: UnsafeMutablePointer<Float>,
                            first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>) {
        let beta1 = Double(update.beta1), beta2 = Double(update.beta2)
        for i in 0 ..< count {
            let g = Double(gradient[i])
            let m = beta1 * Double(first[i]) + (1 - beta1) * g
            let v = beta2 * Double(second[i]) + (1 - beta2) * g * g
            let step = Double(update.step_size) * m / (v.squareRoot() * Double(update.second_scale) + Double(update.epsilon))
            parameter[i] = Float(Double(update.decay) * Double(parameter[i]) - step)
            first[i] = Float(m)
            second[i] = Float(v)
        }
    }

    /// PyTorch's: velocity = momentum * velocity + gradient, with the decay in the gradient.
    public static func sgd(count: Int, update: dp_update, gradient: UnsafePointer<Float>, parameter: UnsafeMutablePointer<Float>,
                           velocity: UnsafeMutablePointer<Float>) {
        for i in 0 ..< count {
            let p = Double(parameter[i])
            let v = Double(update.beta1) * Double(velocity[i]) + Double(gradient[i]) + Double(update.decay) * p
            velocity[i] = Float(v)
            parameter[i] = Float(p - Double(update.step_size) * v)
        }
    }
}
