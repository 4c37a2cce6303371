import CDiptychPlatform

/// The kernels for this CPU, chosen once.
nonisolated(unsafe) let kernels: dp_kernels = {
    #if arch(x86_64)
    switch dp_instruction_set() {
    case DP_AVX512: return dp_kernels_avx512().pointee
    case DP_AVX2: return dp_kernels_avx2().pointee
    default: break
    }
    #endif
    return dp_kernels_baseline().pointee
}()

/// "avx512", "avx2", "neon" or "baseline".
public var instructionSet: UnsafePointer<CChar> { kernels.name }
