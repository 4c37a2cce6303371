import CDiptychPlatform

/// This module's kernels; the only thing that leaves it.
public func makeKernels() -> dp_kernels {
    #if DIPTYCH_AVX2
    let name: StaticString = "avx2"
    #elseif arch(arm64)
    let name: StaticString = "neon"
    #else
    let name: StaticString = "baseline"
    #endif
    return dp_kernels(
        name: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
        conv_first: { convolveFirst($0, x: $1!, weights: $2!, bias: $3!, act: $4!) },
        conv_first_backward: {
            convolveFirstBackward($0, x: $1!, act: $2!, gradient: $3!, weightGradient: $4!, biasGradient: $5!)
        },
        winograd_weights: { winogradWeights(channels: $0, weights: $1!, transformed: $2!) },
        conv_pool: {
            convolvePool($0, images: $1, act: $2!, transformed: $3!, bias: $4!, pooled: $5!, choice: $6!, scratch: $7!)
        },
        conv_pool_backward: {
            convolvePoolBackward($0, act: $1!, weights: $2!, gradient: $3!, choice: $4!, weightGradient: $5!,
                                 biasGradient: $6!, actGradient: $7!, scratch: $8!)
        },
        multiply: {
            multiply(rows: $0, panels: $1, depth: $2, a: $3!, aRow: $4, aStep: $5, b: $6!, bRow: $7, bPanel: $8, c: $9!,
                     cRow: $10, accumulate: $11)
        },
        transpose_panels: { transposePanels(panels: $0, weights: $1!, panelStride: $2, b: $3!) },
        bias_relu: { biasRelu(rows: $0, width: $1, bias: $2!, applyRelu: $3, c: $4!, cRow: $5) },
        relu_gradient: {
            reluGradient(rows: $0, width: $1, act: $2!, actRow: $3, scale: $4, gradient: $5!, gradientRow: $6)
        },
        sum_rows: { sumRows(rows: $0, width: $1, x: $2!, xRow: $3, sum: $4!) },
        adam: { adam(count: $0, update: $1, gradient: $2!, parameter: $3!, first: $4!, second: $5!) },
        sgd: { sgd(count: $0, update: $1, gradient: $2!, parameter: $3!, velocity: $4!) }
    )
}
