import CDiptychPlatform

/// The kernels for this CPU, chosen once.
nonisolated(unsafe) let kernels: dp_kernels = {
    #if arch(x86_64)
    if dp_use_avx2() { return dp_kernels_avx2().pointee }
    #endif
    return dp_kernels_baseline().pointee
}()

/// "avx2", "neon" or "baseline".
public var instructionSet: String { String(cString: kernels.name) }
