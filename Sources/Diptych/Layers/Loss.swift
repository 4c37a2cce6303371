import CDiptychPlatform

/// 1 / (1 + e^-z)
@inline(__always) func sigmoid(_ z: Float) -> Float { 1 / (1 + expf(-z)) }

/// -log sigmoid(z) if target is 1, -log(1 - sigmoid(z)) if it is 0; at most 100, as PyTorch's BCELoss clamps.
@inline(__always) func binaryCrossEntropy(logit z: Float, target: Float) -> Float {
    let signed = target > 0.5 ? -z : z
    let loss = (signed > 0 ? signed : 0) + log1pf(expf(-abs(z)))
    return loss > 100 ? 100 : loss
}

/// The same for a target between: 1 - smoothing / 2 or smoothing / 2.
@inline(__always) func binaryCrossEntropy(logit z: Float, target: Float, smoothing: Float) -> Float {
    let loss = binaryCrossEntropy(logit: z, target: target)
    guard smoothing > 0 else { return loss }
    return loss + 0.5 * smoothing * (binaryCrossEntropy(logit: z, target: 1 - target) - loss)
}

/// The logits' mean under the target: 1 - smoothing for `digit`, smoothing shared out among all.
@inline(__always)
func smoothed(_ logits: UnsafePointer<Float>, classes: Int, digit: Int, _ smoothing: Float) -> Float {
    guard smoothing > 0 else { return logits[digit] }
    var sum: Float = 0
    for i in 0 ..< classes { sum += logits[i] }
    return (1 - smoothing) * logits[digit] + smoothing * sum / Float(classes)
}

/// probabilities = softmax(logits / temperature); returns log(sum(e^(logits / temperature))), so that a class's cross entropy is
/// that minus its logit.
@inline(__always)
func softmax(_ logits: UnsafePointer<Float>, classes: Int, temperature: Float = 1, into probabilities: UnsafeMutablePointer<Float>) -> Float {
    var greatest = logits[0]
    for i in 1 ..< classes where logits[i] > greatest { greatest = logits[i] }
    var sum: Float = 0
    for i in 0 ..< classes {
        let e = expf((logits[i] - greatest) / temperature)
        probabilities[i] = e
        sum += e
    }
    let scale = 1 / sum
    for i in 0 ..< classes { probabilities[i] *= scale }
    return greatest / temperature + logf(sum)
}
