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

/// Those for 8, 24 and 40 channels, which fill half of AVX-512's last register, or share it between two pixels or tiles: AVX2's, with the
/// same bits, where such a register is done in halves.
nonisolated(unsafe) private let fewOddEights: dp_kernels = {
    #if arch(x86_64)
    if dp_instruction_set() == DP_AVX512, dp_is_amd_family_19h() { return dp_kernels_avx2().pointee }
    #endif
    return kernels
}()

extension dp_conv_shape {
    /// The kernels for convolutions of this shape.
    var kernels: dp_kernels { channels % 16 == 0 || channels > 40 ? Diptych.kernels : fewOddEights }
}

/// "avx512", "avx2", "neon" or "baseline".
public var instructionSet: UnsafePointer<CChar> { kernels.name }
