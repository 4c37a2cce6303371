import CDiptychPlatform
import DiptychKernels
#if arch(x86_64)
import DiptychKernelsAVX2
#endif

/// The kernels for this CPU, chosen once.
nonisolated(unsafe) let kernels: dp_kernels = {
    #if arch(x86_64)
    if dp_use_avx2() { return DiptychKernelsAVX2.makeKernels() }
    #endif
    return DiptychKernels.makeKernels()
}()

/// "avx2", "neon" or "baseline".
public var instructionSet: String { String(cString: kernels.name) }
